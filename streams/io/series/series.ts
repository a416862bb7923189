/** The time-series port: vitals, waveforms, windows and episodes, each row stored once however often it is written. */
import type {
  Episode,
  Measurement,
  Validity,
  WaveformChunk,
  WindowAggregate,
} from "../../../schemas/records/telemetry.ts";
import type { EventTime, LogTime } from "../../core/time.ts";

/** A row is a record's body and the log time it was carried with; an `Entry` is one. */
export interface Row<B> {
  readonly logTime: LogTime;
  readonly body: B;
}

/** Missing, empty and invalid values are no rows of vitals: its count() is the number of values. */
export type ValuedMeasurement = Measurement & { readonly value: number };

/** What each table holds. */
export interface Series {
  readonly vitals: ValuedMeasurement;
  readonly waveforms: WaveformChunk;
  readonly windows: WindowAggregate;
  readonly episodes: Episode;
}
export type TableName = keyof Series;
export type SeriesRows = { readonly [T in TableName]?: readonly Row<Series[T]>[] };

export interface VitalsQuery {
  /** Any of these; left out: all. */
  readonly device?: readonly string[];
  readonly subject?: readonly string[];
  readonly metric?: readonly string[];
  /** Event time in ms, from <= t < to. */
  readonly from: number;
  readonly to: number;
  /** The newest so many. */
  readonly limit: number;
}

export interface Vital {
  readonly identity: string;
  readonly device: string;
  readonly subject: string | null;
  readonly channel: string;
  readonly metric: string;
  readonly ucum: string;
  readonly value: number;
  readonly validity: Validity;
  readonly eventTime: EventTime;
}

export interface SeriesStore {
  /**
   * Resolves once the store has all rows for good. Rows that it has already change nothing. One attempt, bounded in time.
   * Codes: `store-unavailable` (retry: write the same rows again), `store-refused` (no retry). Rows must be storable
   * (see storable.ts), else InvariantError.
   */
  write(rows: SeriesRows): Promise<void>;
  /** Ascending by event time; of a revised measurement only the newest revision. Codes: `store-unavailable`. */
  vitals(query: VitalsQuery): Promise<readonly Vital[]>;
  /** Rows in a table. Codes: `store-unavailable`. */
  count(table: TableName): Promise<number>;
  /**
   * Resolves when all that was written can be read (QuestDB applies its write-ahead log later).
   * Codes: `store-suspended` (a table no longer applies what is written: people must mend it), `store-unavailable`.
   */
  settled(): Promise<void>;
  close(): Promise<void>;
}
