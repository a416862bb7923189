/** The same days told in ADT messages to the real registry, with links that nurses confirm: what stands is of him who lay there. */
import { describe, expect, it } from "vitest";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { byAdt } from "./adt-registry.ts";
import { newest, standing, trulyOf } from "./chart.ts";
import { dayOf } from "./hospital-day.ts";
import { play } from "./play.ts";
import { staysOf } from "./stays.ts";

const seeds = Array.from({ length: Number(process.env["DAY_SEEDS"] ?? 12) }, (_, i) => i + 1);

describe("a day told by ADT, and confirmed at the bedside", { timeout: 120_000 }, () => {
  const seen = { standing: 0, retracted: 0, visibleMs: 0 };

  it.each(seeds)("seed %i: nothing stands at a patient who was not there", (seed) => {
    const day = dayOf(seed);
    const stays = staysOf(day.truth);
    const telling = byAdt(day);
    const played = play(seed, day, telling, { merged: "leave", byIdentifier: true });
    const wrong = standing(played).flatMap(({ identity, patientKey }) => {
      const episode = played.episodes.get(identity) as Episode;
      const truly = trulyOf(stays, day, episode);
      const person = telling.personOf.get(patientKey);
      return truly !== undefined && truly === person ? [] : [{ identity, device: episode.device, person, truly }];
    });
    expect(wrong).toEqual([]);
    seen.standing += standing(played).length;
    seen.retracted += newest(played).filter(({ action }) => action === "retract").length;
    for (const { audience, visibleMs } of played.tasks) seen.visibleMs += audience === "privacy" ? (visibleMs ?? 0) : 0;
  });

  it("had something to stand and something to take back", () => {
    process.stdout.write(
      `${seeds.length} days by ADT: ${seen.standing} stand, ${seen.retracted} are retracted, visible for ${Math.round(seen.visibleMs / 60_000)} min\n`,
    );
    expect(seen.standing).toBeGreaterThan(seeds.length * 10);
    expect(seen.retracted).toBeGreaterThan(0);
  });
});
