/** What was closed is not derived again, and what holds is the same as if it were: whatever is told, in whatever order, by ADT and by people. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AdtOf, ines } from "../../schemas/hl7v2/adt.fixture.ts";
import { judgeAct } from "./acts.ts";
import { patientKeyOf } from "./base.ts";
import { derive, type RosterView } from "./derive.ts";
import type { RosterEvent } from "./events.ts";
import { RosterHistory } from "./history.ts";
import { atA, atB, atC, authorities, clock, eventOf, icu, naming, onWard } from "./ward.fixture.ts";

const minute = 60_000;
const persons = Array.from({ length: 16 }, (_, n) => ({
  ...ines,
  number: `47${n}`,
  given: `P${n}`,
  visit: `V-${n}`,
}));
const person = fc.constantFrom(...persons);
const location = fc.constantFrom(atA, atB, atC, onWard);
const usual = ["A01", "A01", "A02", "A03", "A03", "A03", "A04", "A08"];
const step = fc.record({
  event: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...usual) },
    { weight: 5, arbitrary: fc.constantFrom("confirm", "bind", "unbind", "wrong", "place", "interruption") },
    { weight: 1, arbitrary: fc.constantFrom("A11", "A12", "A13", "A17", "A40", "A42", "A45") },
  ),
  patient: person,
  other: person,
  location,
  elsewhere: location,
  /** Minutes since the one before. */
  after: fc.constantFrom(0, 1, 5, 20, 90),
  /** How much later it is told than it occurred, in minutes. */
  late: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(7, 45, 120) }),
  device: fc.constantFrom("mon-a", "mon-b", "pump-1"),
  pick: fc.nat({ max: 5 }),
  /** Whoever goes is somebody who is there. */
  leaves: fc.constantFrom(true, true, true, false),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const dtm = (ms: number): string => `${new Date(ms).toISOString().replace(/\D/g, "").slice(0, 14)}+0000`;

const eventFor = (told: Step, n: number, nowMs: number, view: RosterView): RosterEvent | undefined => {
  const { event, other, location, elsewhere, late, device, pick, leaves } = told;
  const here = view.stays.filter(({ toMs }) => toMs === null);
  const leaving = persons.find(({ number }) => keyOf(number) === here[pick % Math.max(1, here.length)]?.patient);
  const patient = leaves && ["A02", "A03", "A08"].includes(event) ? (leaving ?? told.patient) : told.patient;
  const atMs = nowMs - late * minute;
  if (event.startsWith("A")) {
    const of: AdtOf = { event, patient, location, occurred: dtm(atMs), recorded: dtm(nowMs), controlId: `m${n}` };
    if (event === "A17") return eventOf({ ...of, other: { patient: other, location: elsewhere } });
    return eventOf(["A40", "A42", "A45"].includes(event) ? { ...of, prior: other } : of);
  }
  const keys = [...new Set(view.stays.map(({ patientKey }) => patientKey))];
  const link = view.links[pick % Math.max(1, view.links.length)];
  const act = event as "confirm" | "bind" | "unbind" | "wrong" | "place" | "interruption";
  const bed = ["A", "B", "C"][pick % 3];
  const asked = {
    act,
    by: "nurse-4",
    because: "seen",
    device,
    bed,
    atMs,
    link: link?.id,
    patient: keys[pick % Math.max(1, keys.length)],
  };
  const judged = judgeAct(asked, { view, base: icu, nowMs, id: `act/${n}` });
  return judged.ok ? judged.value : undefined;
};

const keyOf = (number: string): string => patientKeyOf(naming.secret, authorities[0]?.system ?? "", number);
const byId = <T extends { readonly id: string }>(all: readonly T[]): readonly T[] =>
  all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
const comparable = (view: RosterView): unknown => ({
  wanted: byId(view.wanted),
  links: byId(view.links),
  stays: view.stays.map((stay) => JSON.stringify(stay)).toSorted(),
  problems: view.problems.map((problem) => JSON.stringify(problem)).toSorted(),
});

describe("closed stories", () => {
  it("leave what they would if all were derived anew", () => {
    let [closed, kept, all] = [0, 0, 0];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, minLength: 20 }), fc.constantFrom(0, 10, 60), (steps, horizonMin) => {
        let nowMs = clock("08:00");
        let history = RosterHistory.of([], icu, nowMs - horizonMin * minute);
        let view = derive([], icu);
        steps.forEach((told, n) => {
          nowMs += told.after * minute;
          const event = eventFor(told, n, nowMs, view);
          if (event === undefined) return;
          history = history.after([event], nowMs - horizonMin * minute, 1);
          view = derive(history.events, icu);
          expect(comparable(history.view)).toEqual(comparable(view));
          all++;
          closed += history.closed.links.length > 0 ? 1 : 0;
          kept += history.whole ? 0 : 1;
        });
      }),
      { numRuns: Number(process.env["FOLD_RUNS"] ?? 200) },
    );
    // else it would have shown nothing
    expect(closed / all).toBeGreaterThan(0.1);
    expect(kept / all).toBeGreaterThan(0.2);
  });
});
