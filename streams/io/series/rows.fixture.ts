/** Rows for the tests of the series stores: one bed's monitor, with what a test wants to be different. */
import type { Rule } from "../../../schemas/records/broadcast.ts";
import type { Episode, Measurement, WaveformChunk, WindowAggregate } from "../../../schemas/records/telemetry.ts";
import { contentHash } from "../../core/hash.ts";
import { deviceTime, eventTime, logTime, receivedTime } from "../../core/time.ts";
import type { Row, ValuedMeasurement } from "./series.ts";

export const startMs = Date.UTC(2026, 4, 1, 12);
const identityOf = (...parts: (string | number)[]): string => contentHash(...parts).slice(0, 32);
const row = <B>(body: B, atMs: number): Row<B> => ({ logTime: logTime(atMs + 150), body });

/** A heart rate `second` seconds after the start; its identity follows from the rest unless it is given. */
export const heartRate = (
  second: number,
  value: number,
  more: Partial<Measurement> & { value?: number } = {},
): Row<ValuedMeasurement> => {
  const at = startMs + second * 1000;
  const device = more.device ?? "monitor-01";
  return row(
    {
      kind: "measurement",
      identity: identityOf(device, second, value),
      subject: "s-01",
      association: "a-01",
      associationRevision: 0,
      device,
      channel: "ecg",
      metric: "heartRate",
      mdc: 147842,
      loinc: "8867-4",
      ucum: "/min",
      value,
      validity: "valid",
      evidence: null,
      deviceTime: deviceTime(at),
      receivedTime: receivedTime(at + 100),
      eventTime: eventTime(at),
      periodMs: 1000,
      clockUncertaintyMs: 2_000,
      companions: [],
      ordinal: 0,
      revision: 0,
      ...more,
    },
    at,
  );
};

/** `seconds` readings of 60 to 99 per minute, one a second. */
export const heartRates = (seconds: number, more: Partial<ValuedMeasurement> = {}): Row<ValuedMeasurement>[] =>
  Array.from({ length: seconds }, (_, second) => heartRate(second, 60 + (second % 40), more));

export const ecg = (second: number, samples: readonly number[]): Row<WaveformChunk> => {
  const at = startMs + second * 1000;
  return row(
    {
      kind: "waveformChunk",
      identity: identityOf("ecg", second),
      subject: "s-01",
      device: "monitor-01",
      channel: "ecg",
      metric: "ecgLeadII",
      mdc: 131330,
      ucum: "mV",
      rateHz: 250,
      gain: 200,
      baseline: 1024,
      samples,
      deviceTime: deviceTime(at),
      receivedTime: receivedTime(at + 100),
      eventTime: eventTime(at),
    },
    at,
  );
};

export const minute = (revision: number, mean: number): Row<WindowAggregate> =>
  row(
    {
      kind: "windowAggregate",
      identity: identityOf("minute"),
      revision,
      subject: "s-01",
      device: "monitor-01",
      channel: "ecg",
      metric: "heartRate",
      ucum: "/min",
      shape: "tumbling",
      lengthMs: 60_000,
      start: eventTime(startMs),
      count: 60,
      min: 60,
      mean,
      max: 99,
      last: 70,
      lastAt: eventTime(startMs + 59_000),
      coverage: 1,
      questionable: 0,
    },
    startMs + 62_000,
  );

const tachycardia: Rule = {
  id: "hr-high",
  version: 1,
  title: "Heart rate high",
  metric: "heartRate",
  ucum: "/min",
  when: "above",
  limit: 130,
  clear: 125,
  minimumMs: 10_000,
  clearMs: 10_000,
  priority: "high",
  critical: false,
  ageBand: "adult",
  units: [],
  ceilingPerDay: 6,
  plain: false,
  approval: null,
};

export const episode = (phase: "start" | "end", revision: number): Row<Episode> =>
  row(
    {
      kind: "episode",
      identity: identityOf("episode"),
      revision,
      phase,
      subject: "s-01",
      association: "a-01",
      associationRevision: 0,
      device: "monitor-01",
      channel: "ecg",
      metric: "heartRate",
      mdc: 147842,
      loinc: "8867-4",
      ucum: "/min",
      rule: tachycardia,
      rulesVersion: 1,
      start: eventTime(startMs),
      end: phase === "end" ? eventTime(startMs + 60_000) : null,
      qualifyingValue: 135,
      qualifyingAt: eventTime(startMs + 10_000),
      qualifyingIdentity: identityOf("qualifying"),
      qualifyingValidity: "valid",
      clockUncertaintyMs: 2_000,
      companions: [],
      extreme: 141,
      min: 131,
      max: 141,
      mean: 136,
      count: 60,
      ended: phase === "end" ? "cleared" : null,
      late: false,
    },
    startMs + 70_000,
  );
