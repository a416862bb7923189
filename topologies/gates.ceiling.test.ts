/** The ceiling of a rule at a bed on a day: what goes beyond it is folded, and told of in what stands. */
import { describe, expect, it } from "vitest";
import { aRule, ended, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { answerOf, candidateOf, foldable, resourceOf, ward } from "./gates.fixture.ts";

describe("the ceiling (clinical.md 22)", () => {
  const episodeAt = (n: number, day = 0): Episode =>
    foldable(n + 1440 * day, { identity: `${day}${n}`.padStart(32, "0"), qualifyingValue: 125 + n, max: 130 + n });
  const folding = () => {
    const { driver, intents, decisions } = ward();
    const play = (episode: Episode, at = episode.qualifyingAt + 1_000) => driver.send("pk-7", at, candidateOf(episode));
    return {
      driver,
      intents,
      decisions,
      play,
      /** Their ends, all told `minute` after 14:00. */
      end: (ns: readonly number[], minute = 13) => {
        for (const n of ns) play(ended(episodeAt(n)), two + minutes(minute));
      },
      written: () =>
        intents().map((intent) => {
          const note = resourceOf(intent)?.note?.[0]?.text ?? null;
          return { identity: intent.identity, revision: intent.revision, note };
        }),
    };
  };

  it("folds what goes beyond it into the day's last Observation, which says so once, and with the count when the day is over", () => {
    const { driver, play, written } = folding();
    for (const n of [0, 1, 2, 3, 4]) play(episodeAt(n));
    expect(written().map(({ identity, revision }) => [identity, revision])).toEqual([
      [episodeAt(0).identity, 0],
      [episodeAt(1).identity, 0],
      [episodeAt(1).identity, 1],
    ]);
    expect(written()[2]?.note).toContain("1 further episode so far since 2026-11-21T14:07:00.000Z (121 to 132 /min)");
    driver.restart();
    driver.tick(two + minutes(24 * 60));
    expect(written().at(-1)).toMatchObject({ identity: episodeAt(1).identity, revision: 2 });
    expect(written().at(-1)?.note).toContain(
      "3 further episodes so far since 2026-11-21T14:07:00.000Z (121 to 134 /min)",
    );
  });

  it("leaves a decision for each folded episode and counts it once, though it ends later", () => {
    const { driver, play, end, written, decisions } = folding();
    for (const n of [0, 1, 2]) play(episodeAt(n));
    end([2]);
    const folded = decisions().filter((d) => answerOf(d, "approvedThreshold")?.reason === "ceiling-folded");
    expect(folded.map(({ revision, promoted }) => [revision, promoted])).toEqual([
      [0, false],
      [1, false],
    ]);
    expect(written()).toHaveLength(3);
    driver.tick(two + minutes(24 * 60));
    expect(written()).toHaveLength(3);
  });

  it("lets the last one's own end go above the amendment, with the note kept", () => {
    const { play, end, written } = folding();
    for (const n of [0, 1, 2]) play(episodeAt(n));
    end([1]);
    expect(written().at(-1)).toMatchObject({ identity: episodeAt(1).identity, revision: 2 });
    expect(written().at(-1)?.note).toContain("1 further episode");
  });

  it("folds into the last one as it stands at its end, which is an amendment of what was final", () => {
    const { play, end, intents } = folding();
    for (const n of [0, 1]) play(episodeAt(n));
    end([1]);
    play(episodeAt(2));
    const last = intents().at(-1);
    expect(last).toMatchObject({ identity: episodeAt(1).identity, revision: 2 });
    const resource = resourceOf(last);
    expect(resource?.status).toBe("amended");
    expect(resource?.component[1]).toMatchObject({ valueQuantity: { value: 139 } });
  });

  it("begins anew each day and for each rule, and does not count what was refused", () => {
    const { play, written } = folding();
    for (const n of [0, 1]) play({ ...episodeAt(n), qualifyingValidity: "indeterminate" });
    for (const n of [2, 3]) play(episodeAt(n));
    play({ ...episodeAt(4), rule: aRule({ id: "hr-very-high", ceilingPerDay: 2 }) });
    play(episodeAt(5, 1));
    expect(written().map(({ identity }) => identity)).toEqual(
      [episodeAt(2), episodeAt(3), episodeAt(4), episodeAt(5, 1)].map(({ identity }) => identity),
    );
  });

  it("forgets a day after a week, and keeps only who the patient is and what he consents to", () => {
    const { driver, play, end } = folding();
    for (const n of [0, 1, 2, 3]) play(episodeAt(n));
    end([0, 1, 2, 3], 25);
    for (const day of [1, 9]) driver.tick(two + minutes(1440 * day));
    const cells = [...driver.stored().keys()].filter((key) => key.startsWith("c\u0000pk-7"));
    expect(cells.map((cell) => cell.split("\u0000")[2])).toEqual(["patient", "consent/consent-7"]);
  });
});
