/** The page as a whole, and what stands there before the first board has come. */
import { useEffect } from "preact/hooks";
import type { BoardView } from "../../schemas/board.ts";
import { Alarms, Banner } from "./alarms.tsx";
import { Attention } from "./attention.tsx";
import { BedDetail } from "./bed-detail.tsx";
import { Beds } from "./beds.tsx";
import { chooseWorst, useChosenBed } from "./chosen-bed.ts";
import { Decisions } from "./decisions.tsx";
import { Episodes } from "./episodes.tsx";
import { Header, NotLive } from "./header.tsx";
import { useLive } from "./live.ts";
import { Nuisance } from "./nuisance.tsx";
import { Pipeline } from "./pipeline.tsx";
import { Unplaced } from "./unplaced.tsx";

const Loading = () => (
  <main class="ward ward-loading" aria-busy="true">
    <p class="unseen">Waiting for the first board.</p>
    <div class="ghost ghost-strip" />
    <div class="ghost-grid">
      {Array.from({ length: 24 }, (_, i) => (
        <div class="ghost" key={i} />
      ))}
    </div>
    <div class="ghost ghost-detail" />
  </main>
);

/** In the tab, for a board in the background: how much is of high priority, or that nothing is known. */
const titleOf = (board: BoardView | null, isLive: boolean): string => {
  if (board === null) return "Afferent";
  const high = board.attention.filter(({ priority }) => priority === "high").length;
  return `${isLive ? (high > 0 ? `(${high}) ` : "") : "NOT LIVE "}${board.ward} · Afferent`;
};

export const Page = () => {
  const chosen = useChosenBed();
  const live = useLive(chosen);
  const { board, connection, wardNow, feed } = live;
  const isLive = connection.kind === "live";
  const has = board !== null && board.beds.length > 0;
  useEffect(() => {
    if (board !== null) chooseWorst(board);
  }, [has]);
  const title = titleOf(board, isLive);
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <div class={`page ${isLive ? "" : "page-old"}`}>
      <Header {...live} />
      <NotLive connection={connection} />
      {isLive && board !== null && <Banner circuit={board.circuit} now={board.now} />}
      {board === null ? (
        <Loading />
      ) : (
        <main class="ward">
          <Attention board={board} wardNow={wardNow} />
          <Alarms circuit={board.circuit} />
          <Beds beds={board.beds} chosen={chosen} wardNow={wardNow} live={isLive} />
          <BedDetail board={board} chosen={chosen} feed={feed} wardNow={wardNow} live={isLive} />
          <Unplaced devices={board.unplaced} />
          <div class="lists">
            <Episodes episodes={board.episodes} wardNow={wardNow} />
            <Decisions decisions={board.decisions} promoted={board.totals.promoted} refused={board.totals.refused} />
            <Pipeline board={board} />
            {board.circuit !== null && <Nuisance circuit={board.circuit} limits={board.limits} />}
          </div>
        </main>
      )}
      <footer class="foot">
        Afferent is not a certified medical device. The monitor at the bedside alarms; this page shows what the platform
        knows.
      </footer>
    </div>
  );
};
