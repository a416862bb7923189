import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DecodedMeasurement, DecodedReading, DecodedWaveform, DeviceAdapter } from "../schemas/devices/adapter.ts";
import { type Association, undisputed } from "../schemas/records/roster.ts";
import type { DeviceState, Measurement, Reading } from "../schemas/records/telemetry.ts";
import { ok, refuse } from "../streams/core/failure.ts";
import { type DeviceTime, deviceTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { normalise, normaliseWaveforms } from "./normalise.ts";

const t0 = 1_800_000_000_000;
const year = 365 * 86_400_000;

/** Payloads of the tests are decoded readings as JSON, so that each test shows what the device said. */
const adapter: DeviceAdapter = {
  model: "test-monitor",
  vendor: "test",
  decode(payload) {
    const text = new TextDecoder().decode(payload);
    if (!text.startsWith("{")) return refuse("malformed-json", "payload: is no JSON");
    const said = JSON.parse(text) as Partial<DecodedReading>;
    const nothing = {
      device: null,
      boot: null,
      sequence: null,
      deviceTime: null,
      measurements: [],
      waveforms: [],
      problems: [],
    };
    return ok({ ...nothing, ...said });
  },
};
const adapters = new Map([[adapter.model, adapter]]);

const hr = (value: number | null, more: Partial<DecodedMeasurement> = {}): DecodedMeasurement => ({
  channel: "ecg",
  metric: "heartRate",
  value,
  ucum: "/min",
  validity: "valid",
  evidence: null,
  periodMs: 1_000,
  ...more,
});
const pulse = (value: number | null, more: Partial<DecodedMeasurement> = {}) =>
  hr(value, { channel: "spo2", metric: "pulseRate", ...more });
const spo2 = (value: number, more: Partial<DecodedMeasurement> = {}) =>
  hr(value, { channel: "spo2", metric: "spo2", ucum: "%", ...more });

const readingOf = (said: object | string, receivedMs: number, more: Partial<Reading> = {}): Reading => ({
  kind: "reading",
  device: "mon-1",
  stream: "numerics",
  mqttTopic: "ward/icu/mon-1/numerics",
  payload: new TextEncoder().encode(typeof said === "string" ? said : JSON.stringify(said)),
  receivedTime: receivedTime(receivedMs),
  session: "s-1",
  dup: false,
  retained: false,
  truncated: null,
  ...more,
});
const device = {
  kind: "device",
  device: "mon-1",
  model: "test-monitor",
  serial: null,
  unit: "ICU",
  clockUncertaintyMs: 2_000,
  silentAfterMs: 10_000,
  version: 1,
} as const;
const association = (change: Partial<Association>): Association => ({
  kind: "association",
  ...undisputed,
  id: "a-1",
  revision: 0,
  device: "mon-1",
  subject: "subject-1",
  patientKey: "p-1",
  bed: "ICU-01",
  unit: "ICU",
  ageBand: "adult",
  from: t0 - 3_600_000,
  to: null,
  confirmedBy: "Nurse A",
  confirmedAt: t0 - 3_600_000,
  assertedBy: "roster",
  ...change,
});

const driven = (associations: readonly Association[] = [association({})]) => {
  const d = drive(normalise(adapters));
  d.send("mon-1", t0, device);
  for (const a of associations) d.send("mon-1", t0, a);
  return d;
};
type Ward = ReturnType<typeof driven>;
/** The device says this, and it is received and logged at t0 + `ms`. */
const say = (d: Ward, ms: number, said: object | string, more: Partial<Reading> = {}): void =>
  d.send("mon-1", t0 + ms, readingOf(said, t0 + ms, more));
const at = (ms: number): { deviceTime: DeviceTime } => ({ deviceTime: deviceTime(t0 + ms) });
const measurements = (d: Ward): Measurement[] =>
  d
    .outputs("vitals")
    .map(({ body }) => body)
    .filter((b) => b.kind === "measurement");
const states = (d: Ward): DeviceState[] =>
  d
    .outputs("vitals")
    .map(({ body }) => body)
    .filter((b) => b.kind === "deviceState");

describe("a reading becomes measurements", () => {
  it("with codes, unit, times and the patient's subject", () => {
    const d = driven();
    say(d, 80, {
      ...at(0),
      sequence: 1,
      boot: "b",
      measurements: [hr(72), hr(98.6, { channel: "temp", metric: "temperature", ucum: "[degF]" })],
    });
    expect(measurements(d)).toMatchObject([
      {
        metric: "heartRate",
        mdc: 147842,
        loinc: "8867-4",
        ucum: "/min",
        value: 72,
        validity: "valid",
        subject: "subject-1",
        association: "a-1",
        associationRevision: 0,
        deviceTime: t0,
        receivedTime: t0 + 80,
        eventTime: t0,
        periodMs: 1_000,
      },
      { metric: "temperature", ucum: "Cel", value: 37 },
    ]);
    expect(
      d
        .outputs("vitals")
        .filter(({ body }) => body.kind === "measurement")
        .map(({ key }) => key),
    ).toEqual(["subject-1", "subject-1"]);
  });

  it("under its own name while nobody is linked to the device", () => {
    const d = driven([]);
    say(d, 0, { measurements: [hr(72)] });
    expect(d.outputs("vitals")).toMatchObject([
      { key: "mon-1", body: { kind: "measurement", subject: null, association: null } },
      { key: "mon-1", body: { kind: "deviceState", state: "streaming", bed: null } },
    ]);
  });

  it("with an identity that received time has no part in", () => {
    const said = { ...at(0), sequence: 1, measurements: [hr(72), pulse(72)] };
    const one = driven();
    say(one, 10, said);
    const other = driven();
    say(other, 5_000, said);
    const identities = (d: Ward) => measurements(d).map(({ identity }) => identity);
    expect(identities(other)).toEqual(identities(one));
    expect(new Set(identities(one)).size).toBe(2);
    expect(identities(one)[0]).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("bad input is quarantined with what was wrong and where", () => {
  it.each([
    ["rubbish", "%%%", {}, "malformed-json: payload: is no JSON"],
    [
      "another device's id",
      { device: "mon-2", measurements: [hr(70)] },
      {},
      "identity-mismatch: payload: says it is from mon-2, its topic is of mon-1",
    ],
    [
      "a topic of another device",
      { measurements: [hr(70)] },
      { mqttTopic: "ward/icu/mon-2/numerics" },
      "identity-mismatch: mqttTopic: ward/icu/mon-2/numerics is not a topic of device mon-1",
    ],
    [
      "10 MB",
      "x",
      { truncated: { size: 10_000_000, sha256: "ab" } },
      "payload-too-large: payload: has 10000000 bytes, sha256 ab; the first 64 KiB are kept",
    ],
    [
      "a heart rate of 900",
      { measurements: [hr(900)] },
      {},
      "implausible: ecg.heartRate: 900 /min is outside 0 to 350",
    ],
    [
      "a heart rate in Celsius",
      { measurements: [hr(70, { ucum: "Cel" })] },
      {},
      'unknown-unit: ecg: heartRate: the unit "Cel" is not one that it is measured in',
    ],
    [
      "a time that is none",
      { deviceTime: 1e300, measurements: [hr(70)] },
      {},
      "device-time-invalid: payload: its time 1e+300 is no time between 1970 and 9999",
    ],
    [
      "a channel that is no name",
      { measurements: [hr(70, { channel: "ecg\u0000" })] },
      {},
      'bad-channel: payload: "ecg\\u0000" names no channel',
    ],
    [
      "what its adapter refused",
      { problems: [{ reason: "unknown-metric", detail: "values[3]: ph" }] },
      {},
      "unknown-metric: values[3]: ph",
    ],
    [
      "a waveform among the numerics",
      { waveforms: [{}] },
      {},
      "wrong-stream: payload: 1 waveforms do not belong on this topic",
    ],
  ])("%s", (_, said, more, expected) => {
    const d = driven();
    say(d, 0, said, more);
    expect(d.refusals().map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([expected]);
    expect(measurements(d)).toEqual([]);
  });

  it("a device that the roster does not know, and it leaves nothing in state", () => {
    const d = drive(normalise(adapters));
    d.send("mon-1", t0, readingOf({ measurements: [hr(70)] }, t0));
    expect(d.refusals()).toMatchObject([{ reason: "unknown-device" }]);
    expect([...d.stored().keys()]).toEqual(["checkpoint"]);
  });

  it("one bad value does not take the good ones with it", () => {
    const d = driven();
    say(d, 0, { measurements: [hr(900), pulse(70)] });
    expect(measurements(d)).toMatchObject([{ metric: "pulseRate", value: 70 }]);
    expect(states(d)).toMatchObject([{ state: "streaming" }]);
  });
});

describe("a zero", () => {
  const judged = (...said: readonly DecodedMeasurement[]) => {
    const d = driven();
    say(d, 0, { measurements: said });
    return measurements(d).map(({ metric, validity }) => [metric, validity]);
  };

  it("of the heart rate beside a live pulse is a lead that fell off, and says why", () => {
    const d = driven();
    say(d, 0, { measurements: [hr(0), pulse(78)] });
    expect(measurements(d)[0]).toMatchObject({
      value: 0,
      validity: "sensorOff",
      evidence: "0 beside a pulse of 78 /min 0 ms before",
    });
  });

  it("of everything is an arrest until somebody has looked", () => {
    expect(judged(hr(0), pulse(0), spo2(0))).toEqual([
      ["heartRate", "indeterminate"],
      ["pulseRate", "indeterminate"],
      ["spo2", "indeterminate"],
    ]);
  });

  it("of pulse and SpO2 beside a heart rate is no probe that fell off: that is what a rhythm without output looks like", () => {
    expect(judged(hr(70), pulse(0), spo2(0))).toEqual([
      ["heartRate", "valid"],
      ["pulseRate", "indeterminate"],
      ["spo2", "indeterminate"],
    ]);
  });

  it("of pulse and SpO2 with the device's probe-off flag is", () => {
    const off = { validity: "sensorOff", evidence: "probe-off flag set" } as const;
    const d = driven();
    say(d, 0, { measurements: [hr(70), pulse(0, off), spo2(0, off)] });
    expect(measurements(d).slice(1)).toMatchObject([
      { validity: "sensorOff", evidence: "probe-off flag set" },
      { validity: "sensorOff" },
    ]);
  });

  it("of the respiratory rate beside a heart rate is an apnoea (BIDMC 13)", () => {
    expect(judged(hr(66), hr(0, { channel: "resp", metric: "respiratoryRate" }))[1]).toEqual([
      "respiratoryRate",
      "indeterminate",
    ]);
  });

  it("of an arterial pressure beside a live pulse is an open line; without one nobody knows (MIMIC-III: hours of ABP 0)", () => {
    const art = hr(0, { channel: "art", metric: "artMean", ucum: "mm[Hg]" });
    expect(judged(pulse(78), art)[1]).toEqual(["artMean", "sensorOff"]);
    expect(judged(hr(70), pulse(0), art)[2], "a rhythm is no output").toEqual(["artMean", "indeterminate"]);
  });

  it("is judged by a pulse of up to 10 s ago, but never by one that a newer reading has lost", () => {
    const d = driven();
    say(d, 0, { measurements: [pulse(78)] });
    say(d, 9_000, { measurements: [hr(0)] });
    say(d, 11_000, { measurements: [hr(0)] });
    say(d, 12_000, { measurements: [pulse(80)] });
    say(d, 13_000, { measurements: [pulse(0)] });
    say(d, 14_000, { measurements: [hr(0)] });
    say(d, 15_000, { measurements: [pulse(81)] });
    say(d, 16_000, { measurements: [hr(0), pulse(null, { validity: "invalid" })] });
    const rates = measurements(d).filter(({ metric }) => metric === "heartRate");
    expect(rates.map(({ validity }) => validity)).toEqual([
      "sensorOff",
      "indeterminate",
      "indeterminate",
      "indeterminate",
    ]);
  });
});

describe("a repeated message", () => {
  const said = { ...at(0), sequence: 7, boot: "b", measurements: [hr(72)] };

  it("is dropped where it carries a sequence or time, and the device's state says how many", () => {
    const d = driven();
    say(d, 10, said);
    for (let repeat = 1; repeat <= 5; repeat++) say(d, 10 + repeat * 1_000, said, { dup: repeat % 2 === 0 });
    d.restart();
    say(d, 8_000, said);
    expect(measurements(d)).toHaveLength(1);
    say(d, 61_000, { ...said, sequence: 8, ...at(60_000) });
    expect(states(d).at(-1)).toMatchObject({ detail: "6 repeated readings dropped" });
  });

  it("that carries neither is two readings, unless the packet is a DUP of the same session", () => {
    const d = driven();
    const bare = { measurements: [hr(72)] };
    say(d, 0, bare);
    say(d, 1_000, bare);
    say(d, 2_000, bare, { dup: true });
    say(d, 3_000, bare, { dup: true, session: "s-2" });
    expect(measurements(d)).toHaveLength(3);
    expect(new Set(measurements(d).map(({ identity }) => identity)).size).toBe(3);
  });

  it("with another value for the same stamp is a conflict: kept, and said", () => {
    const d = driven();
    const glucose = { channel: "cgm", metric: "glucoseInterstitial", ucum: "mg/dL", periodMs: 300_000 } as const;
    say(d, 0, { ...at(0), measurements: [hr(110, glucose)] });
    say(d, 100, { ...at(0), measurements: [hr(171, glucose)] });
    expect(measurements(d)).toMatchObject([
      { value: 110, evidence: null },
      { value: 171, evidence: "another reading of the same time says otherwise" },
    ]);
  });

  it("of the same second about something else is no conflict", () => {
    const d = driven();
    say(d, 0, { ...at(0), measurements: [hr(70)] });
    say(d, 100, { ...at(0), measurements: [spo2(97)] });
    expect(measurements(d).map(({ evidence }) => evidence)).toEqual([null, null]);
  });

  it("is remembered for a quarter of an hour, in bounded state", () => {
    const d = driven();
    for (let second = 0; second < 3_000; second++)
      say(d, second * 1_000, { ...at(second * 1_000), measurements: [hr(70 + (second % 5))] });
    const buckets = [...d.stored().keys()].filter((key) => key.includes("seen/"));
    expect(buckets.length).toBeGreaterThan(55);
    expect(buckets.length).toBeLessThanOrEqual(62);
  });
});

describe("a message that the broker had retained", () => {
  const retained = { retained: true };
  const said = { ...at(0), sequence: 7, boot: "b", measurements: [hr(72)] };

  it("is the reading that it was where its device's time can be known: never a new one, and no sign of life", () => {
    const d = driven();
    for (let second = 0; second < 3; second++)
      say(d, second * 1_000, { ...at(second * 1_000), sequence: 7 + second, boot: "b", measurements: [hr(72)] });
    say(d, 5_000, said, retained);
    for (let second = 6; second < 3_600; second += 60) d.tick(t0 + second * 1_000);
    say(d, 3_600_000, { ...said, ...at(60_000), sequence: 67 }, retained);
    d.tick(t0 + 3_601_000);
    const times = measurements(d).map(({ eventTime }) => (eventTime - t0) / 1_000);
    expect(times, "what was published while nobody was subscribed has its own time").toEqual([0, 1, 2, 60]);
    expect(states(d).map(({ state }) => state)).toEqual(["streaming", "silent", "silent"]);
    expect(states(d).every(({ clock }) => clock === "sound")).toBe(true);
    say(d, 3_602_000, { ...at(3_602_000), sequence: 3_609, boot: "b", measurements: [hr(72)] });
    expect(measurements(d).at(-1)).toMatchObject({ eventTime: t0 + 3_602_000 });
  });

  it("is refused where nobody can know how old it is", () => {
    const d = driven();
    say(d, 0, said, retained);
    say(d, 1_000, { measurements: [hr(180)] }, retained);
    expect(d.refusals().map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      "retained-undated: payload: the broker's retained copy, of a device whose clock is not known yet: nobody knows how old it is",
      "retained-undated: payload: the broker's retained copy, without a time of its device: nobody knows how old it is",
    ]);
    expect([measurements(d), states(d)]).toEqual([[], []]);
  });

  it("and comes with every subscription is refused once for each session, not each time", () => {
    const d = driven();
    for (let times = 0; times < 5; times++) say(d, times * 1_000, { measurements: [hr(180)] }, retained);
    expect(d.refusals()).toHaveLength(1);
  });
});

describe("a cuff pressure that the monitor repeats with every message", () => {
  it("is one measurement, at the time when it was taken", () => {
    const d = driven();
    const nibp = { channel: "nibp", metric: "nibpSystolic", ucum: "mm[Hg]", periodMs: 900_000 } as const;
    for (let second = 0; second < 600; second++) {
      const taken = second < 400 ? 0 : 390_000;
      say(d, second * 1_000, {
        ...at(second * 1_000),
        measurements: [hr(70), hr(taken === 0 ? 121 : 135, { ...nibp, ...at(taken) })],
      });
    }
    expect(measurements(d).filter(({ metric }) => metric === "nibpSystolic")).toMatchObject([
      { value: 121, eventTime: t0 },
      { value: 135, eventTime: t0 + 390_000 },
    ]);
    expect(d.refusals()).toEqual([]);
  });
});

describe("a value that is dated ahead of its reception by its own time", () => {
  const nibp = (value: number, takenMs: number): DecodedMeasurement =>
    hr(value, { channel: "nibp", metric: "nibpSystolic", ucum: "mm[Hg]", periodMs: 900_000, ...at(takenMs) });
  const refused = (d: Ward): string[] => d.refusals().map(({ reason }) => reason);

  it("is refused with how far, and takes none of its neighbours with it", () => {
    const d = driven();
    say(d, 100, { ...at(0), measurements: [hr(70), nibp(60, 10 * year), spo2(97)] });
    expect(measurements(d).map(({ metric }) => metric)).toEqual(["heartRate", "spo2"]);
    expect(d.refusals()).toMatchObject([
      {
        reason: "ahead-of-received",
        detail: `eventTime: ${t0 + 10 * year} is ${10 * year - 100} ms after it was received, at most 4000 can be so`,
      },
    ]);
  });

  it("is taken up to the clock's uncertainty and two seconds, corrected clock or not", () => {
    for (const wrongMs of [0, 10 * year, -120_000]) {
      const d = driven();
      say(d, 0, { ...at(wrongMs), measurements: [hr(70), nibp(121, 4_000 + wrongMs)] });
      say(d, 1_000, { ...at(1_000 + wrongMs), measurements: [hr(70), nibp(122, 5_001 + wrongMs)] });
      expect([measurements(d).map(({ value }) => value), refused(d)]).toEqual([[70, 121, 70], ["ahead-of-received"]]);
    }
  });

  it("is refused once, however often it is repeated, and taken when its time has come", () => {
    const d = driven();
    for (let second = 0; second < 60; second++)
      say(d, second * 1_000, { ...at(second * 1_000), measurements: [hr(70), nibp(121, 30_000)] });
    expect(refused(d)).toEqual(["ahead-of-received"]);
    expect(measurements(d).filter(({ metric }) => metric === "nibpSystolic")).toMatchObject([
      { value: 121, eventTime: t0 + 30_000, receivedTime: t0 + 26_000 },
    ]);
  });

  it("is no news where it was measured before the clock was set back", () => {
    const d = driven();
    const counted = (sequence: number) => ({ boot: "b", sequence });
    say(d, 0, { ...at(10 * year), ...counted(1), measurements: [hr(70), nibp(121, 10 * year - 60_000)] });
    say(d, 1_000, { ...at(1_000), ...counted(2), measurements: [hr(70), nibp(121, 10 * year - 60_000)] });
    expect(measurements(d).map(({ value }) => value)).toEqual([70, 121, 70]);
    expect(refused(d)).toEqual([]);
  });

  it("is said of its device, so that it does not become a counter", () => {
    const d = driven();
    say(d, 0, { ...at(0), measurements: [hr(70), nibp(60, 10 * year)] });
    say(d, 61_000, { ...at(61_000), measurements: [hr(70), nibp(61, 10 * year)] });
    expect(states(d).at(-1)).toMatchObject({
      state: "streaming",
      detail: "2 values refused, for their own time is ahead of ours",
    });
  });

  it("or by no time at all is one value refused", () => {
    const d = driven();
    say(d, 0, { ...at(0), measurements: [hr(70), hr(60, { channel: "nibp", deviceTime: deviceTime(1e300) })] });
    expect(measurements(d)).toMatchObject([{ value: 70 }]);
    expect(refused(d)).toEqual(["device-time-invalid"]);
  });
});

describe("a device's clock", () => {
  /** A reading a second from `from` to `to`, with the clock wrong by `wrongMs` and the network delaying it. */
  const stream = (
    d: Ward,
    from: number,
    to: number,
    wrongMs: number,
    delayMs = (second: number) => 40 + (second % 7) * 200,
  ): void => {
    for (let second = from; second < to; second++)
      say(d, second * 1_000 + delayMs(second), { ...at(second * 1_000 + wrongMs), measurements: [hr(70)] });
  };
  const error = (d: Ward): number[] => measurements(d).map(({ eventTime }, second) => eventTime - t0 - second * 1_000);

  it("inside its uncertainty is taken as it is, whatever the jitter", () => {
    const d = driven();
    stream(d, 0, 400, -800);
    expect(new Set(error(d))).toEqual(new Set([-800]));
    expect(states(d)).toMatchObject([{ clock: "sound", clockOffsetMs: 0, detail: null }]);
  });

  it.each([
    ["ten years ahead", 10 * year],
    ["ten years behind", -10 * year],
    ["two minutes slow", -120_000],
    ["an hour ahead", 3_600_000],
  ])("%s ends with the right event times from the first reading on", (_, wrongMs) => {
    const d = driven();
    stream(d, 0, 400, wrongMs);
    for (const ms of error(d)) expect(Math.abs(ms)).toBeLessThanOrEqual(2_000);
    expect(states(d).at(-1)).toMatchObject({ state: "streaming", clock: "off" });
    expect(new Set(error(d)).size).toBe(1);
  });

  it("says on the board which way it is wrong, and that it was mended", () => {
    const d = driven();
    stream(d, 0, 30, -120_000);
    stream(d, 30, 60, 0);
    expect(states(d).map(({ clock, detail }) => [clock, detail])).toEqual([
      ["off", "its clock is 120 s behind; times are corrected"],
      ["sound", null],
    ]);
    for (const ms of error(d)) expect(Math.abs(ms)).toBeLessThanOrEqual(2_000);
  });

  it("that leaps ahead by an hour and back disturbs no event time", () => {
    const d = driven();
    stream(d, 0, 60, 0);
    stream(d, 60, 120, 3_600_000);
    stream(d, 120, 180, 0);
    for (const ms of error(d)) expect(Math.abs(ms)).toBeLessThanOrEqual(2_000);
  });

  it("that is set back by an hour is believed after ten seconds, where no count shows it at once", () => {
    const d = driven();
    stream(d, 0, 60, 0);
    stream(d, 60, 120, -3_600_000);
    stream(d, 120, 180, 0);
    const wrong = error(d).map((ms) => Math.abs(ms) > 2_000);
    expect(wrong.indexOf(true)).toBe(60);
    expect(wrong.lastIndexOf(true)).toBeLessThan(60 + 11);
  });

  it("that may have been set back gives the next patient nothing that may be the last one's", () => {
    const d = driven([
      association({ to: t0 + 80_000 }),
      association({ id: "a-2", subject: "subject-2", from: t0 + 80_000 }),
    ]);
    stream(d, 0, 60, 0);
    stream(d, 90, 95, 0);
    for (let second = 30; second < 60; second++)
      say(d, 95_000 + second, { ...at(second * 1_000), measurements: [hr(150)] });
    expect(measurements(d).filter(({ value, subject }) => value === 150 && subject === "subject-2")).toEqual([]);
    expect(d.refusals().map(({ reason }) => reason)).toContain("time-ambiguous");
  });

  it("is not what a backlog shows: what was measured half an hour ago stays half an hour old", () => {
    const d = driven();
    stream(d, 0, 60, 0);
    for (let second = 60; second < 1_800; second++)
      say(d, 1_800_000 + second, { ...at(second * 1_000), measurements: [hr(70)] });
    stream(d, 1_802, 1_860, 0);
    expect(new Set(measurements(d).map(({ eventTime }) => (eventTime - t0) % 1_000))).toEqual(new Set([0]));
    expect(states(d).every(({ clock }) => clock === "sound")).toBe(true);
  });

  describe("that stands still while its readings go on", () => {
    /** A reading a second; from second 60 on to `goesOnAt` the time in it is that of second 60. */
    const frozen = (d: Ward, to: number, more: (s: number) => object, goesOnAt = to): void => {
      for (let s = 0; s < to; s++) {
        const said = s < goesOnAt ? Math.min(s, 60) : 60 + (s - goesOnAt + 1);
        const values = [hr(s < 90 ? 70 + (s % 3) : 0), pulse(s < 90 ? 71 : 0)];
        say(d, s * 1_000 + 40, { ...at(said * 1_000), ...more(s), measurements: values });
      }
    };
    const counted = (s: number) => ({ boot: "b", sequence: s });
    const heartRates = (d: Ward) => measurements(d).filter(({ metric }) => metric === "heartRate");

    it.each([
      ["by its count", counted],
      ["by a count without a boot", (s: number) => ({ sequence: s })],
    ])("is shown %s: received times are used, and it is said", (_, more) => {
      const d = driven();
      frozen(d, 900, more);
      expect(heartRates(d)).toHaveLength(900);
      const off = heartRates(d).map(({ eventTime }, s) => eventTime - t0 - s * 1_000);
      expect(off.slice(64).every((ms) => ms === 40)).toBe(true);
      expect(states(d).map(({ state, clock, clockOffsetMs, detail }) => [state, clock, clockOffsetMs, detail])).toEqual(
        [
          ["streaming", "sound", 0, null],
          ["streaming", "off", null, "its clock stands still; received times are used"],
        ],
      );
    });

    it("is shown by other values at the same time, where there is no count", () => {
      const d = driven();
      for (let s = 0; s < 80; s++) say(d, s * 1_000, { ...at(Math.min(s, 60) * 1_000), measurements: [hr(70 + s)] });
      expect(measurements(d).at(-1)?.eventTime).toBe(t0 + 79_000);
      expect(states(d).at(-1)).toMatchObject({ clock: "off" });
    });

    it("is compared anew as soon as it goes on, and is right at once", () => {
      const d = driven();
      frozen(d, 300, counted, 200);
      for (let s = 300; s < 400; s++)
        say(d, s * 1_000 + 40, { ...at(s * 1_000), ...counted(s), measurements: [hr(70)] });
      const off = heartRates(d).map(({ eventTime }, s) => eventTime - t0 - s * 1_000);
      expect(off.slice(64).every((ms) => Math.abs(ms) <= 2_000)).toBe(true);
      expect(states(d).map(({ clock, clockOffsetMs }) => [clock, clockOffsetMs])).toEqual([
        ["sound", 0],
        ["off", null],
        ["off", 139_040],
        ["sound", 0],
      ]);
    });

    it("is shown too where the device came up again with a time that is years ago", () => {
      const d = driven();
      for (let s = 0; s < 60; s++)
        say(d, s * 1_000, { ...at(s * 1_000), boot: "a", sequence: s, measurements: [hr(70)] });
      for (let s = 60; s < 90; s++)
        say(d, s * 1_000, { ...at(-20 * year), boot: "b", sequence: s - 60, measurements: [hr(0)] });
      const seconds = measurements(d).map(({ eventTime }) => (eventTime - t0) / 1_000);
      expect(seconds.slice(60)).toEqual(Array.from({ length: 27 }, (_, i) => 63 + i));
      expect(d.refusals().map(({ reason }) => reason)).toEqual(Array(3).fill("time-ambiguous"));
      expect(states(d).at(-1)).toMatchObject({ clock: "off", clockOffsetMs: null });
    });

    it("dates what it stored before, and no retained copy", () => {
      const d = driven();
      frozen(d, 120, counted);
      say(d, 120_000, { ...at(-600_000), boot: "a", sequence: 7, measurements: [hr(150)] });
      expect(measurements(d).at(-1)).toMatchObject({ value: 150, eventTime: t0 - 600_000 });
      say(d, 121_000, { ...at(60_000), boot: "b", sequence: 500, measurements: [hr(151)] }, { retained: true });
      expect(d.refusals().map(({ detail }) => detail)).toEqual([
        "payload: the broker's retained copy, of a device whose clock stands still: nobody knows how old it is",
      ]);
    });

    it("is none that counts: one time in many readings at once, or a reading that waited on its way", () => {
      const d = driven();
      for (let s = 0; s < 120; s++) {
        const delayMs = s % 10 === 5 ? 1_900 : 40;
        for (let i = 0; i < 5; i++)
          say(d, s * 1_000 + delayMs, { ...at(s * 1_000), boot: "b", sequence: s * 5 + i, measurements: [hr(70)] });
      }
      expect(states(d).map(({ clock }) => clock)).toEqual(["sound"]);
      expect(new Set(measurements(d).map(({ eventTime }) => (eventTime - t0) % 1_000))).toEqual(new Set([0]));
    });
  });

  it("of a device without one is ours", () => {
    const d = driven();
    say(d, 1_234, { measurements: [hr(70)] });
    expect(measurements(d)).toMatchObject([{ deviceTime: null, eventTime: t0 + 1_234 }]);
    expect(states(d)).toMatchObject([{ clock: "unknown", clockOffsetMs: null }]);
  });

  it("never puts a measurement further into the future than its uncertainty", () => {
    const step = fc.record({
      wrong: fc.integer({ min: -1e12, max: 1e12 }),
      delay: fc.nat({ max: 30_000 }),
      leap: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
        const d = driven();
        let wrong = 0;
        let received = 0;
        steps.forEach((step, second) => {
          if (step.leap) wrong = step.wrong;
          received = Math.max(received, second * 1_000 + step.delay);
          say(d, received, { deviceTime: t0 + second * 1_000 + wrong, sequence: second, measurements: [hr(70)] });
        });
        for (const m of measurements(d)) expect(m.eventTime - m.receivedTime).toBeLessThanOrEqual(2_000);
      }),
      { numRuns: 60 },
    );
  });
});

describe("whose a measurement is", () => {
  const first = association({ to: t0 + 60_000 });
  const second = association({ id: "a-2", subject: "subject-2", bed: "ICU-02", from: t0 + 120_000 });
  const ended = (d: Ward) => d.outputs("vitals").filter(({ body }) => body.kind === "subjectEnded");

  it("follows the link in force when it was measured", () => {
    const d = driven([first, second]);
    for (const s of [0, 59, 60, 119, 120, 200]) say(d, s * 1_000 + 10, { ...at(s * 1_000), measurements: [hr(70)] });
    expect(measurements(d).map(({ subject }) => subject)).toEqual([
      "subject-1",
      "subject-1",
      null,
      null,
      "subject-2",
      "subject-2",
    ]);
  });

  const linksTold = (d: Ward) =>
    d
      .outputs("vitals")
      .flatMap(({ key, body }) => (body.kind === "association" ? [`${body.id}.${body.revision} to ${key}`] : []));

  it("the links go downstream under their own subjects and those that they may concern, and a known revision not twice", () => {
    const d = driven([first, second, first]);
    d.send("mon-1", t0, { ...first, revision: 1, confirmedBy: "Nurse B" });
    expect(linksTold(d)).toEqual([
      `${first.id}.0 to subject-1`,
      `${first.id}.0 to mon-1`,
      // A new link's subject is told of the others, should the new one turn out wrong.
      `${first.id}.0 to subject-2`,
      `${second.id}.0 to subject-2`,
      `${second.id}.0 to subject-1`,
      `${second.id}.0 to mon-1`,
      `${first.id}.1 to subject-1`,
      `${first.id}.1 to subject-2`,
      `${first.id}.1 to mon-1`,
    ]);
  });

  it("a link that ended longer ago than corrections are taken for is told of nothing more", () => {
    const d = driven([{ ...first, from: t0 - 9 * 86_400_000, to: t0 - 8 * 86_400_000 }, second]);
    expect(linksTold(d).slice(2)).toEqual([`${second.id}.0 to subject-2`, `${second.id}.0 to mon-1`]);
  });

  it("a link that was voided covers no time from then on, and its twin that was not does", () => {
    for (const [voided, subject] of [
      [true, null],
      [false, "subject-1"],
    ] as const) {
      const d = driven([association({})]);
      say(d, 0, { ...at(0), measurements: [hr(70)] });
      d.send("mon-1", t0 + 500, association({ revision: 1, voided }));
      say(d, 1_000, { ...at(1_000), measurements: [hr(71)] });
      expect(measurements(d).map((m) => m.subject)).toEqual(["subject-1", subject]);
      const left = d.outputs("vitals").filter(({ body }) => body.kind === "subjectEnded");
      expect(left.map(({ key, body }) => [key, body.kind === "subjectEnded" && body.at])).toEqual(
        voided ? [["subject-1", t0 + 500]] : [],
      );
    }
  });

  it("a device that leaves says so at that time, whether or not it sends", () => {
    const d = driven([first, second]);
    say(d, 0, { ...at(0), measurements: [hr(70)] });
    for (let s = 1; s <= 130; s++) d.tick(t0 + s * 1_000);
    expect(ended(d)).toMatchObject([
      { key: "subject-1", logTime: t0 + 60_000, body: { subject: "subject-1", device: "mon-1", at: t0 + 60_000 } },
      { key: "mon-1", logTime: t0 + 120_000, body: { subject: "mon-1", at: t0 + 120_000 } },
    ]);
    expect(states(d).map(({ bed, state }) => [bed, state])).toEqual([
      ["ICU-01", "streaming"],
      ["ICU-01", "silent"],
      [null, "silent"],
      ["ICU-02", "silent"],
    ]);
  });

  it("a link that is taken over without an end ends where the next begins", () => {
    const d = driven([association({}), association({ id: "a-2", subject: "subject-2", from: t0 + 30_000 })]);
    d.tick(t0 + 31_000);
    expect(ended(d)).toMatchObject([{ key: "subject-1", body: { at: t0 + 30_000 } }]);
  });

  it("a late measurement goes to the patient of its time, and near a change of patient to nobody", () => {
    const d = driven([first, second]);
    for (let s = 0; s < 300; s++)
      if (s < 30 || s > 200) say(d, s * 1_000, { ...at(s * 1_000), measurements: [hr(70)] });
    const before = measurements(d).length;
    say(d, 300_000, {
      ...at(300_000),
      measurements: [hr(61, { ...at(40_000), channel: "store" }), hr(62, { ...at(59_000), channel: "store" })],
    });
    expect(measurements(d).slice(before)).toMatchObject([{ value: 61, subject: "subject-1" }]);
    expect(d.refusals()).toMatchObject([{ reason: "time-ambiguous" }]);
  });
});

describe("how a device stands", () => {
  const standing = (d: Ward): string[] => states(d).map(({ state }) => state);

  it("is silent when it has never been heard", () => {
    const d = driven();
    for (let s = 1; s <= 30; s++) d.tick(t0 + s * 1_000);
    expect(states(d)).toMatchObject([
      { state: "silent", since: t0 + 10_000, bed: "ICU-01", detail: "no usable measurement for 10 s" },
    ]);
  });

  it("goes silent and comes back", () => {
    const d = driven();
    for (let s = 0; s < 60; s++) {
      if (s < 20 || s >= 40) say(d, s * 1_000, { ...at(s * 1_000), measurements: [hr(70)] });
      d.tick(t0 + s * 1_000 + 500);
    }
    expect(states(d).map(({ state, since }) => [state, (since - t0) / 1_000])).toEqual([
      ["streaming", 0],
      ["silent", 29.5],
      ["streaming", 40],
    ]);
  });

  it("is quarantining when what it sends is refused, says why, and is never just a counter", () => {
    const d = driven();
    say(d, 0, { ...at(0), measurements: [hr(70)] });
    for (let s = 1; s < 40; s++) {
      say(d, s * 1_000, "%%%");
      d.tick(t0 + s * 1_000 + 500);
    }
    for (let s = 40; s < 60; s++) d.tick(t0 + s * 1_000 + 500);
    expect(standing(d)).toEqual(["streaming", "quarantining", "silent"]);
    expect(states(d)[1]?.detail).toBe("its last 3 readings were refused: malformed-json: payload: is no JSON");
  });

  it("stands by from its own word on until it says anything else, however silent it is; its alarms are no less alarms", () => {
    const d = driven();
    say(d, 0, { ...at(0), measurements: [hr(70)] });
    say(d, 5_000, { ...at(5_000), standby: true });
    d.restart();
    for (let second = 6; second < 3_600; second += 9) d.tick(t0 + second * 1_000);
    expect(standing(d)).toEqual(["streaming", "standby"]);
    expect(states(d).at(-1)).toMatchObject({ since: t0 + 5_000, detail: "it stands by, as it says itself" });
    say(d, 3_600_000, { ...at(3_600_000), standby: true });
    say(d, 3_601_000, { ...at(3_601_000), measurements: [hr(70)] });
    d.tick(t0 + 3_612_000);
    expect(standing(d)).toEqual(["streaming", "standby", "streaming", "silent"]);
  });

  it("counts as standing by for twelve hours and no longer, and not while what it sends is refused", () => {
    const d = driven();
    say(d, 0, { ...at(0), standby: true });
    d.tick(t0 + 43_199_000);
    expect(standing(d)).toEqual(["standby"]);
    d.tick(t0 + 43_201_000);
    expect(standing(d)).toEqual(["standby", "silent"]);
    const refused = driven();
    say(refused, 0, { ...at(0), standby: true });
    for (const second of [1, 2, 3]) say(refused, second * 1_000, "%%%");
    expect(standing(refused)).toEqual(["standby", "quarantining"]);
  });

  it("is silent when all it sends cannot be used", () => {
    const d = driven();
    for (let s = 0; s < 30; s++) {
      say(d, s * 1_000, { ...at(s * 1_000), measurements: [hr(70, { validity: s < 5 ? "valid" : "invalid" })] });
      d.tick(t0 + s * 1_000 + 500);
    }
    expect(standing(d)).toEqual(["streaming", "silent"]);
    expect(states(d)[1]?.detail).toBe("no usable measurement for 10 s, though readings come");
  });
});

describe("whatever arrives", () => {
  const value = fc.oneof(fc.constantFrom(0, -0, 72, 900, null), fc.double());
  const said = fc.record({
    deviceTime: fc.option(
      fc.oneof(fc.integer({ min: t0 - 1e6, max: t0 + 1e6 }), fc.integer({ min: -5, max: 300_000_000_000_000 })),
    ),
    sequence: fc.option(fc.nat({ max: 20 })),
    boot: fc.option(fc.constantFrom("b-1", "b-2", "b\u0000/\ud800")),
    measurements: fc.array(
      fc.tuple(value, fc.constantFrom("/min", "%", "furlong")).map(([v, ucum]) => hr(v, { ucum })),
      { maxLength: 4 },
    ),
  });

  it("each value is measured, refused or a repeat; nothing is lost, nothing throws, and a restart changes nothing", () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 40 }), fc.nat({ max: 40 }), (readings, restartAt) => {
        const run = (restart: number | null) => {
          const d = driven();
          readings.forEach((reading, i) => {
            if (i === restart) d.restart();
            say(d, i * 1_000, reading);
            if (i % 3 === 0) d.tick(t0 + i * 1_000 + 500);
          });
          d.tick(t0 + 200_000);
          return d;
        };
        const d = run(null);
        const refusedWhole = readings.filter(
          ({ deviceTime: at }) => at !== null && (at < 0 || at > 253_402_300_799_999),
        );
        const repeats = Number(/(\d+) repeated/.exec(states(d).at(-1)?.detail ?? "")?.[1] ?? 0);
        const values = (of: typeof readings): number => of.reduce((n, { measurements: all }) => n + all.length, 0);
        const expected = values(readings) - values(refusedWhole) + refusedWhole.length;
        const kept = measurements(d).length + d.refusals().length;
        if (repeats === 0) expect(kept).toBe(expected);
        else expect(kept).toBeLessThanOrEqual(expected);
        expect(run(restartAt).outputs("vitals")).toEqual(d.outputs("vitals"));
      }),
      { numRuns: 60 },
    );
  });
});

describe("waveforms", () => {
  const wave = (more: Partial<DecodedWaveform> = {}): DecodedWaveform => ({
    channel: "ecg",
    metric: "ecgII",
    ucum: "mV",
    rateHz: 250,
    gain: 200,
    baseline: 10,
    samples: [10, 210, -190],
    ...more,
  });
  const charted = (...waveforms: readonly DecodedWaveform[]) => {
    const d = drive(normaliseWaveforms(adapters));
    d.send("mon-1", t0, device);
    d.send("mon-1", t0, association({}));
    d.send("mon-1", t0 + 100, readingOf({ deviceTime: t0 - 120_000, waveforms }, t0 + 100, { stream: "waveforms" }));
    return d;
  };

  it("keep their samples and get their subject and corrected time", () => {
    expect(charted(wave()).outputs("waveforms")).toMatchObject([
      {
        key: "subject-1",
        body: {
          metric: "ecgII",
          mdc: 131330,
          ucum: "mV",
          samples: [10, 210, -190],
          gain: 200,
          eventTime: t0 + 100,
          deviceTime: t0 - 120_000,
        },
      },
    ]);
  });

  it("in another unit have another gain", () => {
    expect(charted(wave({ ucum: "uV", gain: 0.2 })).outputs("waveforms")).toMatchObject([
      { body: { ucum: "mV", gain: 200, baseline: 10 } },
    ]);
  });

  it("without a rate or with vitals among them are refused", () => {
    expect(charted(wave({ rateHz: 0 })).refusals()).toMatchObject([
      { reason: "bad-waveform", detail: "ecg.ecgII: 3 samples at 0 Hz, gain 200" },
    ]);
  });
});
