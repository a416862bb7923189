/** People and ADT at random: whatever they say, in the end each device's time is told once, and what the log holds is what holds. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ines, otto } from "../../schemas/hl7v2/adt.fixture.ts";
import type { ActRequest } from "./acts.ts";
import { patientKeyOf } from "./base.ts";
import { atA, atB, eventOf, icu, linesOf, naming, onWard, Ward } from "./ward.fixture.ts";

const clockText = (minutes: number): string =>
  `${String(8 + Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const keys = [ines, otto].map(({ number }) => patientKeyOf(naming.secret, "urn:oid:1.2.276.1", number));

const step = fc.record({
  what: fc.constantFrom(
    "A01",
    "A02",
    "A03",
    "A11",
    "A12",
    "A13",
    "A17",
    "A40",
    "bind",
    "place",
    "confirm",
    "unbind",
    "wrong",
    "interruption",
  ),
  who: fc.nat(1),
  device: fc.constantFrom("mon-a", "mon-b", "pump-1"),
  bed: fc.constantFrom("A", "B"),
  location: fc.constantFrom(atA, atB, onWard),
  /** Minutes that it occurred before it was said. */
  late: fc.constantFrom(0, 0, 0, 5, 30),
  pick: fc.nat(20),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const play = (steps: readonly Step[]): Ward => {
  const ward = new Ward({ ...icu });
  steps.forEach(({ what, who, device, bed, location, late, pick }, n) => {
    const minute = 60 + 3 * n;
    const [now, at] = [clockText(minute), clockText(minute - late)];
    const patient = who === 0 ? ines : otto;
    const other = who === 0 ? otto : ines;
    if (what.startsWith("A")) {
      const [occurred, recorded] = [at.replace(":", ""), now.replace(":", "")];
      const message = { event: what, patient, location, occurred, recorded, controlId: `m${n}` };
      if (what === "A17") ward.take(eventOf({ ...message, other: { patient: other, location: atA } }));
      else ward.take(eventOf(what === "A40" ? { ...message, prior: other } : message));
      return;
    }
    const links = ward.view.links;
    const link = links[pick % Math.max(1, links.length)]?.id;
    ward.says(now, { act: what as ActRequest["act"], device, patient: keys[who], bed, link, at, by: `nurse-${who}` });
  });
  return ward;
};

describe("people and ADT, whatever they say", () => {
  it("leave each device one clear link at a time, and in the log exactly what holds", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const ward = play(steps);
        const said = linesOf(ward.view).join("\n");
        const { links, wanted } = ward.view;
        expect(new Set(links.map(({ id }) => id)).size, said).toBe(links.length);
        for (const { fromMs, toMs } of links) expect(toMs === null || toMs > fromMs, said).toBe(true);
        for (const a of links)
          for (const b of links) {
            if (a === b || a.device !== b.device || a.conflicts.length > 0 || b.conflicts.length > 0) continue;
            expect((a.toMs ?? Infinity) <= b.fromMs || (b.toMs ?? Infinity) <= a.fromMs, said).toBe(true);
          }
        const standing = [...ward.told].filter(([, body]) => body.kind === "association" && !body.voided);
        expect(standing.map(([id]) => id).toSorted()).toEqual(
          wanted.flatMap(({ id, body }) => (body.kind === "association" ? [id] : [])).toSorted(),
        );
        for (const { body } of ward.records)
          if (body.kind === "association")
            expect(body.revision, body.id).toBe(ward.revisions(body.id).indexOf(body) + 1);
      }),
      { numRuns: 400 },
    );
  });

  it("never have a link that is valid without a person's name and time, nor one confirmed by ADT", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        for (const { body } of play(steps).records)
          if (body.kind === "association") {
            expect(body.confirmedBy === null).toBe(body.confirmedAt === null);
            expect(body.confirmedBy ?? "nurse-").toMatch(/^nurse-/);
          }
      }),
      { numRuns: 100 },
    );
  });
});
