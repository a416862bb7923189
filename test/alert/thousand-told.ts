/** What was told of the thousand, held against what is to be told: each alarm with its notification, and how long it took. */
import type { Arrival } from "./receiver.ts";
import type { Expected } from "./thousand.ts";
import type { Course, Ran } from "./thousand-run.ts";

export interface Paired {
  /** Each expected alarm with the notification that told it; undefined where none did. */
  readonly pairs: readonly (readonly [Expected, Arrival | undefined])[];
  readonly extra: readonly Arrival[];
}

/** Of what came before `untilMs` (wall clock), where given. */
export const paired = (
  { play, receiver }: Pick<Ran, "play" | "receiver">,
  untilMs = Number.POSITIVE_INFINITY,
): Paired => {
  // who is told first: the nurse at the bed, or, where nobody is, the last resort (and the chain goes on beside it)
  const left = new Set(
    receiver.arrivals.filter(
      ({ told, at }) =>
        at < untilMs &&
        told.what === "alarm" &&
        told.phase === "start" &&
        told.recipient === (told.bed === null ? "resort" : "nurse"),
    ),
  );
  const pairs = play.expected.map((one): readonly [Expected, Arrival | undefined] => {
    for (const arrival of left) {
      const { told } = arrival;
      const fits =
        told.device === one.device &&
        told.event === one.event &&
        told.metric === one.metric &&
        Math.abs(told.onset - one.onset) <= one.withinMs;
      if (!fits) continue;
      left.delete(arrival);
      return [one, arrival];
    }
    return [one, undefined];
  });
  return { pairs, extra: [...left] };
};

export const untold = ({ pairs }: Paired): readonly Expected[] =>
  pairs.filter(([, arrival]) => arrival === undefined).map(([one]) => one);

/** Told with another bed, priority or value than expected. */
export const wronglyTold = ({ pairs }: Paired): readonly unknown[] =>
  pairs.filter(
    ([one, arrival]) =>
      arrival?.told.bed !== one.bed || arrival.told.priority !== one.priority || arrival.told.value !== one.value,
  );

/** Told of a patient though nobody expects it. */
export const toldBeside = ({ extra }: Paired): readonly unknown[] =>
  extra.filter(({ told }) => told.metric !== null || told.event === "unmapped").map(({ told }) => told);

export const byShape = ({ pairs }: Paired): string =>
  [...Map.groupBy(pairs, ([{ shape }]) => shape)]
    .map(
      ([shape, of]) =>
        `${shape.padEnd(34)} ${of.filter(([, arrival]) => arrival !== undefined).length} of ${of.length}`,
    )
    .join("\n");

export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;

/** From the device's publish to the receiver, ms, sorted. */
export const delaysOf = (pairs: Paired["pairs"]): number[] =>
  pairs
    .flatMap(([{ publishedAt }, arrival]) => (arrival === undefined ? [] : [arrival.at - publishedAt]))
    .sort((a, b) => a - b);

/** Once the circuit is warm: the whole stack has just been started beside it. */
export const delaysWhenWarm = ({ pairs }: Paired, { startMs }: Ran, { warmEnds }: Course): number[] =>
  delaysOf(pairs.filter(([{ publishedAt }]) => publishedAt >= startMs + warmEnds * 1_000));

/** What the table calls "the circuit killed and restarted". */
const restartSeconds = 8;

/** As {@link delaysWhenWarm}, without what came while the circuit was being restarted. */
export const delaysBesideRestart = (all: Paired, ran: Ran, course: Course): number[] => {
  const killedAt = ran.startMs + course.circuitKilledAt * 1_000;
  const beside = all.pairs.filter(
    ([{ publishedAt }]) => publishedAt < killedAt || publishedAt >= killedAt + restartSeconds * 1_000,
  );
  return delaysWhenWarm({ ...all, pairs: beside }, ran, course);
};

export const figures = (what: string, sorted: readonly number[]): string =>
  `${what.padEnd(34)} n ${String(sorted.length).padStart(4)}  p50 ${quantile(sorted, 0.5)} ms  p99 ${quantile(sorted, 0.99)} ms  max ${sorted.at(-1)} ms`;

export const delayTable = ({ pairs }: Paired, { startMs }: Ran, course: Course): string => {
  const { warmEnds, restEnds, circuitKilledAt, storm, lasts } = course;
  const at = (n: number): number => startMs + n * 1_000;
  const within = (from: number, to: number): number[] =>
    delaysOf(pairs.filter(([{ publishedAt }]) => publishedAt >= at(from) && publishedAt < at(to)));
  const tens = Array.from({ length: Math.ceil(lasts / 10) }, (_, i) => quantile(within(i * 10, i * 10 + 10), 0.5));
  return [
    figures("at rest (goal p99 100 ms)", within(warmEnds, restEnds)),
    figures("all else killed", within(restEnds, circuitKilledAt)),
    figures("the circuit killed and restarted", within(circuitKilledAt, circuitKilledAt + restartSeconds)),
    figures("in the storm", within(storm.from, storm.to)),
    figures("all", delaysOf(pairs)),
    `p50 by ten seconds: ${tens.join(", ")} ms`,
  ].join("\n");
};
