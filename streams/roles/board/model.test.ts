/** What the page shows of what the ward's topics say, and what of it never leaves. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AttentionView, BedView } from "../../../schemas/board.ts";
import { eventTime, logTime } from "../../core/time.ts";
import {
  answers,
  association,
  decision,
  delivery,
  deviceState,
  episode,
  measurement,
  noon,
  rule,
} from "./entries-fixture.ts";
import { type BoardBody, BoardModel } from "./model.ts";

const second = 1000;

/** A model that has been told these bodies, and that its log time is `at`. */
const told = (at: number, ...bodies: readonly BoardBody[]): BoardModel => {
  const model = new BoardModel({ wardName: "ICU", wantedSpeed: 1, startMs: noon, stages: [] });
  for (const body of bodies) model.fold(body, noon);
  model.fold({ kind: "tick" }, at);
  return model;
};

const bedOf = (model: BoardModel, name = "bed-07"): BedView => {
  const bed = model.view(noon).beds.find(({ bed }) => bed === name);
  if (bed === undefined) throw new Error(`the board shows no ${name}`);
  return bed;
};

/** "bed-07 silent 42 s: check power and network of mon-07", as the page says it. */
const sentenceOf = (item: AttentionView, now: number): string =>
  `${item.beds.join(" ")} ${item.what} ${(now - item.since) / second} s: ${item.action}`;

describe("a bed that falls silent", () => {
  const since = noon + 10 * second;
  const now = since + 42 * second;
  const model = told(
    now,
    association(),
    deviceState(),
    measurement(noon, 72),
    deviceState({ state: "silent", since: logTime(since) }),
  );

  it("is silent since then, and says what to do", () => {
    const bed = bedOf(model);
    expect(bed.state).toBe("silent");
    expect(bed.since).toBe(since);
    const [item, ...others] = model.view(noon).attention;
    expect(item && sentenceOf(item, now)).toBe("bed-07 silent 42 s: check power and network of mon-07");
    expect(item?.priority).toBe("high");
    expect(others).toEqual([]);
  });

  it("keeps its last value with its time, so that the page can tell its age", () => {
    const [vital] = bedOf(model).vitals;
    expect(vital).toMatchObject({ metric: "heartRate", value: 72, at: noon });
    expect(now - (vital?.at ?? now)).toBeGreaterThan(vital?.staleAfterMs ?? Infinity);
  });

  it("asks for nothing once it streams again", () => {
    model.fold(deviceState({ since: logTime(now) }), now);
    expect(bedOf(model).state).toBe("streaming");
    expect(model.view(noon).attention).toEqual([]);
  });
});

describe("a network loss", () => {
  const silence = (n: number, at: number): BoardBody[] => [
    association({ id: `a-${n}`, device: `mon-${n}`, bed: `bed-${n}` }),
    deviceState({ device: `mon-${n}`, bed: `bed-${n}`, state: "silent", since: logTime(at) }),
  ];

  it("is one matter that names every unmonitored bed (clinical.md 5)", () => {
    const model = told(noon + 60_000, ...[1, 2, 3, 4].flatMap((n) => silence(n, noon + n * second)));
    const { attention } = model.view(noon);
    expect(attention).toHaveLength(1);
    expect(attention[0]?.beds).toEqual(["bed-1", "bed-2", "bed-3", "bed-4"]);
    expect(attention[0]?.action).toContain("network");
  });

  it("is not what two silent beds are, nor silences at different times", () => {
    const apart = [1, 2, 3].flatMap((n) => silence(n, noon + n * 60_000));
    expect(told(noon + 600_000, ...apart).view(noon).attention).toHaveLength(3);
    const two = [1, 2].flatMap((n) => silence(n, noon));
    expect(told(noon + 600_000, ...two).view(noon).attention).toHaveLength(2);
  });
});

describe("states of a device", () => {
  it.each([
    ["messages are refused", deviceState({ state: "quarantining", detail: "not JSON" }), "quarantining"],
    ["it stands by, as it says itself", deviceState({ state: "standby" }), "standby"],
    ["its clock is off", deviceState({ clock: "off", clockOffsetMs: 187_000 }), "clockOff"],
    ["it is silent, whatever its clock", deviceState({ state: "silent", clock: "off" }), "silent"],
    ["it streams", deviceState(), "streaming"],
  ] as const)("%s", (_, state, expected) => {
    expect(bedOf(told(noon, association(), state)).state).toBe(expected);
  });

  it("no patient: the association never held, though it had no end", () => {
    const model = told(noon, association(), association({ revision: 9, voided: true }), deviceState());
    expect(bedOf(model).devices[0]?.confirmed).toBeNull();
    expect(bedOf(told(noon, association(), deviceState())).devices[0]?.confirmed).toBe(true);
  });

  it("no patient: the association has ended, the bed stays known", () => {
    const model = told(noon, association({ to: noon - 60_000 }), deviceState());
    expect(bedOf(model)).toMatchObject({ state: "unassociated", since: noon - 60_000 });
  });

  it("never heard: silent once its limit has passed since the board began to wait for it", () => {
    const model = told(noon, association({ from: noon - 60_000 }));
    expect(bedOf(model).state, "it may yet speak").toBe("streaming");
    model.fold({ kind: "tick" }, noon + 11 * second);
    expect(bedOf(model)).toMatchObject({ state: "silent", since: noon });
  });

  it("no bed at all: listed apart, and somebody is asked to see to it", () => {
    const model = told(noon, deviceState({ device: "mon-99", bed: null, unit: null, subject: null }));
    const view = model.view(noon);
    expect(view.unplaced.map(({ device }) => device)).toEqual(["mon-99"]);
    expect(view.attention.map(({ what }) => what)).toEqual(["mon-99 belongs to no bed"]);
  });

  it("an unconfirmed association streams, and says that nothing is promoted", () => {
    const model = told(noon, association({ confirmedBy: null, confirmedAt: null }), deviceState());
    expect(bedOf(model).devices[0]?.confirmed).toBe(false);
    expect(model.view(noon).attention[0]?.action).toContain("nothing is promoted");
  });

  it("refusing everything is high: a cuff's reading of five minutes ago is not monitoring (clinical.md 4)", () => {
    const cuff = measurement(noon - 300_000, 120, { metric: "nibpSystolic", periodMs: 900_000 });
    const refusing = deviceState({ state: "quarantining" });
    const bodies = [association(), measurement(noon - 120_000, 72), cuff, refusing] as const;
    expect(told(noon, ...bodies).view(noon).attention[0]?.priority).toBe("high");
    const usable = told(noon, ...bodies, measurement(noon - second, 72));
    expect(usable.view(noon).attention[0]?.priority).toBe("medium");
  });
});

describe("whose values a bed shows", () => {
  it("drops the last patient's when the device is associated anew", () => {
    const model = told(noon, association(), measurement(noon, 72));
    model.fold(association({ id: "a-8", subject: "s-8", patientKey: "pk-8", from: noon - second }), noon);
    expect(bedOf(model).vitals).toEqual([]);
    expect(model.samplesSince("bed-07", 0)).toEqual([]);
  });

  it("drops them when the device leaves", () => {
    const model = told(noon, association(), measurement(noon, 72));
    model.fold({ kind: "subjectEnded", subject: "s-7", device: "mon-07", at: eventTime(noon) }, noon);
    expect(bedOf(model).vitals).toEqual([]);
  });

  it("keeps to one of two devices that measure the same, until its value is stale", () => {
    const second_ = association({ id: "a-7b", device: "oxi-07" });
    const model = told(noon, association(), second_, measurement(noon, 72));
    model.fold(measurement(noon + second, 99, { device: "oxi-07" }), noon);
    expect(bedOf(model).vitals[0]).toMatchObject({ device: "mon-07", value: 72 });
    model.fold(measurement(noon + 11 * second, 98, { device: "oxi-07" }), noon);
    expect(bedOf(model).vitals[0]).toMatchObject({ device: "oxi-07", value: 98 });
  });

  it("draws no zero of a lead that is off, and one that nothing explains (clinical.md 1)", () => {
    const off = measurement(noon, 0, { validity: "sensorOff" });
    const unexplained = measurement(noon + second, 0, { validity: "indeterminate" });
    expect(
      told(noon, association(), off, unexplained)
        .samplesSince("bed-07", 0)
        .map(({ value }) => value),
    ).toEqual([null, 0]);
  });

  it("is not turned back by a late measurement", () => {
    const model = told(noon, association(), measurement(noon, 72), measurement(noon - 5 * second, 60));
    expect(bedOf(model).vitals[0]?.value).toBe(72);
  });
});

describe("episodes", () => {
  it("an open one stands at its bed and asks for a person; an unapproved rule's only stands there", () => {
    const model = told(
      noon,
      association(),
      deviceState(),
      episode(),
      episode({ identity: "e-2", rule: rule({ approval: null }) }),
    );
    expect(bedOf(model).openEpisodes.map(({ approved }) => approved)).toEqual([true, false]);
    expect(model.view(noon).attention.map(({ what, action }) => `${what}: ${action}`)).toEqual([
      "Heart rate high: check the patient",
    ]);
  });

  it("several at one bed are one matter, named after the worst", () => {
    const high = rule({ id: "hr-zero", priority: "high", when: "indeterminateZero", limit: 0 });
    const worse = episode({ identity: "e-2", rule: high, start: eventTime(noon + second) });
    const model = told(noon + 60_000, association(), deviceState(), episode(), worse);
    expect(model.view(noon).attention.map(({ priority, what, action }) => `${priority} ${what}: ${action}`)).toEqual([
      "high Heart rate (ECG) 0 and 1 more: no signal or no pulse: check the patient now",
    ]);
  });

  it("shows the newest revision, in whatever order the revisions come", () => {
    const revisions = [
      episode({ revision: 0, extreme: 125 }),
      episode({ revision: 1, phase: "update", extreme: 131 }),
      episode({ revision: 2, phase: "end", extreme: 133, end: eventTime(noon + 60_000) }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([...revisions, ...revisions], { minLength: 6 }), (order) => {
        const model = told(noon, association(), ...order);
        const view = model.view(noon);
        expect(view.episodes).toHaveLength(1);
        expect(view.episodes[0]).toMatchObject({ extreme: 133, end: noon + 60_000 });
        expect(bedOf(model).openEpisodes).toEqual([]);
      }),
    );
  });
});

describe("decisions", () => {
  const rules: BoardBody = { kind: "rules", version: 1, effectiveFrom: logTime(noon), rules: [rule()] };

  it("a refused one shows all four answers, with their reasons", () => {
    const refused = decision({ promoted: false, answers: answers({ consented: "consent-denied" }) });
    const [shown] = told(noon, rules, association(), refused).view(noon).decisions;
    expect(shown).toMatchObject({ bed: "bed-07", title: "Heart rate high", promoted: false, delivery: null });
    expect(shown?.answers.map(({ gate, passed, reason }) => `${gate} ${passed} ${reason}`)).toEqual([
      "approvedThreshold true passed",
      "wellFormed true passed",
      "validatedPatient true passed",
      "consented false consent-denied",
    ]);
  });

  it("a promoted one shows the destination's answer, once it is there, and for its own revision only", () => {
    const model = told(noon, association(), decision());
    const answer = (): unknown => model.view(noon).decisions[0]?.delivery;
    expect(answer()).toBeNull();
    model.fold(delivery(), noon);
    expect(answer()).toEqual({ outcome: "written", detail: "HTTP 201" });
    model.fold(decision({ revision: 1 }), noon);
    expect(answer()).toBeNull();
  });

  it("is counted once per episode and destination, and follows a decision that turned", () => {
    const model = told(
      noon,
      association(),
      decision(),
      decision({ revision: 1 }),
      delivery(),
      delivery({ revision: 1 }),
    );
    expect(model.view(noon).totals).toMatchObject({ promoted: 1, refused: 0, written: 1 });
    model.fold(decision({ revision: 2, promoted: false }), noon);
    expect(model.view(noon).totals).toMatchObject({ promoted: 0, refused: 1 });
  });
});

describe("what never leaves the model (clinical.md 18)", () => {
  const planted = ["pk-7", "s-7", "fhir-pat-0042", "8812345", "A. Nurse", "obs-e-1", "OWENS"];
  const bodies: readonly BoardBody[] = [
    association(),
    deviceState({ state: "quarantining", detail: "no patient Patient/fhir-pat-0042" }),
    measurement(noon, 72),
    episode(),
    decision({
      promoted: false,
      answers: answers({ validatedPatient: "patient-unknown" }).map((a) => ({
        ...a,
        detail: "pk-7 is Patient/fhir-pat-0042, record 8812345",
      })),
    }),
    delivery({ outcome: "refused", detail: "HTTP 400 Patient/fhir-pat-0042 of pk-7 (8812345): obs-e-1" }),
    {
      kind: "quarantined",
      reason: "not-json",
      detail: "Unexpected token at OWENS^JANE 8812345",
      device: "mon-07",
      stage: "normalise",
      topic: "telemetry.raw",
      partition: 0,
      offset: 1,
      key: "mon-07",
      value: new TextEncoder().encode("OWENS^JANE 8812345"),
    },
  ];

  it("no patient's key, subject, identifier, resource id or payload, and no confirmer's name", () => {
    const model = told(noon, ...bodies);
    const said = JSON.stringify([
      model.view(noon),
      model.samplesSince("bed-07", 0),
      model.samplesAfter("bed-07", 0),
      model.wavesAfter("bed-07", 0),
    ]);
    for (const secret of planted) expect(said).not.toContain(secret);
    expect(model.view(noon).decisions[0]?.answers[2]?.detail).toBe("… is Patient/…, record …");
    expect(model.view(noon).totals.quarantined).toEqual({ "not-json": 1 });
  });

  it("is really planted: the entries themselves hold each of them", () => {
    const held = bodies.map((body) => JSON.stringify(body) + (body.kind === "quarantined" ? body.detail : "")).join();
    for (const secret of planted) expect(held).toContain(secret);
  });
});

describe("what it keeps", () => {
  it("is bounded, however much comes", () => {
    const model = told(noon, association());
    for (let i = 0; i < 9_000; i++) {
      model.fold(measurement(noon + i * second, 70), noon);
      model.fold(episode({ identity: `e-${i}`, phase: "end", end: eventTime(noon + i) }), noon);
      model.fold(decision({ identity: `e-${i}` }), noon);
      model.fold({ ...quarantined, reason: `reason-${i}` }, noon);
    }
    const view = model.view(noon);
    expect(view.episodes).toHaveLength(100);
    expect(view.decisions).toHaveLength(100);
    expect(view.totals.promoted).toBe(9_000);
    expect(Object.keys(view.totals.quarantined)).toHaveLength(61);
    expect(Object.values(view.totals.quarantined).reduce((a, b) => a + b, 0)).toBe(9_000);
    expect(model.samplesSince("bed-07", 0).length).toBeLessThanOrEqual(7_500);
  });
});

const quarantined = {
  kind: "quarantined",
  reason: "not-json",
  detail: "",
  device: null,
  stage: "normalise",
  topic: "telemetry.raw",
  partition: 0,
  offset: 0,
  key: "",
  value: new Uint8Array(),
} as const;

describe("a defect of the platform itself", () => {
  it("is one technical alarm of its stage, with what to do, until an hour after it last showed", () => {
    const model = told(
      noon,
      { ...quarantined, stage: "windows", topic: "telemetry.vitals", reason: "stage-defect", partition: 2, offset: 70 },
      { ...quarantined, stage: "windows", topic: "telemetry.vitals", reason: "stage-defect", partition: 1, offset: 93 },
      { ...quarantined, stage: "gates", topic: "clinical.events", reason: "poison-output", offset: 5 },
      quarantined,
    );
    expect(model.view(noon).attention).toMatchObject([
      {
        identity: "stage-defect windows",
        priority: "medium",
        what: "windows failed on 2 entries",
        action: "not a device's fault: have an engineer look with afferent step windows 1 93 (telemetry.vitals)",
        since: noon,
      },
      { identity: "poison-output gates", what: "gates made 1 output that can't be written" },
    ]);
    model.fold({ kind: "tick" }, noon + 3_599_000);
    expect(model.view(noon).attention).toHaveLength(2);
    model.fold({ kind: "tick" }, noon + 3_600_000);
    expect(model.view(noon).attention).toHaveLength(0);
  });
});

describe("the board's own sight", () => {
  it("what can't be read is said first, since when, until it can be read again", () => {
    const model = told(noon, association(), deviceState({ state: "silent" }));
    model.unreadable("telemetry.vitals/2", "log-unavailable", noon);
    model.unreadable("telemetry.vitals/2", "log-unavailable", noon + 9 * second);
    const [first] = model.view(noon).attention;
    expect(first).toMatchObject({
      what: "telemetry.vitals/2 can't be read (log-unavailable)",
      since: noon,
      wall: true,
    });
    model.readable("telemetry.vitals/2");
    expect(model.view(noon).attention.map(({ what }) => what)).toEqual(["silent"]);
  });

  it("log time that stands still makes nothing current", () => {
    const model = told(noon, association(), deviceState());
    model.readClock(noon);
    expect(model.view(noon + second).stalledSince).toBeNull();
    model.readClock(noon + 9 * second);
    const view = model.view(noon + 9 * second);
    expect(view.stalledSince).toBe(noon);
    expect(view.attention[0]?.what).toBe("nothing has come from the log");
  });
});
