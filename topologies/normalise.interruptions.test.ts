/** What a power cycle and a gap beyond policy do to a link that a person had confirmed (clinical.md 9), as `normalise` tells it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DeviceAdapter } from "../schemas/devices/adapter.ts";
import { type Association, type Device, undisputed } from "../schemas/records/roster.ts";
import { ok } from "../streams/core/failure.ts";
import { deviceTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { normalise } from "./normalise.ts";

const t0 = 1_800_000_000_000;
const minute = 60_000;
const hour = 60 * minute;

interface Said {
  readonly boot: string | null;
  /** Device time, minutes after t0. */
  readonly at: number;
  /** Null: no sensor on the patient. */
  readonly heartRate: number | null;
  /** A cuff pressure that it repeats, taken then. */
  readonly cuffAt?: number;
  /** Nothing but a cuff pressure, with its own time. */
  readonly only?: "cuff";
}

const adapter: DeviceAdapter = {
  model: "monitor",
  vendor: "test",
  decode(payload) {
    const said = JSON.parse(new TextDecoder().decode(payload)) as Said;
    const of = { evidence: null, periodMs: minute, validity: said.heartRate === null ? "sensorOff" : "valid" } as const;
    const heartRate = { ...of, channel: "ecg", metric: "heartRate", ucum: "/min", value: said.heartRate } as const;
    const cuff = { ...of, channel: "nibp", metric: "nibpMean", ucum: "mm[Hg]", value: 80 } as const;
    const taken = (minutes: number) => ({ ...cuff, deviceTime: deviceTime(t0 + minutes * minute) });
    return ok({
      device: null,
      boot: said.boot,
      sequence: null,
      deviceTime: deviceTime(t0 + said.at * minute),
      measurements:
        said.only === "cuff"
          ? [taken(said.at)]
          : [heartRate, ...(said.cuffAt === undefined ? [] : [taken(said.cuffAt)])],
      waveforms: [],
      problems: [],
    });
  },
};

const device = (linkGapMs?: number): Device => ({
  ...{ kind: "device", device: "mon-1", model: "monitor", serial: null, unit: "ICU" },
  ...{ clockUncertaintyMs: 2_000, silentAfterMs: 10_000, version: 1, ...(linkGapMs !== undefined && { linkGapMs }) },
});
const link = (change: Partial<Association> = {}): Association => ({
  kind: "association",
  ...undisputed,
  id: "a-1",
  revision: 1,
  device: "mon-1",
  subject: "subject-1",
  patientKey: "p-1",
  bed: "ICU-01",
  unit: "ICU",
  ageBand: "adult",
  from: t0 - hour,
  to: null,
  confirmedBy: "Nurse A",
  confirmedAt: t0 - minute,
  assertedBy: "roster",
  ...change,
});

const ward = ({ gapMs, links = [link()] }: { gapMs?: number; links?: readonly Association[] } = {}) => {
  const driver = drive(normalise(new Map([[adapter.model, adapter]])));
  driver.send("mon-1", t0, device(gapMs));
  for (const one of links) driver.send("mon-1", t0, one);
  let now = t0;
  const told = () =>
    driver.outputs("vitals").flatMap(({ key, body }) => (body.kind === "association" ? [{ key, ...body }] : []));
  return {
    driver,
    told,
    /** Said, and received so many minutes after t0 (else at its own time). */
    says(at: number, more: Partial<Said> & { readonly received?: number; readonly retained?: boolean } = {}): void {
      const { received = at, retained = false, ...said } = more;
      now = Math.max(now, t0 + received * minute);
      const payload = new TextEncoder().encode(JSON.stringify({ boot: "b1", at, heartRate: 72, ...said }));
      driver.send("mon-1", now, {
        ...{ kind: "reading", device: "mon-1", stream: "numerics", mqttTopic: "w/mon-1/numerics", payload },
        ...{ receivedTime: receivedTime(now), session: "s", dup: false, retained, truncated: null },
      });
    },
    roster: (at: number, change: Partial<Association>): void =>
      driver.send("mon-1", Math.max(now, t0 + at * minute), link(change)),
    /** How the link stands, as its subject was told last. */
    stands() {
      const last = told().findLast(({ key, id }) => key === "subject-1" && id === "a-1");
      if (last === undefined || last.interrupted === null) return null;
      const { what, from, at } = last.interrupted;
      return [what, from === null ? null : (from - t0) / minute, (at - t0) / minute];
    },
  };
};

type Step = readonly [at: number, more?: Partial<Said> & { readonly received?: number }];
const played = (readings: readonly Step[]) => {
  const w = ward();
  for (const [at, more] of readings) w.says(at, more);
  return w.stands();
};

describe("each interruption, beside what is none", () => {
  const cases: readonly [story: string, readings: readonly Step[], stands: unknown][] = [
    ["another boot", [[0], [1, { boot: "b2" }]], ["powerCycle", 0, 1]],
    ["the same boot", [[0], [1]], null],
    ["a device that names no boot for once", [[0], [1, { boot: null }], [2]], null],
    ["a late reading of the boot before", [[0], [5, { boot: "b2" }], [1]], ["powerCycle", 0, 5]],
    [
      "an earlier reading of the new boot, which comes late",
      [[0], [5, { boot: "b2" }], [3, { boot: "b2" }]],
      ["powerCycle", 0, 3],
    ],
    ["a reading of which no value was taken", [[0], [1, { boot: "b2", heartRate: 9_999 }], [2]], null],
    ["an hour and a minute without a measurement", [[0], [61]], ["deviceGap", 0, 61]],
    ["an hour without one", [[0], [60]], null],
    [
      "readings that say that no sensor is on",
      [[0], [30, { heartRate: null }], [59, { heartRate: null }], [61]],
      ["deviceGap", 0, 61],
    ],
    ["a measurement in between", [[0], [30], [61]], null],
    [
      "a cuff pressure from before the restart, repeated after it",
      [[0], [9, { boot: "b2", cuffAt: -3 }]],
      ["powerCycle", 0, 9],
    ],
    [
      "stored readings that fill the gap, oldest first",
      [[0], [240], ...[50, 100, 150, 200].map((at): Step => [at, { received: 240 }])],
      null,
    ],
    [
      "stored readings that fill the gap, newest first",
      [[0], [240], ...[190, 140, 90, 40].map((at): Step => [at, { received: 240 }])],
      null,
    ],
    [
      "stored readings that leave more than an hour of it",
      [[0], [240], ...[50, 190, 140].map((at): Step => [at, { received: 240 }])],
      ["deviceGap", 50, 140],
    ],
    [
      "stored readings from within it, oldest first, that leave more than an hour before them",
      [[0], [300], ...[120, 170, 220, 260].map((at): Step => [at, { received: 300 }])],
      ["deviceGap", 0, 120],
    ],
    [
      "stored readings of a boot that nobody knew, newer ones first",
      [
        [10, { boot: "b2" }],
        [2, { received: 11 }],
      ],
      ["powerCycle", 10, 600_001 / minute],
    ],
    [
      "a device whose every value has a time of its own: another boot",
      [
        [0, { only: "cuff" }],
        [5, { only: "cuff", boot: "b2" }],
      ],
      ["powerCycle", 0, 5],
    ],
    [
      "a device whose every value has a time of its own: a gap",
      [
        [0, { only: "cuff" }],
        [61, { only: "cuff" }],
      ],
      ["deviceGap", 0, 61],
    ],
  ];
  it.each(cases)("%s", (_story, readings, stands) => {
    expect(played(readings)).toEqual(stands);
  });

  it("is told before what was measured after it, under every key that is told of the link, once", () => {
    const w = ward();
    w.says(0);
    const before = w.driver.outputs("vitals").length;
    w.says(1, { boot: "b2" });
    w.says(2, { boot: "b2" });
    const said = w.driver.outputs("vitals").slice(before);
    expect(
      said.map(({ key, body }) => `${body.kind} ${key}`).filter((line) => !line.startsWith("deviceState")),
    ).toEqual(["association subject-1", "association mon-1", "measurement subject-1", "measurement subject-1"]);
    expect(w.told().at(-1)).toMatchObject({ revision: 1, telling: 1, confirmedBy: "Nurse A" });
  });

  it("is as long as the device's policy says; 0: no gap is too long, a power cycle is one still", () => {
    const short = ward({ gapMs: 10 * minute });
    short.says(0);
    short.says(11);
    expect(short.stands()).toEqual(["deviceGap", 0, 11]);
    const never = ward({ gapMs: 0 });
    never.says(0);
    never.says(3_000);
    expect(never.stands()).toBeNull();
    never.says(3_001, { boot: "b2" });
    expect(never.stands()).toEqual(["powerCycle", 3_000, 3_001]);
  });
});

describe("a restart with a clock that is set back", () => {
  const restarted = (confirmedAt: number) => {
    const w = ward({ links: [link({ from: t0 - 12 * hour, confirmedAt })] });
    for (let s = 0; s < 60; s++) w.says(s / 60);
    const before = w.driver.outputs("vitals").length;
    for (let s = 0; s < 60; s++) w.says(s / 60 - 27, { boot: "b2", received: 3 + s / 60 });
    const said = w.driver.outputs("vitals").slice(before);
    return { w, after: said.flatMap(({ body }) => (body.kind === "measurement" ? [body] : [])) };
  };

  it("interrupts the link no earlier than its last measurement, whatever its first readings say of their time", () => {
    for (const confirmedAt of [t0 - minute, t0 - 8 * hour]) {
      const { w } = restarted(confirmedAt);
      const told = w.told().findLast(({ key }) => key === "subject-1")?.interrupted;
      expect(told).toMatchObject({ what: "powerCycle", from: t0 + 59_000, at: t0 + 59_001 });
    }
  });

  it("leaves every value so uncertain, until its clock is known, that it reaches the interruption: no gate lets it pass as older", () => {
    const { w, after } = restarted(t0 - minute);
    const at = w.told().findLast(({ key }) => key === "subject-1")?.interrupted?.at ?? Number.NaN;
    expect(after).toHaveLength(60);
    for (const m of after) expect(m.eventTime + m.clockUncertaintyMs).toBeGreaterThanOrEqual(at);
    expect(after[0]).toMatchObject({ eventTime: t0 - 27 * minute, clockUncertaintyMs: 30 * minute + 2_000 });
    expect(after.at(-1)).toMatchObject({ clockUncertaintyMs: 2_000 });
  });

  it("leaves stored readings of the boot before as certain as they were", () => {
    const w = ward();
    for (let s = 0; s < 60; s++) w.says(s / 60);
    w.says(3, { boot: "b2" });
    w.says(0.5, { received: 4, heartRate: 99 });
    const late = w.driver.outputs("vitals").findLast(({ body }) => body.kind === "measurement" && body.value === 99);
    expect(late?.body).toMatchObject({ clockUncertaintyMs: 2_000 });
  });
});

describe("the broker's retained copy", () => {
  it("shows a restart before it is told itself, where it is news; an old one says nothing of who is there", () => {
    const w = ward();
    for (let s = 0; s < 60; s++) w.says(s / 60);
    w.says(0.5, { boot: "b0", received: 2, retained: true });
    expect(w.stands()).toBeNull();
    w.says(4, { boot: "b2", received: 5, retained: true });
    expect(w.stands()).toEqual(["powerCycle", 59 / 60, 4]);
  });
});

describe("a link", () => {
  it("that is confirmed again stands again; the next interruption is told again", () => {
    const w = ward();
    w.says(0);
    w.says(1, { boot: "b2" });
    w.roster(2, { revision: 2, confirmedAt: t0 + 2 * minute });
    expect(w.stands()).toBeNull();
    w.says(3, { boot: "b3" });
    expect(w.stands()).toEqual(["powerCycle", 1, 3]);
  });

  it("whose new revision was confirmed before the interruption has it still", () => {
    const w = ward();
    w.says(0);
    w.says(1, { boot: "b2" });
    w.roster(2, { revision: 2, to: t0 + hour });
    expect(w.stands()).toEqual(["powerCycle", 0, 1]);
  });

  it("whose new revision comes when the interruption's own entry is forgotten has it still", () => {
    const w = ward();
    w.says(0, { boot: "b0" });
    for (let n = 1; n <= 70; n++) w.says(n, { boot: `b${n}` });
    w.roster(71, { revision: 2, bed: "ICU-02" });
    expect(w.stands()).toEqual(["powerCycle", 0, 1]);
    const days = 8 * 24 * 60;
    w.says(days, { boot: "b1" });
    w.roster(days + 1, { revision: 3 });
    expect(w.stands()).toEqual(["powerCycle", 0, 1]);
    w.roster(days + 2, { revision: 4, confirmedAt: t0 + (days + 2) * minute });
    expect(w.stands()).toBeNull();
  });

  it("that is learnt of only after the interruption has it from the beginning", () => {
    const w = ward({ links: [] });
    w.says(0);
    w.says(1, { boot: "b2" });
    w.roster(2, {});
    expect(w.stands()).toEqual(["powerCycle", 0, 1]);
  });

  it("that somebody confirmed within the gap is his word for what follows; nobody's was ended where nobody confirmed", () => {
    const gap = (confirmedAt: number | null): unknown => {
      const w = ward({ links: [link({ confirmedAt, confirmedBy: confirmedAt === null ? null : "Nurse A" })] });
      w.says(0);
      w.says(61);
      return w.stands();
    };
    expect(gap(t0 + 10 * minute)).toBeNull();
    expect(gap(t0 - 10 * minute)).toEqual(["deviceGap", 0, 61]);
    expect(gap(null)).toBeNull();
  });

  it("keeps the first interruption since it was confirmed, however many follow, over a restart", () => {
    const w = ward();
    w.says(0);
    for (let n = 1; n <= 80; n++) w.says(n, { boot: `b${n + 1}` });
    w.driver.restart();
    w.says(81, { boot: "b82" });
    expect(w.stands()).toEqual(["powerCycle", 0, 1]);
    expect(w.told().length).toBeLessThan(10);
  });
});

describe("whatever comes in whatever order", () => {
  it("no measurement after an interruption is told before the interruption is", () => {
    const reading = fc.record({
      at: fc.integer({ min: 0, max: 400 }),
      boot: fc.constantFrom("b1", "b2", "b3", null),
      heartRate: fc.constantFrom(72, null),
    });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 30 }), (readings) => {
        const w = ward();
        for (const { at, ...said } of readings.toSorted((a, b) => a.at - b.at)) w.says(at, said);
        let standing: Association | undefined;
        let boot: string | null = null;
        let last: number | null = null;
        const inOrder = readings.toSorted((a, b) => a.at - b.at);
        const boots = new Set<string>();
        const interruptedAt = inOrder.find(({ at, boot: named, heartRate }) => {
          const cycled = named !== null && boot !== null && !boots.has(named);
          const gapped = heartRate !== null && last !== null && at - last > 60;
          if (named !== null) {
            boots.add(named);
            boot = named;
          }
          if (heartRate !== null) last = at;
          return cycled || gapped;
        })?.at;
        for (const { key, body } of w.driver.outputs("vitals")) {
          if (body.kind === "association" && key === "subject-1") standing = body;
          if (
            body.kind === "measurement" &&
            interruptedAt !== undefined &&
            body.eventTime > t0 + interruptedAt * minute
          )
            expect(standing?.interrupted).not.toBeNull();
        }
      }),
    );
  });
});
