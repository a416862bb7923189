import { describe, expect, it } from "vitest";
import { anAssociation, anEpisode, ended, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import type { Candidate } from "../schemas/records/clinical.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { drive } from "../streams/sim/drive.ts";
import { candidates } from "./candidates.ts";

const ward = () => {
  const driver = drive(candidates);
  let at = two;
  return {
    driver,
    hears: (...said: readonly (Association | Episode)[]): readonly Candidate[] => {
      const before = driver.outputs("events").length;
      for (const body of said) {
        at += 1_000;
        driver.send("subject-7", at, body);
      }
      const after = driver.outputs("events").slice(before);
      return after.flatMap(({ key, body }) => {
        if (body.kind !== "candidate") throw new Error(body.kind);
        expect(body.patientKey).toBe(key);
        return [body];
      });
    },
    tick: (ms: number) => driver.tick(ms),
  };
};
/** Another patient's, of the same monitor. */
const another = (change: Partial<Association> = {}): Association =>
  anAssociation({ id: "link-8", subject: "subject-8", patientKey: "pk-8", ...change });
const facts = ({ patientKey, association, correction }: Candidate) => ({
  patientKey,
  link: association?.id ?? null,
  ...(correction && { why: correction.why, other: correction.otherPatientKey }),
});

describe("a link that turns out otherwise", () => {
  it("that was voided is told to whom it was offered, as it stands now, and to nobody else where nobody else's is known", () => {
    const { hears } = ward();
    hears(anAssociation(), anEpisode());
    const [told, ...more] = hears(anAssociation({ revision: 2, voided: true, cause: "ADT^A11 4711" }));
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      patientKey: "pk-7",
      association: { revision: 2, voided: true },
      correction: { why: "link", cause: "association link-7 revision 2: ADT^A11 4711", otherPatientKey: null },
      episode: { identity: anEpisode().identity },
    });
  });

  it("that ended before the episode and has a successor is told to both patients", () => {
    const { hears } = ward();
    hears(anAssociation(), anEpisode());
    expect(hears(another({ from: two + minutes(1) }))).toMatchObject([
      { patientKey: "pk-7", association: { id: "link-7" }, alongside: [{ id: "link-8" }] },
      { patientKey: "pk-8", association: { id: "link-8" }, correction: { otherPatientKey: "pk-7" } },
    ]);
    // Its end changes what the old patient is told, and nothing for the right one.
    expect(hears(anAssociation({ revision: 2, to: two + minutes(1) })).map(facts)).toEqual([
      { patientKey: "pk-7", link: "link-7", why: "link", other: "pk-8" },
    ]);
  });

  it("tells the later revisions of the episode to the right patient alone", () => {
    const { hears } = ward();
    hears(anAssociation(), anEpisode(), anAssociation({ revision: 2, voided: true }), another());
    expect(hears(ended(anEpisode()), ended(anEpisode(), { revision: 2 })).map(facts)).toEqual([
      // It ends later than it was told to him: once more for him too.
      { patientKey: "pk-7", link: "link-7", why: "link", other: "pk-8" },
      { patientKey: "pk-8", link: "link-8", why: "link", other: "pk-7" },
      { patientKey: "pk-8", link: "link-8", why: "link", other: "pk-7" },
    ]);
  });

  it("and back again tells both once more", () => {
    const { hears } = ward();
    hears(anAssociation(), anEpisode(), anAssociation({ revision: 2, voided: true }), another());
    expect(hears(another({ revision: 2, voided: true })).map(facts)).toEqual([
      { patientKey: "pk-8", link: "link-8", why: "link", other: "pk-7" },
      { patientKey: "pk-7", link: "link-7", why: "link", other: "pk-8" },
    ]);
    expect(hears(anAssociation({ revision: 3 })).map(facts)).toContainEqual({
      patientKey: "pk-7",
      link: "link-7",
      why: "link",
      other: "pk-8",
    });
  });

  it("inside the episode is told to both, each with the other's beside it", () => {
    const { hears } = ward();
    hears(anAssociation(), ended(anEpisode()));
    const inside = two + minutes(7);
    expect(hears(anAssociation({ revision: 2, to: inside }), another({ from: inside })).slice(-2)).toMatchObject([
      { patientKey: "pk-7", association: { id: "link-7" }, alongside: [{ id: "link-8" }] },
      { patientKey: "pk-8", association: { id: "link-8" }, alongside: [{ id: "link-7" }] },
    ]);
  });

  it("found for what was measured of nobody is offered to whom it was", () => {
    const { driver } = ward();
    const unlinked = anEpisode({ subject: "mon-07", association: null, associationRevision: null });
    driver.send("mon-07", two, unlinked);
    driver.send("mon-07", two + 1, anAssociation());
    expect(driver.outputs("events").map(({ key }) => key)).toEqual(["unassociated/mon-07", "pk-7"]);
  });
});

describe("a merge", () => {
  it("is told to the old record and to the survivor, and new episodes to the survivor alone", () => {
    const { hears } = ward();
    hears(anAssociation(), anEpisode());
    const merged = anAssociation({ revision: 2, patientKey: "pk-1", mergedFrom: "pk-7", cause: "ADT^A40 9" });
    expect(hears(merged).map(facts)).toEqual([
      { patientKey: "pk-7", link: "link-7", why: "merge", other: "pk-1" },
      { patientKey: "pk-1", link: "link-7", why: "merge", other: "pk-7" },
    ]);
    // What began before goes on for both: the destination's policy decides which of them is written.
    expect(hears(ended(anEpisode())).map(({ patientKey }) => patientKey)).toEqual(["pk-7", "pk-1"]);
    expect(hears(anEpisode({ identity: "b".repeat(32) })).map(facts)).toEqual([{ patientKey: "pk-1", link: "link-7" }]);
  });
});

describe("what changes nothing", () => {
  it("says nothing: a repeat, an older revision, an end long after, another device's link", () => {
    const { hears, driver } = ward();
    const known = anAssociation({ revision: 5 });
    hears(known, ended(anEpisode()));
    for (const said of [
      known,
      anAssociation({ revision: 4, voided: true }),
      anAssociation({ revision: 6, to: two + minutes(60) }),
      another({ device: "mon-08" }),
    ])
      expect(hears(said)).toEqual([]);
    driver.restart();
    expect(hears(known)).toEqual([]);
  });

  it("is forgotten a week after the episode was last heard of, and an open one is not", () => {
    const { hears, tick, driver } = ward();
    hears(anAssociation(), ended(anEpisode()), anEpisode({ identity: "c".repeat(32) }));
    for (const day of [1, 8]) tick(two + minutes(1440 * day));
    const cells = [...driver.stored().keys()]
      .filter((key) => key.startsWith("c\u0000"))
      .map((key) => key.split("\u0000")[2]);
    expect(cells).toEqual(["links", `offered/${"c".repeat(32)}`]);
    expect(hears(anAssociation({ revision: 2, voided: true })).map(({ episode }) => episode.identity)).toEqual([
      "c".repeat(32),
    ]);
  });
});
