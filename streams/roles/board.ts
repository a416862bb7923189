/** The board role: one page for the people who watch the ward's telemetry. See board/server.ts. */
export { type Board, type BoardOptions, type SeriesQuery, startBoard } from "./board/server.ts";
export { followedTopics } from "./board/follow.ts";
