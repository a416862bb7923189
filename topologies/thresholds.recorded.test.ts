/** The recorded BIDMC patients through `thresholds` with the plain profile: exactly the range and ==0 rows of the truth table EVENTS.csv. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Episode } from "../schemas/records.ts";
import { eventTime, logTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { parseRules } from "./rules.ts";
import { thresholds } from "./thresholds.ts";

const recordings = process.env["RECORDINGS"] ?? join(import.meta.dirname, "../../shared/data");
const missing = !existsSync(join(recordings, "EVENTS.csv"));
const t0 = 1_800_000_000_000;

const channels = [
  ["HR", "heartRate", "ecg"],
  ["PULSE", "pulseRate", "spo2"],
  ["RESP", "respiratoryRate", "resp"],
  ["SpO2", "spo2", "spo2"],
] as const;
const plain = parseRules(readFileSync(new URL("../test/profiles/plain.json", import.meta.url), "utf8"), {
  allowPlain: true,
});

const play = (record: string): string[] => {
  const d = drive(thresholds);
  const rules = plain.ok ? plain.value : [];
  d.send("", t0, { kind: "rules", version: 1, effectiveFrom: logTime(t0), rules });
  const rows = readFileSync(join(recordings, "bidmc_numerics", `${record}_Numerics.csv`), "utf8")
    .trim()
    .split("\n")
    .slice(1);
  rows.forEach((row, second) => {
    const at = t0 + second * 1_000;
    row
      .split(",")
      .slice(1)
      .forEach((text, i) => {
        const [, metric, channel] = channels[i] ?? channels[0];
        const value = Number(text);
        if (Number.isNaN(value)) return;
        const validity = value === 0 ? "indeterminate" : "valid";
        d.send(record, at + 50, measured(metric, at, value, { device: record, channel, validity }));
      });
    d.tick(at + 1_000);
  });
  const at = eventTime(t0 + rows.length * 1_000);
  d.send(record, at, { kind: "subjectEnded", subject: record, device: record, at });
  return d
    .outputs("episodes")
    .flatMap(({ body }) => (body.kind === "episode" && body.phase === "end" ? [rowOf(record, body)] : []));
};

const symbol: Readonly<Record<string, string>> = { above: ">", below: "<", equals: "==" };

const rowOf = (record: string, { metric, rule, start, end, count, extreme }: Episode): string => {
  const channel = channels.find(([, name]) => name === metric)?.[0];
  const seconds = (ms: number | null): number => ((ms ?? Number.NaN) - t0) / 1_000;
  return [record, channel, `${symbol[rule.when]}${rule.limit}`, seconds(start), seconds(end), count, extreme].join(",");
};

const records = missing
  ? []
  : readdirSync(join(recordings, "bidmc_numerics"))
      .filter((name) => name.endsWith("_Numerics.csv"))
      .map((name) => name.replace("_Numerics.csv", ""));
// The first time stamp of 13 records is the text "-0", and the table repeats it.
const truth = missing
  ? []
  : readFileSync(join(recordings, "EVENTS.csv"), "utf8").trim().replaceAll(",-0,", ",0,").split(/\r?\n/).slice(1);
const isLimit = (row: string): boolean => /^[^,]+,(HR|PULSE|RESP|SpO2),(<|>|==)/.test(row);

describe.skipIf(missing)(`the recorded patients${missing ? " (skipped: RECORDINGS has no EVENTS.csv)" : ""}`, () => {
  it("are all there", () => {
    expect(records).toHaveLength(28);
    expect(truth.filter((row) => row.startsWith("bidmc") && isLimit(row)).length).toBeGreaterThan(100);
  });

  it.each(records)("%s", (record) => {
    const expected = truth.filter((row) => row.startsWith(`${record},`) && isLimit(row));
    expect(play(record).sort()).toEqual(expected.sort());
  });
});
