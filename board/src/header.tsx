/** Whose ward, what time it is there, how fast that runs, whether the page is live, and the totals. */
import type { BoardView } from "../../schemas/board.ts";
import { Mark } from "./icons.tsx";
import type { Connection, Live } from "./live.ts";
import { age, count, day, speed, timeOfDay } from "./words.ts";

const connectionText: Record<Connection["kind"], string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Not live",
  stalled: "Not live",
};

const ConnectionPill = ({ connection }: { connection: Connection }) => (
  <p
    class={`connection connection-${connection.kind}`}
    data-testid="connection"
    data-state={connection.kind}
    role="status"
  >
    <span class="connection-dot" aria-hidden="true" />
    {connectionText[connection.kind]}
  </p>
);

const Fact = ({ label, value, title }: { label: string; value: string; title?: string }) => (
  <div class="fact" title={title}>
    <dt>{label}</dt>
    <dd>{value}</dd>
  </div>
);

const speedText = (board: BoardView): string => {
  const wanted = board.wantedSpeed === 0 ? "as fast as it goes" : `wanted ${speed(board.wantedSpeed)}`;
  return `${board.actualSpeed === 0 ? "–" : speed(board.actualSpeed)} (${wanted})`;
};

const Facts = ({ board }: { board: BoardView }) => {
  const streaming = board.beds.filter(({ state }) => state === "streaming").length;
  const refusedInput = Object.values(board.totals.quarantined).reduce((a, b) => a + b, 0);
  const { received, promoted, refused, written } = board.totals;
  return (
    <dl class="facts">
      <Fact label="Beds streaming" value={`${streaming} of ${board.beds.length}`} />
      <Fact label="Speed" value={speedText(board)} title="Ward seconds per second, over the last 10 s" />
      <Fact label="In the raw log" value={count(received)} title="Records, with ticks and roster records" />
      <Fact
        label="Quarantined"
        value={count(refusedInput)}
        title="Input that was refused, kept whole with its reason"
      />
      <Fact label="Promoted" value={count(promoted)} title="Episodes that passed all four gates" />
      <Fact label="Refused" value={count(refused)} title="Episodes that a gate refused" />
      <Fact label="In the EHR" value={count(written)} title="Promoted episodes that a destination has acknowledged" />
    </dl>
  );
};

export const Header = ({ board, connection, wardNow }: Live) => (
  <header class={`header header-${connection.kind}`}>
    <div class="brand">
      <Mark />
      <div>
        <h1>{board?.ward ?? "Afferent"}</h1>
        <p>Afferent · device telemetry</p>
      </div>
    </div>
    {board !== null && (
      <p class="ward-time" title="The ward's log time">
        <time>{timeOfDay(connection.kind === "live" ? wardNow : board.logTime)}</time>
        <span>{day(board.logTime)} · ward time</span>
      </p>
    )}
    {board !== null && <Facts board={board} />}
    <ConnectionPill connection={connection} />
  </header>
);

/** Old values must never pass as current: said loudly, with since when and what to do. */
export const NotLive = ({ connection }: { connection: Connection }) => {
  if (connection.kind !== "lost" && connection.kind !== "stalled") return null;
  const why =
    connection.kind === "lost"
      ? "this page hears nothing from its server: check the network, or whether the board is running."
      : "the board hears nothing from the log: check ingest and the log.";
  return (
    <div class="not-live" role="alert" data-testid="not-live">
      <strong>Not live since {timeOfDay(connection.since)}</strong>
      <span class="not-live-age" aria-hidden="true">
        {age(Date.now() - connection.since)}
      </span>
      <span>Every value below is old; {why} Look at the bedside.</span>
    </div>
  );
};
