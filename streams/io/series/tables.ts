/**
 * The four tables, declared once for every store: columns, types and the keys that make a repeated row the same row.
 * A key never holds a corrected time, for a better estimate of a clock's offset must not make a second row.
 */
import type { Episode, WaveformChunk, WindowAggregate } from "../../../schemas/records/telemetry.ts";
import type { LogTime } from "../../core/time.ts";
import type { Row, Series, TableName, ValuedMeasurement } from "./series.ts";

export type Cell = string | number | boolean | readonly number[] | null;

/** `symbol`: a text of few different values. `time`: ms since the epoch. `doubles`: an array. */
export type ColumnType = "symbol" | "text" | "int" | "long" | "double" | "doubles" | "boolean" | "time";

export interface Column<B> {
  readonly name: string;
  readonly type: ColumnType;
  of(body: B, logTime: LogTime): Cell;
}

export interface Table<B> {
  readonly name: TableName;
  /** The designated timestamp, column `ts`, in ms. */
  ts(body: B, logTime: LogTime): number;
  readonly columns: readonly Column<B>[];
  /** Names of columns; `ts` is always one of the keys and not listed. */
  readonly keys: readonly string[];
}

const typed =
  (type: ColumnType) =>
  <B>(name: string, of: Column<B>["of"]): Column<B> => ({ name, type, of });
const symbol = typed("symbol");
const text = typed("text");
const int = typed("int");
const long = typed("long");
const double = typed("double");
const boolean = typed("boolean");
const time = typed("time");
const doubles = typed("doubles");

const claimedOr = (claimed: number | null, logTime: LogTime): number => claimed ?? logTime;

/**
 * One row a value. Two values with one stamp are two readings, told apart by their identity (clinical.md 11).
 * `timed_by` says whether ts is the device's claim or, for want of one, log time.
 */
const vitals: Table<ValuedMeasurement> = {
  name: "vitals",
  ts: (m, logTime) => claimedOr(m.deviceTime, logTime),
  columns: [
    symbol("device", (m) => m.device),
    symbol("channel", (m) => m.channel),
    symbol("metric", (m) => m.metric),
    symbol("ucum", (m) => m.ucum),
    symbol("subject", (m) => m.subject),
    symbol("validity", (m) => m.validity),
    symbol("timed_by", (m) => (m.deviceTime === null ? "log" : "device")),
    symbol("association", (m) => m.association),
    int("association_revision", (m) => m.associationRevision),
    text("identity", (m) => m.identity),
    int("revision", (m) => m.revision),
    double("value", (m) => m.value),
    text("evidence", (m) => m.evidence),
    int("mdc", (m) => m.mdc),
    symbol("loinc", (m) => m.loinc),
    int("ordinal", (m) => m.ordinal),
    time("event_time", (m) => m.eventTime),
    time("received_time", (m) => m.receivedTime),
    time("log_time", (_, logTime) => logTime),
  ],
  keys: ["device", "channel", "metric", "ucum", "identity", "revision"],
};

/** One row a chunk; samples in `ucum`: (sample - baseline) / gain. */
const waveforms: Table<WaveformChunk> = {
  name: "waveforms",
  ts: (w, logTime) => claimedOr(w.deviceTime, logTime),
  columns: [
    symbol("device", (w) => w.device),
    symbol("channel", (w) => w.channel),
    symbol("metric", (w) => w.metric),
    symbol("ucum", (w) => w.ucum),
    symbol("subject", (w) => w.subject),
    symbol("timed_by", (w) => (w.deviceTime === null ? "log" : "device")),
    text("identity", (w) => w.identity),
    int("mdc", (w) => w.mdc),
    double("rate_hz", (w) => w.rateHz),
    doubles("samples", (w) => w.samples.map((sample) => (sample - w.baseline) / w.gain)),
    time("event_time", (w) => w.eventTime),
    time("received_time", (w) => w.receivedTime),
    time("log_time", (_, logTime) => logTime),
  ],
  keys: ["device", "channel", "metric", "ucum", "identity"],
};

/** One row a revision of a window; ts is its start. */
const windows: Table<WindowAggregate> = {
  name: "windows",
  ts: (w) => w.start,
  columns: [
    symbol("subject", (w) => w.subject),
    symbol("device", (w) => w.device),
    symbol("channel", (w) => w.channel),
    symbol("metric", (w) => w.metric),
    symbol("ucum", (w) => w.ucum),
    symbol("shape", (w) => w.shape),
    long("length_ms", (w) => w.lengthMs),
    text("identity", (w) => w.identity),
    int("revision", (w) => w.revision),
    int("samples", (w) => w.count),
    double("min", (w) => w.min),
    double("mean", (w) => w.mean),
    double("max", (w) => w.max),
    double("last", (w) => w.last),
    time("last_at", (w) => w.lastAt),
    double("coverage", (w) => w.coverage),
    time("log_time", (_, logTime) => logTime),
  ],
  keys: ["subject", "device", "channel", "metric", "ucum", "shape", "length_ms", "identity", "revision"],
};

/** One row a phase and revision of an episode; ts is its first crossing sample. */
const episodes: Table<Episode> = {
  name: "episodes",
  ts: (e) => e.start,
  columns: [
    symbol("subject", (e) => e.subject),
    symbol("device", (e) => e.device),
    symbol("channel", (e) => e.channel),
    symbol("metric", (e) => e.metric),
    symbol("ucum", (e) => e.ucum),
    symbol("phase", (e) => e.phase),
    symbol("rule", (e) => e.rule.id),
    symbol("priority", (e) => e.rule.priority),
    symbol("ended", (e) => e.ended),
    symbol("association", (e) => e.association),
    int("association_revision", (e) => e.associationRevision),
    text("identity", (e) => e.identity),
    int("revision", (e) => e.revision),
    int("rule_version", (e) => e.rule.version),
    int("rules_version", (e) => e.rulesVersion),
    boolean("approved", (e) => e.rule.approval !== null),
    double("rule_limit", (e) => e.rule.limit),
    time("end_at", (e) => e.end),
    double("qualifying_value", (e) => e.qualifyingValue),
    time("qualifying_at", (e) => e.qualifyingAt),
    symbol("qualifying_validity", (e) => e.qualifyingValidity),
    double("extreme", (e) => e.extreme),
    double("min", (e) => e.min),
    double("mean", (e) => e.mean),
    double("max", (e) => e.max),
    int("samples", (e) => e.count),
    time("log_time", (_, logTime) => logTime),
  ],
  keys: ["identity", "revision", "phase"],
};

export const tables: { readonly [T in TableName]: Table<Series[T]> } = { vitals, waveforms, windows, episodes };
export const tableNames = Object.keys(tables) as readonly TableName[];

/** One table with the rows that are to go there, whatever they are rows of. */
export interface Filled {
  readonly table: Table<unknown>;
  readonly rows: readonly Row<unknown>[];
}

/** The tables that have rows to write. */
export const filled = (rows: { readonly [T in TableName]?: readonly Row<Series[T]>[] }): Filled[] =>
  tableNames
    .map((name) => ({ table: tables[name] as Table<unknown>, rows: rows[name] ?? [] }))
    .filter((part) => part.rows.length > 0);
