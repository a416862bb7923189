/** What a precedence policy says: for each quantity, which classes of source there are, in order of fidelity, and how one gives way to another. */

/** Which series belong to it: each list that is not empty must match. The one without lists takes what no other does. */
export interface SourceClass {
  readonly name: string;
  readonly metrics: readonly string[];
  /** Beginnings of device ids. */
  readonly devices: readonly string[];
  readonly channels: readonly string[];
  /** Its last value is fresh for so long. */
  readonly freshForMs: number;
}

/** What a chart shows one value of, though several metrics and devices measure it. */
export interface Quantity {
  readonly name: string;
  readonly metrics: readonly string[];
  readonly ucum: string;
  /** Of the sources that are fresh, the valid ones before the questionable; then the latest, the first class, or the mean of all. */
  readonly choose: "mostRecent" | "highestFidelity" | "average";
  /** The highest fidelity first. */
  readonly sources: readonly SourceClass[];
  /** A better source takes over once it has been the better one, without a break, for so long. */
  readonly steadyMs: number;
  /** A lesser source takes over once the better one has been stale for so long. */
  readonly takeOverAfterMs: number;
  /** Two fresh, valid sources whose means differ by more, in `ucum`, cannot both be right; null: any two may. */
  readonly tolerance: number | null;
  /** Compared only where their last samples lie no further apart. */
  readonly comparableMs: number;
  /** A difference that lasts so long goes to a person. */
  readonly reviewAfterMs: number;
}

/** A state that several people report: of those that are fresh the most severe holds (clinical.md 14). */
export interface CategoricalState {
  readonly what: string;
  /** The most severe first. */
  readonly severity: readonly string[];
  readonly freshForMs: number;
}

export interface PrecedencePolicy {
  readonly version: number;
  readonly title: string;
  readonly quantities: readonly Quantity[];
  readonly states: readonly CategoricalState[];
}

/** One series of one device. */
export interface SeriesId {
  readonly metric: string;
  readonly device: string;
  readonly channel: string;
}

export const seriesName = ({ metric, device, channel }: SeriesId): string => `${metric}/${device}/${channel}`;

export const quantityOf = (policy: PrecedencePolicy, metric: string): Quantity | undefined =>
  policy.quantities.find(({ metrics }) => metrics.includes(metric));

const isOf = (source: SourceClass, { metric, device, channel }: SeriesId): boolean =>
  (source.metrics.length === 0 || source.metrics.includes(metric)) &&
  (source.devices.length === 0 || source.devices.some((start) => device.startsWith(start))) &&
  (source.channels.length === 0 || source.channels.includes(channel));

/** Takes what no other class of its quantity does. */
export const takesTheRest = ({ metrics, devices, channels }: SourceClass): boolean =>
  metrics.length + devices.length + channels.length === 0;

/** The class of a series: the first that names it, else the one that takes the rest (`readPrecedence` sees to it that there is one). */
export const classOf = ({ sources }: Quantity, series: SeriesId): SourceClass => {
  const named = sources.find((source) => !takesTheRest(source) && isOf(source, series));
  const found = named ?? sources.find(takesTheRest);
  if (found === undefined) throw new RangeError(`precedence: no class takes ${seriesName(series)}`);
  return found;
};
