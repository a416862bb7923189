/** The recorded BIDMC patients, each with one monitor: with a precedence policy in force the same reaches the chart as without one. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { MetricName } from "../../schemas/terminology.ts";
import { readNumerics, type Recording, recordingsIn } from "../../streams/sim/recordings/catalogue.ts";
import { noRecordings, recordingsFolder, skipped } from "../../streams/sim/recordings/recordings.fixture.ts";
import { approveForDemo, parseRules } from "../../topologies/rules.ts";
import { onePatient, t0 } from "./one-patient.ts";

/** The plain profile's limits, each with a second to last: as many episodes as these patients can give. */
const plain = parseRules(readFileSync(new URL("../profiles/plain.json", import.meta.url), "utf8"), {
  allowPlain: true,
});
if (!plain.ok) throw new Error(plain.problem.detail);
const eager = plain.value.map((rule) => ({ ...rule, plain: false, minimumMs: 1_000, clearMs: 1_000 }));
const approved = approveForDemo(eager, t0 - 3_600_000);

const channels: Readonly<Record<string, readonly [MetricName, string]>> = {
  HR: ["heartRate", "ecg"],
  PULSE: ["pulseRate", "spo2"],
  RESP: ["respiratoryRate", "resp"],
  SpO2: ["spo2", "spo2"],
};

/** What was decided of each episode, without the answer of the gate `precedence`; and those answers. */
const play = (recording: Recording, policies: boolean) => {
  const { say, tick, decided } = onePatient({ rules: approved, policies });
  for (const { offsetMs, values } of readNumerics(recordingsFolder, recording).rows) {
    const at = t0 + offsetMs;
    for (const [column, text] of values) {
      const known = channels[column];
      const value = Number(text);
      if (known === undefined || Number.isNaN(value)) continue;
      say(known[0], known[1], at, value, { validity: value === 0 ? "indeterminate" : "valid" });
    }
    tick(at + 1_000);
  }
  const all = decided();
  return {
    decisions: all.map((d) => ({ ...d, answers: d.answers.filter(({ gate }) => gate !== "precedence") })),
    precedence: all.flatMap(({ answers }) => answers.filter(({ gate }) => gate === "precedence")),
  };
};

/** Every fourth, for the time that all of them take. */
const recordings = noRecordings ? [] : recordingsIn(recordingsFolder, ["bidmc"]).filter((_, i) => i % 4 === 0);

describe.skipIf(noRecordings)(`patients with one source${skipped}`, () => {
  let promoted = 0;
  it.each(recordings.map((recording) => [recording.record, recording] as const))("%s", (_, recording) => {
    const [one, other] = [play(recording, true), play(recording, false)];
    expect(one.decisions).toEqual(other.decisions);
    expect(one.precedence).toHaveLength(one.decisions.length);
    expect(one.precedence.filter(({ passed }) => !passed)).toEqual([]);
    expect(other.precedence).toEqual([]);
    promoted += one.decisions.filter((d) => d.promoted).length;
  });

  it("of whom some have episodes that are written", () => {
    expect(promoted).toBeGreaterThan(20);
  });
});
