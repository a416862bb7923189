/** The recorded BIDMC patients through `thresholds` with the plain profile: exactly the range and ==0 rows of the truth table EVENTS.csv. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Episode } from "../schemas/records/telemetry.ts";
import { eventTime, logTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { readNumerics, type Recording, recordingsIn } from "../streams/sim/recordings/catalogue.ts";
import { noRecordings, recordingsFolder, skipped } from "../streams/sim/recordings/recordings.fixture.ts";
import { readTruth, type TruthRow } from "../streams/sim/recordings/truth.ts";
import { parseRules } from "./rules.ts";
import { thresholds } from "./thresholds.ts";

const t0 = 1_800_000_000_000;

const channels: Readonly<Record<string, readonly [Parameters<typeof measured>[0], string]>> = {
  HR: ["heartRate", "ecg"],
  PULSE: ["pulseRate", "spo2"],
  RESP: ["respiratoryRate", "resp"],
  SpO2: ["spo2", "spo2"],
};
const plain = parseRules(readFileSync(new URL("../test/profiles/plain.json", import.meta.url), "utf8"), {
  allowPlain: true,
});

const play = (recording: Recording): TruthRow[] => {
  const { record } = recording;
  const d = drive(thresholds);
  const rules = plain.ok ? plain.value : [];
  d.send("", t0, { kind: "rules", version: 1, effectiveFrom: logTime(t0), rules });
  const { rows } = readNumerics(recordingsFolder, recording);
  for (const { offsetMs, values } of rows) {
    const at = t0 + offsetMs;
    for (const [column, text] of values) {
      const [metric, channel] = channels[column] ?? ["heartRate", "ecg"];
      const value = Number(text);
      if (Number.isNaN(value)) continue;
      const validity = value === 0 ? "indeterminate" : "valid";
      d.send(record, at + 50, measured(metric, at, value, { device: record, channel, validity }));
    }
    d.tick(at + 1_000);
  }
  const at = eventTime(t0 + rows.length * 1_000);
  d.send(record, at, { kind: "subjectEnded", subject: record, device: record, at });
  return d
    .outputs("episodes")
    .flatMap(({ body }) => (body.kind === "episode" && body.phase === "end" ? [rowOf(record, body)] : []));
};

const symbol: Readonly<Record<string, string>> = { above: ">", below: "<", equals: "==" };

const rowOf = (record: string, { metric, rule, start, end, count, extreme }: Episode): TruthRow => ({
  record,
  channel: Object.keys(channels).find((name) => channels[name]?.[0] === metric) ?? metric,
  rule: `${symbol[rule.when]}${rule.limit}`,
  startMs: start - t0,
  endMs: (end ?? Number.NaN) - t0,
  samples: count,
  extreme,
});

const recordings = noRecordings ? [] : recordingsIn(recordingsFolder, ["bidmc"]);
const isLimit = ({ channel, rule }: TruthRow): boolean => Object.hasOwn(channels, channel) && /^(<|>|==)/.test(rule);
const truth = noRecordings ? [] : readTruth(recordingsFolder).filter(isLimit);
const sorted = (rows: readonly TruthRow[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

describe.skipIf(noRecordings)(`the recorded patients${skipped}`, () => {
  it("are all there", () => {
    expect(recordings).toHaveLength(28);
    expect(truth.filter(({ record }) => record.startsWith("bidmc")).length).toBeGreaterThan(100);
  });

  it.each(recordings.map((recording) => [recording.record, recording] as const))("%s", (record, recording) => {
    expect(sorted(play(recording))).toEqual(sorted(truth.filter((row) => row.record === record)));
  });
});
