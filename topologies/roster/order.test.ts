/** It does not matter in which order ADT's messages arrive, nor how often: what holds in the end is the same. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AdtOf, ines, otto } from "../../schemas/hl7v2/adt.fixture.ts";
import { changesOf, type RosterBody } from "./changes.ts";
import { derive } from "./derive.ts";
import type { RosterEvent } from "./events.ts";
import { atA, atB, atC, eventOf, icu, linesOf, onWard, Ward } from "./ward.fixture.ts";

const ida = { number: "4711003", family: "Ohm", given: "Ida", birth: "20100101" };
const patients = fc.constantFrom(ines, otto, ida, { ...ines, visit: "V-2ND" });
const locations = fc.constantFrom(atA, atB, atC, onWard);
const times = fc
  .integer({ min: 8 * 60, max: 12 * 60 })
  .map((m) => `${String(Math.floor(m / 60)).padStart(2, "0")}${String(m % 60).padStart(2, "0")}`);
const events = fc.constantFrom(
  "A01",
  "A02",
  "A03",
  "A04",
  "A06",
  "A08",
  "A11",
  "A12",
  "A13",
  "A17",
  "A40",
  "A42",
  "A45",
);

const messages: fc.Arbitrary<RosterEvent[]> = fc
  .array(
    fc.record({
      event: events,
      patient: patients,
      other: patients,
      location: locations,
      elsewhere: locations,
      occurred: times,
      late: times,
    }),
    {
      maxLength: 14,
    },
  )
  .map((all) =>
    all.map(({ event, patient, other, location, elsewhere, occurred, late }, n) => {
      const message: AdtOf = {
        event,
        patient: { visit: `V-${patient.number}`, ...patient },
        location,
        occurred,
        recorded: late,
        controlId: `m${n}`,
      };
      if (event === "A17") return eventOf({ ...message, other: { patient: other, location: elsewhere } });
      return eventOf(
        event === "A40" || event === "A42" || event === "A45"
          ? { ...message, prior: { visit: "V-OLD", ...other } }
          : message,
      );
    }),
  );

/** As the service goes: one after the other, telling each difference. What is in force in the log at the end, but for revision and cause. */
const heldInLog = (arriving: readonly RosterEvent[]): unknown => {
  const told = new Map<string, RosterBody>();
  const heard: RosterEvent[] = [];
  for (const event of arriving) {
    heard.push(event);
    for (const { id, body } of changesOf(derive(heard, icu), told, "")) told.set(id, body);
  }
  return [...told]
    .filter(([, body]) => body.kind === "association" && !body.voided)
    .map(([id, body]) => [id, { ...body, revision: 0, mergedFrom: null }])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
};

describe("ADT messages", () => {
  it("in any order, each as often as one likes, leave the same roster", () => {
    fc.assert(
      fc.property(
        messages.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })),
        ),
        ([all, shuffled]) => {
          const view = derive(all, icu);
          expect(derive(shuffled, icu)).toEqual(view);
          expect(heldInLog(shuffled)).toEqual(heldInLog(all));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("would not, if they counted from when they came: the property finds it", () => {
    const asTheyCame = (all: readonly RosterEvent[]) =>
      linesOf(
        derive(
          all.map((event, n) => ({ ...event, occurredMs: n })),
          icu,
        ),
      ).map((line) => line.replace(/\d\d:\d\d/g, ""));
    const property = fc.property(messages, (all) => {
      expect(asTheyCame(all.toReversed())).toEqual(asTheyCame(all));
    });
    expect(fc.check(property).failed).toBe(true);
  });

  it("never leave two clear links of one device at one time, nor a link that ends before it begins", () => {
    fc.assert(
      fc.property(messages, (all) => {
        const { links } = derive(all, icu);
        for (const link of links)
          expect(link.toMs === null || link.toMs > link.fromMs, linesOf(derive(all, icu)).join("\n")).toBe(true);
        const clear = links.filter(({ conflicts }) => conflicts.length === 0);
        for (const a of clear)
          for (const b of clear)
            if (a.id !== b.id && a.device === b.device) {
              const apart = (a.toMs ?? Infinity) <= b.fromMs || (b.toMs ?? Infinity) <= a.fromMs;
              expect(apart, linesOf(derive(all, icu)).join("\n")).toBe(true);
            }
        expect(new Set(links.map(({ id }) => id)).size).toBe(links.length);
      }),
      { numRuns: 1000 },
    );
  });

  it("with a person's word among them: it is moved by none, whenever they come", () => {
    const ward = new Ward().hears({ event: "A01", patient: ines, location: atA, occurred: "0800", controlId: "1" });
    ward.confirms("08:30", "mon-a");
    const person = ward.events.slice(1);
    fc.assert(
      fc.property(messages, (all) => {
        const { links } = derive([...ward.events, ...all], icu);
        expect(derive([...all, ...person, ...ward.events], icu).links).toEqual(links);
        const own = links.find(({ confirmedBy }) => confirmedBy === "nurse-4");
        expect(own).toMatchObject({ fromMs: ward.link("mon-a").fromMs, device: "mon-a", bed: "A" });
      }),
      { numRuns: 1000 },
    );
  });
});
