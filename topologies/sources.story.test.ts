/** Stories of one patient through the whole topology: two sources of a pressure, and a patient who gets worse. */
import { describe, expect, it } from "vitest";
import { aRule } from "../schemas/fhir/clinical.fixture.ts";
import type { Rule } from "../schemas/records/broadcast.ts";
import type { Intent, Observed } from "../schemas/records/clinical.ts";
import type { MetricName } from "../schemas/terminology.ts";
import type { Body } from "../streams/core/topic.ts";
import { onePatient, t0 } from "../test/recorded/one-patient.ts";

const s = 1_000;
const min = 60 * s;

const low = (metric: MetricName, minimumMs: number): Rule =>
  aRule({
    ...{ id: `${metric.toLowerCase()}-low`, title: `${metric} below 90`, metric, ucum: "mm[Hg]", when: "below" },
    ...{ limit: 90, clear: 95, minimumMs, clearMs: 0 },
  });

const rules = [low("artSystolic", 10 * s), low("nibpSystolic", 0)];

describe("an arterial line and a cuff at one bed", () => {
  it("the cuff's low pressure is charted only when the line has been gone for a while; the alarms know of it at once", () => {
    const { say, tick, of, decided } = onePatient({ rules });
    const lineEndsAt = t0 + 10 * min;
    for (let at = t0; at < t0 + 20 * min; at += s) {
      if (at < lineEndsAt) say("artSystolic", "art", at, 118);
      // the cuff finds 82 at 5, 12 and 17 minutes, and 120 a minute after each
      const minute = (at - t0) / min;
      if ([5, 12, 17].includes(minute)) say("nibpSystolic", "nibp", at, 82, { periodMs: null });
      if ([6, 13, 18].includes(minute)) say("nibpSystolic", "nibp", at, 120, { periodMs: null });
      tick(at + s);
    }
    const starts = of("telemetry.episodes").filter(
      (body) => body.kind === "episode" && (body as { phase?: string }).phase === "start",
    );
    expect(starts).toHaveLength(3);
    const all = decided().map(({ metric, promoted, answers, revision }) => [
      metric,
      revision,
      promoted,
      answers.find(({ passed }) => !passed)?.reason ?? "passed",
    ]);
    expect(all).toEqual([
      ["nibpSystolic", 0, false, "source-not-preferred"],
      ["nibpSystolic", 1, false, "source-not-preferred"],
      ["nibpSystolic", 0, false, "source-not-preferred"],
      ["nibpSystolic", 1, false, "source-not-preferred"],
      ["nibpSystolic", 0, true, "passed"],
      ["nibpSystolic", 1, true, "passed"],
    ]);
    expect(of("clinical.decisions").filter(({ kind }) => kind === "sourceChosen")).toMatchObject([
      { reason: "previous-stale", source: "nibpSystolic/mon-07/nibp" },
    ]);
  });
});

describe("a patient who gets worse", () => {
  it("has his NEWS2 in the EHR, of the minutes of his monitor and of what his nurse said", () => {
    const { say, send, tick, of, decided } = onePatient({ rules });
    const said = (what: Observed["what"], value: string): void =>
      send("clinical.events", "pk-7", t0, {
        ...{ kind: "observed", patientKey: "pk-7", what, value, ucum: null, by: "nurse-4", at: t0 },
      } as Body);
    said("oxygen", "oxygen");
    said("consciousness", "A");
    said("spo2Scale", "1");
    said("pregnant", "no");
    for (let at = t0; at < t0 + 6 * min; at += s) {
      const worse = at >= t0 + 3 * min;
      say("respiratoryRate", "resp", at, worse ? 26 : 16);
      say("spo2", "spo2", at, worse ? 91 : 97);
      say("pulseRate", "spo2", at, worse ? 118 : 72);
      say("temperature", "temp", at, 37);
      if (at === t0) say("nibpSystolic", "nibp", at, 118, { periodMs: null });
      tick(at + s);
    }
    tick(t0 + 7 * min);
    tick(t0 + 7 * min + 10 * s);
    const totals = of("clinical.decisions").flatMap((body) =>
      body.kind === "news2" ? [(body as { total?: number | null }).total] : [],
    );
    expect(totals.at(0)).toBe(2);
    expect(totals.at(-1)).toBe(10);
    expect(decided()).toMatchObject([{ metric: "news2", promoted: true }]);
    const [intent] = of("clinical.outbox").filter((body): body is Intent => body.kind === "intent");
    expect(JSON.parse(intent?.resource ?? "{}").conclusion).toContain("NEWS2 10 (before it 2)");
  });
});
