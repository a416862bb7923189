/** A link that turns out to have ended inside an episode: the first part stays with whose it was, and what told of more is mended (clinical.md 10). */
import { describe, expect, it } from "vitest";
import { aConsent, anAssociation, anEpisode, ended, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import { utcInstant } from "../schemas/fhir/instant.ts";
import type { Candidate } from "../schemas/records/clinical.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { candidates } from "./candidates.ts";
import { candidateOf, foldable, resourceOf, ward, withheld } from "./gates.fixture.ts";

const inside = two + minutes(7);
const another = (change: Partial<Association> = {}): Association =>
  anAssociation({ id: "link-8", subject: "subject-8", patientKey: "pk-8", from: inside, ...change });
const left = anAssociation({ revision: 2, to: inside });
const start = anEpisode();
const end = ended(start);

/** What each patient was offered last. */
const offered = (...said: readonly (Association | Episode)[]): ReadonlyMap<string, Candidate> => {
  const driver = drive(candidates);
  for (const [i, body] of said.entries()) driver.send("subject-7", two + 1_000 * i, body);
  return new Map(
    driver.outputs("events").flatMap(({ body }) => (body.kind === "candidate" ? [[body.patientKey, body]] : [])),
  );
};

describe("the first part", () => {
  it("is what was known when the episode qualified, over with the sample that is told; who came next is told of the whole", () => {
    const told = offered(anAssociation(), start, end, another(), left);
    const { min, max, mean, count, qualifyingAt } = start;
    expect(told.get("pk-7")).toMatchObject({
      cut: true,
      alongside: [],
      correction: { why: "link", otherPatientKey: "pk-8" },
      episode: { revision: 1, phase: "end", end: qualifyingAt, ended: "subject ended", min, max, mean, count },
    });
    const whole = offered(anAssociation(), start, end, left, another()).get("pk-8");
    expect(whole).toMatchObject({ cut: false, episode: { end: end.end }, alongside: [{ id: "link-7" }] });
  });

  it("is his too where nobody came next, where a power cycle ended it, and where the end is heard only afterwards", () => {
    const interrupted = { what: "powerCycle", from: null, at: eventTime(inside) } as const;
    expect(offered(anAssociation(), start, end, left).get("pk-7")).toMatchObject({ cut: true });
    expect(offered(anAssociation(), start, end, anAssociation({ interrupted, telling: 1 })).get("pk-7")).toMatchObject({
      cut: true,
    });
    expect(offered(anAssociation(), start, left, end).get("pk-7")).toMatchObject({ cut: true, correction: null });
  });

  it("is his where another link of his own goes on that nobody confirmed, and the whole where somebody did", () => {
    const goesOn = (confirmedBy: string | null): Association =>
      anAssociation({ id: "link-9", from: inside, confirmedBy, confirmedAt: confirmedBy === null ? null : inside });
    expect(offered(anAssociation(), start, left, goesOn(null), end).get("pk-7")).toMatchObject({ cut: true });
    expect(offered(anAssociation(), start, left, goesOn("Nurse B"), end).get("pk-7")).toMatchObject({ cut: false });
  });

  it("is what goes on in the record of before a merge, too", () => {
    const merged = anAssociation({ revision: 2, patientKey: "pk-1", mergedFrom: "pk-7" });
    const told = offered(
      anAssociation(),
      start,
      end,
      merged,
      another(),
      anAssociation({ ...merged, revision: 3, to: inside }),
    );
    for (const patientKey of ["pk-7", "pk-1"]) expect(told.get(patientKey)).toMatchObject({ cut: true });
  });

  it("is nobody's where the link ended before it qualified, or where it is not known how the episode began", () => {
    const early = anAssociation({ revision: 2, to: start.qualifyingAt - 1_000 });
    expect(offered(anAssociation(), start, end, early).get("pk-7")).toMatchObject({ cut: false });
    expect(offered(anAssociation(), end, left).get("pk-7")).toMatchObject({ cut: false });
  });

  it("is the whole again when the link turns out to have held; an end that comes as it should is no correction", () => {
    const again = anAssociation({ revision: 3 });
    expect(offered(anAssociation(), start, end, left, again).get("pk-7")).toMatchObject({
      cut: false,
      episode: { end: end.end },
    });
    expect(offered(anAssociation(), start, end).get("pk-7")).toMatchObject({ cut: false, correction: null });
  });
});

describe("what stands at the patient whose link had ended", () => {
  const cut = offered(anAssociation(), start, end, another(), left).get("pk-7") as Candidate;
  const whole = (episode: Episode): Candidate => ({
    ...cut,
    episode,
    cut: false,
    association: anAssociation(),
    correction: null,
  });
  const course = (intent: Parameters<typeof resourceOf>[0]) =>
    JSON.parse(intent?.resource ?? "{}").component.at(-1).valuePeriod.end;

  it("and told of the whole is amended to the first part; both care teams and privacy are told how long it was seen", () => {
    const { hears, intents, tasks } = ward();
    hears(whole(start));
    hears(whole(end));
    hears(cut, minutes(20));
    const [, full, amended, ...more] = intents();
    expect(more).toEqual([]);
    expect(course(full)).toBe(utcInstant(end.end ?? 0));
    expect(amended).toMatchObject({ action: "write", resourceId: full?.resourceId });
    expect(resourceOf(amended)).toMatchObject({ status: "amended" });
    expect(course(amended)).toBe(utcInstant(start.qualifyingAt));
    expect(tasks().map(({ audience, reason, patientKey }) => [audience, reason, patientKey])).toEqual([
      ["careTeam", "association-corrected", "pk-7"],
      ["careTeam", "association-corrected", "pk-8"],
      ["privacy", "possible-breach", "pk-8"],
    ]);
    expect(tasks()[0]?.detail).toContain("told also of what was measured of another and is amended");
  });

  it("is amended once, however often it is offered, and told whole again when the link held after all", () => {
    const { hears, intents, tasks, driver } = ward();
    hears(whole(end));
    hears(cut);
    driver.restart();
    hears(cut);
    expect([intents().length, tasks().length]).toEqual([2, 3]);
    const correction = { why: "link", cause: "association link-7 revision 3", otherPatientKey: null } as const;
    hears({ ...whole(end), correction });
    expect(course(intents().at(-1))).toBe(utcInstant(end.end ?? 0));
    expect(intents()).toHaveLength(3);
  });

  it("and told of its start alone told of nobody else: the first part is written, and nobody has to look", () => {
    const { hears, intents, tasks } = ward();
    hears(whole(start));
    hears({ ...cut, correction: null });
    expect(intents()).toHaveLength(2);
    expect(tasks()).toEqual([]);
  });

  it("and told of its start twice, or of its end in vain, told of nobody else either", () => {
    const twice = ward();
    const revised = { ...start, revision: 1 };
    for (const episode of [start, revised]) twice.hears(whole(episode));
    twice.hears({ ...cut, episode: { ...cut.episode, revision: 2 } });
    expect([twice.intents().length, twice.tasks()]).toEqual([3, []]);
    const inVain = ward();
    inVain.hears(whole(start));
    inVain.hears(whole(end));
    inVain.hears(withheld(inVain.intents().at(-1)?.revision ?? 0));
    inVain.hears(cut);
    expect([course(inVain.intents().at(-1)), inVain.tasks()]).toEqual([utcInstant(start.qualifyingAt), []]);
  });

  it("and was folded into another leaves no trace of more than its first part in what that one tells", () => {
    const { hears, intents, driver } = ward();
    for (const n of [0, 1]) hears(candidateOf(ended(foldable(n))));
    const third = foldable(2);
    const extreme = { max: 199, extreme: 199 };
    hears(candidateOf(ended(third, extreme)));
    const firstPart = { ...candidateOf(third), cut: true, correction: cut.correction };
    hears({ ...firstPart, episode: { ...third, revision: 1, phase: "end", end: third.qualifyingAt } });
    hears(candidateOf(foldable(3)));
    driver.tick(two + minutes(60 * 14));
    expect(resourceOf(intents().at(-1))?.note?.[0]?.text).toContain(`2 further episodes so far`);
    expect(resourceOf(intents().at(-1))?.note?.[0]?.text).not.toContain("199");
  });

  it("is entered in error where the first part may not be told any more", () => {
    const { hears, intents, tasks } = ward();
    hears(whole(end));
    hears(aConsent({ version: 2, decision: "deny", recordedAt: two + minutes(6) }));
    hears(cut);
    expect(intents().map(({ action }) => action)).toEqual(["write", "retract"]);
    expect(tasks()).toHaveLength(3);
  });
});
