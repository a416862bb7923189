/** The telemetry plane from the raw message to the episode. Names are the vocabulary of docs/design.md; times are integer milliseconds; each says whose. */
import {
  array,
  body,
  boolean,
  bytes,
  deviceTime,
  double,
  eventTime,
  int,
  logTime,
  long,
  nullable,
  oneOf,
  receivedTime,
  record,
  string,
  type TypeOf,
  withDefault,
} from "../avro.ts";
import { rule } from "./broadcast.ts";
import { usualClockUncertaintyMs } from "./roster.ts";

/** A message as received, byte for byte. */
export const reading = body("reading", {
  device: string,
  /** The last segment of the MQTT topic: numerics, waveforms, status. */
  stream: string,
  mqttTopic: string,
  payload: bytes,
  receivedTime,
  /** MQTT session and its DUP flag, for clinical.md 11. */
  session: string,
  dup: boolean,
  /** The broker's retained copy, delivered for our subscribing: old news, and the only one that says nothing of its device now. */
  retained: withDefault(boolean, false),
  /** Set when the payload exceeded 1 MiB: then `payload` is its first 64 KiB. */
  truncated: nullable(record("Truncated", { size: long, sha256: string })),
});
export type Reading = TypeOf<typeof reading>;

/**
 * valid · questionable (QUES, keeps its value) · invalid (INV, value dropped) · empty (sent as null) ·
 * sensorOff (a zero with evidence) · indeterminate (a zero without) · test, demo (never cross a threshold).
 */
export const validity = oneOf(
  "Validity",
  "valid",
  "questionable",
  "invalid",
  "empty",
  "sensorOff",
  "indeterminate",
  "test",
  "demo",
);
export type Validity = TypeOf<typeof validity>;

/** A pressure that came of the same measurement (reading, channel and time) as another: what a blood pressure panel is made of. */
export const companion = record("Companion", { metric: string, value: nullable(double), validity });
export type Companion = TypeOf<typeof companion>;

/** One value with metric, unit, times and quality. */
export const measurement = body("measurement", {
  /** 128 bits in hex: the reading's identity, channel, metric, ordinal (clinical.md 11); no received time. */
  identity: string,
  subject: nullable(string),
  association: nullable(string),
  associationRevision: nullable(int),
  device: string,
  /** Containment in the device, e.g. "ecg", "spo2", "nibp". */
  channel: string,
  /** Our short name; terminology.ts has its codes. */
  metric: string,
  mdc: nullable(int),
  loinc: nullable(string),
  ucum: string,
  value: nullable(double),
  validity,
  /** Why the validity is what it is, in words. */
  evidence: nullable(string),
  /** Null where the payload carries no time. */
  deviceTime: nullable(deviceTime),
  receivedTime,
  eventTime,
  /** How far event time may be off: the device's, as the roster has it. */
  clockUncertaintyMs: withDefault(long, usualClockUncertaintyMs),
  /** Expected time to the next one; null: irregular. */
  periodMs: nullable(long),
  ordinal: int,
  revision: int,
  /** Of a blood pressure: the other pressures of the same measurement. */
  companions: withDefault(array(companion), []),
});
export type Measurement = TypeOf<typeof measurement>;

/** Consecutive samples with a start and a rate. value = (sample - baseline) / gain in `ucum`. */
export const waveformChunk = body("waveformChunk", {
  identity: string,
  subject: nullable(string),
  device: string,
  channel: string,
  metric: string,
  mdc: nullable(int),
  ucum: string,
  rateHz: double,
  gain: double,
  baseline: double,
  samples: array(int),
  deviceTime: nullable(deviceTime),
  receivedTime,
  eventTime,
});
export type WaveformChunk = TypeOf<typeof waveformChunk>;

/** Emitted by normalise when a device's standing changes; the board's bed states come from here. */
export const deviceState = body("deviceState", {
  device: string,
  subject: nullable(string),
  bed: nullable(string),
  unit: nullable(string),
  state: oneOf("DeviceStanding", "streaming", "silent", "quarantining", "standby"),
  clock: oneOf("ClockStanding", "sound", "off", "unknown"),
  /** Estimated device clock offset: received minus device time; null while unknown. */
  clockOffsetMs: nullable(long),
  /** Since when it stands so, and what to know, in words. */
  since: logTime,
  detail: nullable(string),
});
export type DeviceState = TypeOf<typeof deviceState>;

/** A device left its subject: windows and episodes end. */
export const subjectEnded = body("subjectEnded", { subject: string, device: string, at: eventTime });
export type SubjectEnded = TypeOf<typeof subjectEnded>;

/** Aggregate of one metric over event time [start, start + lengthMs). */
export const windowAggregate = body("windowAggregate", {
  identity: string,
  /** 0 when first closed; a late measurement makes the next. */
  revision: int,
  subject: string,
  device: string,
  channel: string,
  metric: string,
  ucum: string,
  shape: oneOf("WindowShape", "tumbling", "rolling"),
  lengthMs: long,
  start: eventTime,
  count: int,
  min: double,
  mean: double,
  max: double,
  last: double,
  lastAt: eventTime,
  /** Share of the expected samples that were there, 0 to 1. */
  coverage: double,
  /** How many of `count` were questionable (QUES). */
  questionable: withDefault(int, 0),
});
export type WindowAggregate = TypeOf<typeof windowAggregate>;

export const episodePhase = oneOf("EpisodePhase", "start", "update", "end");

/** A stretch during which a rule holds. Emitted at its start and its end, with the same identity. */
export const episode = body("episode", {
  /** Hash of rule id, device, channel, metric and the first crossing sample's claimed time. */
  identity: string,
  revision: int,
  phase: episodePhase,
  subject: string,
  association: nullable(string),
  associationRevision: nullable(int),
  device: string,
  channel: string,
  metric: string,
  mdc: nullable(int),
  loinc: nullable(string),
  ucum: string,
  rule,
  rulesVersion: int,
  /** First and (so far) last crossing sample. */
  start: eventTime,
  end: nullable(eventTime),
  /** The sample with which the minimum duration was reached: what an Observation reports. */
  qualifyingValue: double,
  qualifyingAt: eventTime,
  qualifyingIdentity: string,
  qualifyingValidity: validity,
  /** Of the qualifying sample: how near an association's edge its time is ambiguous (clinical.md 8). */
  clockUncertaintyMs: withDefault(long, usualClockUncertaintyMs),
  /** Of the qualifying sample, where it is a blood pressure: the other pressures of the same measurement. */
  companions: withDefault(array(companion), []),
  extreme: double,
  min: double,
  max: double,
  mean: double,
  /** Crossing samples. */
  count: int,
  /** Why it ended: "cleared", "subject ended", "missing sample", "rule changed"; null while open. */
  ended: nullable(string),
  /** Of readings that were stored and came after later ones of their series had been judged: it was over then, and pages nobody as current. */
  late: withDefault(boolean, false),
});
export type Episode = TypeOf<typeof episode>;
