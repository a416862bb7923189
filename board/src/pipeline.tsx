/** Throughput and lag of every stage, and what was refused on the way in, by reason. */
import { useRef } from "preact/hooks";
import type { BoardView, StageView } from "../../schemas/board.ts";
import { Cross, Tick } from "./icons.tsx";
import { count, duration, plain, rate, sentence } from "./words.ts";

const beats = 60;
const lateAfterSeconds = 10;
const [width, height] = [96, 22];

/** The last minute of each stage's throughput, a value per board. */
const useHistory = (board: BoardView): ReadonlyMap<string, readonly number[]> => {
  const history = useRef(new Map<string, number[]>());
  const seen = useRef(0);
  if (seen.current !== board.now) {
    seen.current = board.now;
    for (const { stage, perSecond } of board.stages)
      history.current.set(stage, [...(history.current.get(stage) ?? []), perSecond].slice(-beats));
  }
  return history.current;
};

const Spark = ({ values }: { values: readonly number[] }) => {
  const most = Math.max(1, ...values) * 1.1;
  const points = values.map((value, i) => {
    const x = ((beats - values.length + i) / (beats - 1)) * width;
    return `${x.toFixed(1)},${(height - 1 - (value / most) * (height - 3)).toFixed(1)}`;
  });
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {points.length > 1 && <polyline points={points.join(" ")} />}
    </svg>
  );
};

const lagText = ({ lagEntries, lagSeconds }: StageView): string =>
  lagEntries === 0
    ? "up to date"
    : `${count(lagEntries)} behind, ${lagSeconds < 100 ? `${lagSeconds.toFixed(lagSeconds < 10 ? 1 : 0)} s` : duration(lagSeconds * 1000)}`;

const Stage = ({ stage, values }: { stage: StageView; values: readonly number[] }) => {
  const late = stage.lagSeconds > lateAfterSeconds;
  return (
    <tr class={late ? "stage-late" : ""} data-testid={`stage-${stage.stage}`}>
      <th scope="row">{stage.stage}</th>
      <td>
        <Spark values={values} />
      </td>
      <td class="number">
        {rate(stage.perSecond)}
        <small>/s</small>
      </td>
      <td class="stage-lag">
        {late ? <Cross /> : <Tick />}
        {lagText(stage)}
      </td>
    </tr>
  );
};

const Quarantine = ({ counts }: { counts: Readonly<Record<string, number>> }) => {
  const reasons = Object.entries(counts);
  const most = Math.max(1, ...reasons.map(([, n]) => n));
  return (
    <div class="quarantine">
      <h3>Refused input, by reason</h3>
      {reasons.length === 0 ? (
        <p class="empty">Nothing has been quarantined.</p>
      ) : (
        <dl class="reasons">
          {reasons.slice(0, 8).map(([reason, n]) => (
            <div class="reason" key={reason} data-testid={`quarantine-${reason}`}>
              <dt>{sentence(plain(reason))}</dt>
              <dd>
                <meter min={0} max={most} value={n} />
                <span class="number">{count(n)}</span>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
};

export const Pipeline = ({ board }: { board: BoardView }) => {
  const history = useHistory(board);
  return (
    <section class="panel pipeline" aria-labelledby="pipeline-title">
      <div class="panel-head">
        <h2 id="pipeline-title">Pipeline</h2>
        <span class="panel-note">entries per second, the last minute</span>
      </div>
      <div class="pipeline-body">
        <table class="stages">
          <thead class="unseen">
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Last minute</th>
              <th scope="col">Throughput</th>
              <th scope="col">Lag</th>
            </tr>
          </thead>
          <tbody>
            {board.stages.map((stage) => (
              <Stage key={stage.stage} stage={stage} values={history.get(stage.stage) ?? []} />
            ))}
          </tbody>
        </table>
        <Quarantine counts={board.totals.quarantined} />
      </div>
    </section>
  );
};
