/** The discipline that every destination has, against destinations that answer as a test says, in a time that passes at once. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Intent } from "../../../schemas/records/clinical.ts";
import { type ConsentCheck, refused, unsettled } from "./attempt.ts";
import {
  anIntent,
  away,
  entriesOf,
  never,
  scripted,
  sinkTo,
  took,
  untilWritten,
  VirtualTime,
  written,
} from "./outbox.fixture.ts";
import { pauseBefore } from "./pauses.ts";
import { nothingStands } from "./standing.ts";

const of = (patient: string, revision: number, change: Partial<Intent> = {}): Intent =>
  anIntent({ patientKey: patient, resourceId: `ep-${patient}`, revision, ...change });
const hourMs = 3_600_000;

describe("order and company", () => {
  it("keeps each patient's order whatever the destination's answers take, many patients beside each other", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ patient: fc.constantFrom("a", "b", "c", "d", "e", "f"), ms: fc.nat(500) }), {
          maxLength: 30,
        }),
        async (steps) => {
          const time = new VirtualTime();
          const revisions = new Map<string, number>();
          const intents = steps.map(({ patient }) => {
            const revision = revisions.get(patient) ?? 0;
            revisions.set(patient, revision + 1);
            return of(patient, revision);
          });
          let open = 0;
          let most = 0;
          const busy = new Set<string>();
          const { adapter, came } = scripted(async ({ patientKey }) => {
            expect(busy.has(patientKey)).toBe(false);
            busy.add(patientKey);
            most = Math.max(most, ++open);
            await time.sleep(steps[came.length - 1]?.ms ?? 0, never);
            open--;
            busy.delete(patientKey);
            return took;
          });
          const told = await written(sinkTo(adapter, { waiting: time }).sink, intents);
          expect(told).toEqual(intents.map((_, n) => `${n} written taken`));
          for (const patient of revisions.keys())
            expect(came.filter((one) => one.startsWith(`ep-${patient}/`))).toEqual(
              intents.filter((one) => one.patientKey === patient).map((one) => `ep-${patient}/${one.revision}`),
            );
          expect(most).toBeLessThanOrEqual(4);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("leaves other destinations' intents alone", async () => {
    const { adapter, came } = scripted(() => took);
    expect(await written(sinkTo(adapter).sink, [of("a", 0, { destination: "other" }), of("b", 0)])).toEqual([
      "1 written taken",
    ]);
    expect(came).toEqual(["ep-b/0"]);
  });
});

describe("a destination that is down for an hour", () => {
  it("gets each event once afterwards, in order, and is asked seldom meanwhile", async () => {
    const time = new VirtualTime();
    const kept: string[] = [];
    let asked = 0;
    const { adapter } = scripted((intent) => {
      if (time.now() < hourMs) {
        asked++;
        return away;
      }
      kept.push(`${intent.resourceId}/${intent.revision}`);
      return took;
    });
    const { sink, states } = sinkTo(adapter, { waiting: time });
    const intents = ["a", "b", "c"].flatMap((patient) => [0, 1, 2].map((revision) => of(patient, revision)));
    const told = await untilWritten(sink, intents);
    expect(told).toEqual(intents.map((_, n) => `${n} written taken`));
    expect(kept.toSorted()).toEqual(intents.map((one) => `${one.resourceId}/${one.revision}`));
    for (const patient of ["a", "b", "c"])
      expect(kept.filter((one) => one.startsWith(`ep-${patient}/`))).toEqual(
        [0, 1, 2].map((n) => `ep-${patient}/${n}`),
      );
    expect(asked).toBeLessThan(100);
    expect(states.at(-1)).toBe("up");
    expect(states).toContain("down");
    expect(time.now() - hourMs).toBeLessThan(61_000);
  });

  it("says so to whoever called it, with what it last heard, and says it otherwise where a person has to mend it", async () => {
    const down = sinkTo(scripted(() => away).adapter).sink;
    await expect(written(down, [of("a", 0)])).rejects.toMatchObject({ code: "destination-down", retry: true });
    const barred = sinkTo(scripted(() => unsettled("way", "401")).adapter).sink;
    await expect(written(barred, [of("a", 0)])).rejects.toMatchObject({
      code: "destination-misconfigured",
      retry: true,
      message: expect.stringContaining("401"),
    });
  });

  it("has what was settled before it went, once", async () => {
    let answers = 3;
    const { adapter, came } = scripted(() => (answers-- > 0 ? took : away));
    const { sink } = sinkTo(adapter);
    const intents = [0, 1, 2, 3].map((revision) => of("a", revision));
    await expect(written(sink, intents)).rejects.toMatchObject({ code: "destination-down" });
    answers = 10;
    came.length = 0;
    expect(await untilWritten(sink, intents)).toHaveLength(4);
    expect(came).toEqual(["ep-a/3"]);
  });

  it("is left at once when the role closes", async () => {
    const closing = new AbortController();
    const { sink } = sinkTo(scripted(() => away).adapter, { signal: closing.signal });
    const writing = sink.write(entriesOf([of("a", 0)]));
    closing.abort();
    await expect(writing).rejects.toMatchObject({ code: "closed" });
  });
});

describe("what one intent does to the others", () => {
  it("is nothing, when it is refused: it is parked with its reason, and later ones of the same patient go on", async () => {
    const { adapter } = scripted(({ revision }) => (revision === 0 ? refused("422: no") : took));
    expect(await written(sinkTo(adapter).sink, [of("a", 0), of("a", 1), of("b", 1)])).toEqual([
      "0 refused 422: no",
      "1 written taken",
      "2 written taken",
    ]);
  });

  it("is nothing for long, when a destination that is well fails on it each time", async () => {
    const { adapter, came } = scripted(({ patientKey }) => (patientKey === "a" ? unsettled("intent", "500") : took));
    const told = await untilWritten(sinkTo(adapter).sink, [of("a", 0), of("a", 1), of("b", 0)]);
    expect(told).toEqual([
      "0 refused 500 (7 tries, the destination is well)",
      "1 refused 500 (7 tries, the destination is well)",
      "2 written taken",
    ]);
    expect(came.filter((one) => one.startsWith("ep-a/0"))).toHaveLength(7);
  });

  it("its twin is waited for, when the destination that fails on it is not well", async () => {
    let well = false;
    const probe = () => Promise.resolve(well);
    const { adapter } = scripted(() => (well ? took : unsettled("intent", "500")), { probe });
    const { sink } = sinkTo(adapter);
    for (let n = 0; n < 5; n++)
      await expect(written(sink, [of("a", 0)])).rejects.toMatchObject({ code: "destination-down" });
    well = true;
    expect(await untilWritten(sink, [of("a", 0)])).toEqual(["0 written taken"]);
  });

  it("is parked as unsure, when it never has an answer while others are taken all the time", async () => {
    const { adapter } = scripted(({ patientKey }) => (patientKey === "hangs" ? away : took));
    const { sink } = sinkTo(adapter);
    const others = Array.from({ length: 200 }, (_, n) => of(`p${n % 3}`, n));
    const [stuck, ...rest] = await Promise.all([
      untilWritten(sink, [of("hangs", 0)], 1_000),
      ...others.map(async (intent, n) => {
        await new Promise((resolve) => setTimeout(resolve, n));
        return untilWritten(sink, [intent], n);
      }),
    ]);
    expect(stuck?.[0]).toMatch(/^1000 refused unsure: no answer \(\d+ tries, others were taken meanwhile\)$/);
    expect(rest.flat().every((one) => one.endsWith("written taken"))).toBe(true);
  });
});

describe("one that hangs while nobody else is written for", () => {
  const hangsUntil = (time: VirtualTime, ms: number, probe = () => true) =>
    scripted(({ patientKey }) => (patientKey === "well" || time.now() >= ms ? took : away), {
      probe: () => Promise.resolve(probe()),
    }).adapter;

  it("is parked after an hour, if the destination lives all that time; what comes next goes on", async () => {
    const time = new VirtualTime();
    const { sink } = sinkTo(hangsUntil(time, Number.POSITIVE_INFINITY), { waiting: time });
    const [told] = await untilWritten(sink, [of("hangs", 0)]);
    expect(told).toMatch(/^0 refused unsure: no answer \(\d+ tries, alone for 60 min, the destination lives\)$/);
    expect(time.now()).toBeGreaterThan(hourMs);
    expect(time.now()).toBeLessThan(hourMs + 3 * 60_000);
    expect(await untilWritten(sink, [of("well", 0)], 1)).toEqual(["1 written taken"]);
  });

  it("its twin is waited for, at a destination that does not live all the while", async () => {
    const time = new VirtualTime();
    const adapter = hangsUntil(time, 5 * hourMs, () => time.now() % (hourMs / 2) > 2 * 60_000);
    expect(await untilWritten(sinkTo(adapter, { waiting: time }).sink, [of("hangs", 0)])).toEqual(["0 written taken"]);
  });

  it("its twins, two that hang beside each other, are waited for: then it is the destination's fault", async () => {
    const time = new VirtualTime();
    const { sink } = sinkTo(hangsUntil(time, 5 * hourMs), { waiting: time });
    expect(await untilWritten(sink, [of("hangs", 0), of("hangs too", 0)])).toEqual([
      "0 written taken",
      "1 written taken",
    ]);
  });
});

describe("a retraction", () => {
  const retraction = of("a", 1, { action: "retract" });
  const standing = { newest: 0, written: 0, mayStand: true };

  it("after a parked write of the same resource writes nothing: there is nothing to take back", async () => {
    const { adapter, came } = scripted(({ revision }) => (revision === 0 ? refused("AR") : took));
    expect(await written(sinkTo(adapter).sink, [of("a", 0), retraction])).toEqual([
      "0 refused AR",
      "1 alreadyThere nothing to take back: no revision of it was ever taken there",
    ]);
    expect(came).toEqual(["ep-a/0"]);
  });

  it("its twin, after a write that was taken, is sent; from the log too", async () => {
    const { adapter, came } = scripted(() => took);
    expect(await written(sinkTo(adapter).sink, [of("a", 0), retraction])).toHaveLength(2);
    const later = sinkTo(adapter, { standingOf: () => Promise.resolve(standing) }).sink;
    expect(await written(later, [retraction])).toEqual(["0 written taken"]);
    expect(came).toEqual(["ep-a/0", "ep-a/1", "ep-a/1"]);
  });

  it("is sent after a write that was parked without an answer, for that may be there", async () => {
    const unsure = { newest: 0, written: null, mayStand: true };
    const { adapter } = scripted(() => took);
    const { sink } = sinkTo(adapter, { standingOf: () => Promise.resolve(unsure) });
    expect(await written(sink, [retraction])).toEqual(["0 written taken"]);
  });

  it("that is refused becomes a person's task, and its twin, a write that is refused, does not", async () => {
    const { adapter } = scripted(() => refused("not-retractable: the mapping has no retraction"));
    const { sink } = sinkTo(adapter, { standingOf: () => Promise.resolve(standing) });
    expect(await written(sink, [retraction, of("b", 0)])).toEqual([
      "0 refused not-retractable: the mapping has no retraction",
      "0 task not-retractable",
      "1 refused not-retractable: the mapping has no retraction",
    ]);
  });

  it("asks nobody for consent, and its twin does", async () => {
    const denied: ConsentCheck = () =>
      Promise.resolve({ passed: false, reason: "consent-denied", detail: "withdrawn" });
    const { adapter } = scripted(() => took);
    const { sink } = sinkTo(adapter, { consent: denied, standingOf: () => Promise.resolve(standing) });
    expect(await written(sink, [retraction, of("b", 0)])).toEqual([
      "0 written taken",
      "1 withheld consent-denied: withdrawn",
    ]);
  });
});

describe("what a person has sent again", () => {
  const again = of("a", 0, { resentBy: "Dr. Ada Brandt" });

  it.each([
    ["is sent, where it is still the newest", nothingStands, "0 written taken"],
    [
      "is not, behind a later revision or a retraction: that would bring back what was replaced",
      { newest: 1, written: null, mayStand: false },
      "0 alreadyThere superseded: revision 1 was settled after it",
    ],
    [
      "is not, where it was taken since",
      { newest: 0, written: 0, mayStand: true },
      "0 alreadyThere sent again, and taken since: nothing is left to do",
    ],
  ])("%s", async (_, known, told) => {
    const { sink } = sinkTo(scripted(() => took).adapter, { standingOf: () => Promise.resolve(known) });
    expect(await written(sink, [again])).toEqual([told]);
  });
});

describe("consent", () => {
  it("is asked again before each try: what is withdrawn while a destination is down is not sent when it is back", async () => {
    const time = new VirtualTime();
    const { adapter, came } = scripted(() => (time.now() < hourMs ? away : took));
    const consent: ConsentCheck = () =>
      Promise.resolve(
        time.now() < hourMs / 2
          ? { passed: true, reason: "passed", detail: "" }
          : { passed: false, reason: "consent-denied", detail: "withdrawn meanwhile" },
      );
    const { sink } = sinkTo(adapter, { waiting: time, consent });
    expect(await untilWritten(sink, [of("a", 0)])).toEqual(["0 withheld unsure: consent-denied: withdrawn meanwhile"]);
    expect(came.length).toBeGreaterThan(0);
    expect(time.now()).toBeLessThan(hourMs / 2 + 61_000);
  });
});

describe("what is said of an answer", () => {
  it("repeats neither the patient's identifier nor his id there", async () => {
    const patient = {
      destination: "ehr",
      fhirId: "p-0007",
      system: "urn:mrn",
      namespace: "H",
      value: "MRN-4711",
      type: "MR",
    };
    const { adapter } = scripted(() => refused("400: Patient/p-0007 (MRN-4711) is not known\r\nhere"));
    expect(await written(sinkTo(adapter).sink, [of("a", 0, { patient })])).toEqual([
      "0 refused 400: Patient/[patient] ([patient]) is not known here",
    ]);
  });
});

describe("the pause before a next try", () => {
  it("doubles, is spread over its second half by chance, and is never longer than the most", () => {
    const pauses = { firstMs: 100, mostMs: 1_000 };
    expect([1, 2, 3, 9].map((failures) => pauseBefore(failures, null, pauses, 0))).toEqual([50, 100, 200, 500]);
    expect([1, 2, 3, 9].map((failures) => pauseBefore(failures, null, pauses, 1))).toEqual([100, 200, 400, 1_000]);
  });

  it("is what the destination asks for, where that is longer and no longer than the most", () => {
    const pauses = { firstMs: 100, mostMs: 1_000 };
    expect([20, 700, 5_000].map((asked) => pauseBefore(1, asked, pauses, 1))).toEqual([100, 700, 1_000]);
  });
});
