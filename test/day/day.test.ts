/**
 * A day with 20 admissions, transfers, discharges, a merge, two swaps, a transfer that was called off, a wrong wristband and a backlog of
 * four hours: what stands in the chart at its end belongs to whoever lay there when it was measured (clinical.md 8, 9, 10).
 */
import { describe, expect, it } from "vitest";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { dayOf } from "./hospital-day.ts";
import { courseOf, newest, personsOf, standing, trulyOf } from "./chart.ts";
import { play } from "./play.ts";
import { believing, personOf } from "./registry.ts";
import { staysOf } from "./stays.ts";

const seeds = Array.from({ length: Number(process.env["DAY_SEEDS"] ?? 50) }, (_, i) => i + 1);

const minutesOf = (ms: number): number => Math.round(ms / 60_000);

describe("a day of movements, told late, wrongly and corrected", { timeout: 120_000 }, () => {
  const seen = {
    standing: 0,
    retracted: 0,
    reinstated: 0,
    straddling: 0,
    cut: 0,
    breaches: 0,
    visibleMs: 0,
    longestMs: 0,
  };

  it.each(seeds)("seed %i: what stands is of him who lay there, and nothing of his is missing", (seed) => {
    const day = dayOf(seed);
    expect(day.counts).toMatchObject({ admissions: 20, swaps: 2, cancelled: 1 });
    const stays = staysOf(day.truth);
    const played = play(seed, day, believing(day), { merged: "leave", checked: seed <= 2 });
    const now = standing(played);

    for (const intent of now) {
      const episode = played.episodes.get(intent.identity) as Episode;
      expect([intent.identity, personOf(intent.patientKey)]).toEqual([intent.identity, trulyOf(stays, day, episode)]);
      const resource = JSON.parse(intent.resource) as { subject: { reference: string }; status: string };
      expect(resource.subject.reference).toBe(`Patient/${intent.patientKey.replace("pk", "p")}`);
      expect(resource.status).not.toBe("entered-in-error");
      if (personsOf(stays, day, episode).size === 1) continue;
      const { min, max, mean, count, qualifyingAt } = played.begun.get(intent.identity) as Episode;
      expect(courseOf(intent)).toEqual([min, max, mean, count, utcInstant(qualifyingAt)]);
      seen.cut++;
    }
    const at = new Map(now.map(({ identity, patientKey }) => [identity, personOf(patientKey)]));
    expect(at.size).toBe(now.length);
    for (const [identity, episode] of played.episodes) {
      const truly = trulyOf(stays, day, episode);
      if (personsOf(stays, day, episode).size > 1) seen.straddling++;
      // Of him who was merged nothing stands twice; what neither record would take before stays out.
      if (truly !== day.merged) expect([identity, at.get(identity)]).toEqual([identity, truly]);
    }

    const wrong = newest(played).filter(({ action }) => action === "retract");
    for (const intent of wrong) {
      const episode = played.episodes.get(intent.identity) as Episode;
      expect(trulyOf(stays, day, episode)).not.toBe(personOf(intent.patientKey));
      expect(JSON.parse(intent.resource)).toMatchObject({ status: "entered-in-error" });
    }
    const breaches = played.tasks.filter(({ audience }) => audience === "privacy");
    const amended = played.tasks.filter(({ detail }) => detail.includes("told also of what was measured of another"));
    const retracted = played.intents.filter(({ action }) => action === "retract");
    expect(breaches).toHaveLength(retracted.length + amended.length);
    seen.standing += now.length;
    seen.retracted += wrong.length;
    seen.reinstated += breaches.length - wrong.length;
    seen.breaches += breaches.length;
    for (const { visibleMs } of breaches) {
      seen.visibleMs += visibleMs ?? 0;
      seen.longestMs = Math.max(seen.longestMs, visibleMs ?? 0);
    }
  });

  it("needed every kind of it: retractions, reinstatements, straddling episodes; the minutes of wrong visibility are printed", () => {
    process.stdout.write(
      `${seeds.length} days: ${seen.standing} stand, ${seen.retracted} are retracted, ${seen.reinstated} were and stand again, ` +
        `${seen.straddling} straddled a change, of ${seen.cut} the first part stands; wrong data was visible for ${minutesOf(seen.visibleMs)} min in ` +
        `${seen.breaches} Observations, the longest ${minutesOf(seen.longestMs)} min\n`,
    );
    expect(seen.standing).toBeGreaterThan(seeds.length * 50);
    expect(seen.retracted).toBeGreaterThan(seeds.length);
    expect(seen.reinstated).toBeGreaterThan(0);
    expect(seen.cut).toBeGreaterThan(0);
    expect(seen.straddling).toBeGreaterThan(seen.cut);
  });

  it("is the same where every link is told twice, and again at the end", () => {
    for (const seed of seeds.slice(0, 3)) {
      const day = dayOf(seed);
      const once = play(seed, day, believing(day), { merged: "leave" });
      const again = play(seed, day, believing(day), { repeats: true, merged: "leave" });
      expect(again.intents).toEqual(once.intents);
      expect(again.tasks).toEqual(once.tasks);
      expect(again.candidates).toBe(once.candidates);
    }
  });

  it("moves a merged patient's earlier events where the destination says so", () => {
    for (const seed of seeds.slice(0, 5)) {
      const day = dayOf(seed);
      const left = standing(play(seed, day, believing(day), { merged: "leave" }));
      const moved = standing(play(seed, day, believing(day), { merged: "move" }));
      expect(moved.filter(({ patientKey }) => patientKey.endsWith("-old"))).toEqual([]);
      expect(new Set(moved.map(({ identity }) => identity))).toEqual(
        new Set([...left, ...moved].map(({ identity }) => identity)),
      );
    }
  });
});
