/**
 * A hundred monitors that say word for word what this page tells them to, once a second, and the alarms that people must hear of for it: each
 * with its bed, event, priority, value and onset, written down when its message is sent. No code of the platform's decides what is expected.
 */
import type { WardRoster } from "../../streams/sim/ward/messages.ts";

export interface Expected {
  readonly shape: string;
  readonly device: string;
  readonly bed: string | null;
  readonly event: string;
  readonly metric: string | null;
  readonly priority: "low" | "medium" | "high";
  /** Null: none is to be told. */
  readonly value: number | null;
  /** True time in ms, whatever the device's clock says. */
  readonly onset: number;
  /** How far the told onset may be off: 0, or what a wrong clock's estimate may be. */
  readonly withinMs: number;
  /** Wall clock when the message was handed to the network. */
  publishedAt: number;
}

export interface Sending {
  readonly device: string;
  readonly mqttTopic: string;
  readonly payload: Uint8Array;
  readonly raises: readonly Expected[];
}

export const unit = "Ward T";
const stepDownMs = 3_600_000;

const pad = (n: number): string => String(n).padStart(3, "0");
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Which monitors do what. */
const shapes = {
  native: range(0, 60),
  bradycardia: range(60, 70),
  desaturation: range(70, 76),
  zeros: range(76, 82),
  wrongClock: range(82, 86),
  unassociated: range(86, 90),
  unmapped: range(90, 93),
  gap: range(93, 97),
  /** In alarm from their first word to their last, over a restart of the circuit. */
  lasting: range(97, 100),
} as const;
const devices = 100;
const isUnassociated = (i: number): boolean => shapes.unassociated.includes(i);

export const deviceName = (i: number): string => `mon-${pad(i)}`;
const bedOf = (i: number): string | null => (isUnassociated(i) ? null : `T-${pad(i)}`);

/** A device beside the hundred, with a patient and a bed of its own. */
export interface MoreDevice {
  readonly device: string;
  readonly bed: string;
  readonly model: string;
  readonly silentAfterMs: number;
}

export const roster = (nowMs: number, more: readonly MoreDevice[] = []): Omit<WardRoster, "patients" | "consents"> => {
  const at = (ms: number): string => new Date(nowMs + ms).toISOString();
  const linked = range(0, devices)
    .filter((i) => !isUnassociated(i))
    .map((i) => ({ of: String(i), device: deviceName(i), bed: `T-${pad(i)}` }));
  return {
    version: 1,
    devices: [
      ...range(0, devices).map((i) => ({ device: deviceName(i), model: "sim-monitor", serial: null, unit })),
      ...more.map(({ device, model, silentAfterMs }) => ({ device, model, silentAfterMs, serial: null, unit })),
    ],
    beds: [...range(0, devices).map((i) => `T-${pad(i)}`), ...more.map(({ bed }) => bed)].map((bed) => ({ bed, unit })),
    associations: [...linked, ...more.map(({ device, bed }) => ({ of: device, device, bed }))].map(
      ({ of, device, bed }) => ({
        id: `assoc-${of}`,
        revision: 1,
        device,
        subject: `sub-${of}`,
        patientKey: `pat-${of}`,
        bed,
        unit,
        ageBand: "adult",
        from: at(-2 * stepDownMs),
        to: null,
        confirmedBy: "Ines Marchetti RN",
        confirmedAt: at(-stepDownMs),
        assertedBy: "Ines Marchetti RN",
      }),
    ),
  };
};

/** For the telemetry plane; the circuit needs none. */
export const patients = (more: readonly MoreDevice[] = []): WardRoster["patients"] =>
  roster(0, more).associations.map(({ patientKey }) => ({
    patientKey,
    fhirId: patientKey.replace("pat", "patient"),
    identifierSystem: "urn:afferent:test:mrn",
    identifierValue: patientKey,
    encounterFhirId: null,
    active: true,
    version: 1,
  }));

/** Whoever is at a bed is told first, the charge nurse after a minute; nobody's bed goes to the last resort at once. */
export const policy = (
  ways: readonly { readonly notifier: string; readonly to: string }[],
  more: readonly MoreDevice[] = [],
) => {
  const person = (id: string) => ({ id, role: "nurse", inside: true, test: false, addresses: ways });
  const everyPriority = (chain: string) => [
    { priorities: ["high", "medium", "low"], fromMinute: 0, toMinute: 0, chain },
  ];
  const unitPolicy = (name: string, chain: string, beds: readonly string[]) => ({
    unit: name,
    utcOffsetMinutes: 0,
    schedules: everyPriority(chain),
    lastResort: { to: ["resort"], repeatMs: 60_000 },
    remindAcceptedMs: 600_000,
    assignments: beds.map((bed) => ({ bed, to: ["nurse"] })),
  });
  return {
    recipients: ["nurse", "charge", "resort"].map(person),
    chains: [
      {
        name: "bedside",
        steps: [
          { to: ["@bed"], acceptWithinMs: 60_000 },
          { to: ["charge"], acceptWithinMs: 60_000 },
        ],
        continuesWith: null,
      },
      { name: "others", steps: [{ to: ["charge"], acceptWithinMs: 60_000 }], continuesWith: null },
    ],
    units: [
      unitPolicy(
        unit,
        "bedside",
        roster(0, more).beds.map(({ bed }) => bed),
      ),
      unitPolicy("platform", "others", []),
      unitPolicy("*", "others", []),
    ],
  };
};

interface Shown {
  readonly code: string;
  readonly text: string;
  readonly since: number;
  readonly value?: number;
  readonly unit?: string;
}

/** What a device's code is to people; each is a group of its own, so that several at once are several pages. */
const codes: readonly { readonly code: string; readonly event: string; readonly metric: string }[] = [
  { code: "ASYSTOLE", event: "asystole", metric: "heartRate" },
  { code: "VTACH", event: "ventricularTachycardia", metric: "heartRate" },
  { code: "APNEA", event: "apnoea", metric: "respiratoryRate" },
  { code: "VFIB", event: "ventricularFibrillation", metric: "heartRate" },
  { code: "SPO2_LO", event: "low", metric: "spo2" },
];
const calm = { HR: 72, PR: 72, SpO2: 97, RR: 14, TEMP: 36.8 };
const units: Readonly<Record<string, string>> = { HR: "bpm", PR: "bpm", SpO2: "%", RR: "rpm", TEMP: "C" };

interface Moment {
  readonly numerics: Readonly<Record<string, number>>;
  readonly shown: readonly Shown[];
  readonly raises: readonly Omit<Expected, "publishedAt" | "device" | "bed">[];
}

const second = 1_000;
const clockBehindMs = 7_200_000;

/** The script. `storm`: the seconds in which the native ones show five alarms at once, over and over. */
export interface Script {
  readonly startMs: number;
  readonly lasts: number;
  readonly storm: { readonly from: number; readonly to: number };
  readonly gap: { readonly from: number; readonly to: number };
  /** So many native alarms at most, so that the whole is a round number. */
  readonly natives: number;
}

export class Thousand {
  readonly #script: Script;
  readonly expected: Expected[] = [];
  readonly #natives = new Map<number, Shown[]>();
  #nativesLeft: number;
  #sequence = 0;

  constructor(script: Script) {
    this.#script = script;
    this.#nativesLeft = script.natives;
  }

  /** All that is sent in the nth second, in the order of devices. */
  at(n: number): Sending[] {
    this.#sequence++;
    return range(0, devices).flatMap((i) => {
      const moment = this.#moment(i, n);
      return moment === null ? [] : [this.#sending(i, n, moment)];
    });
  }

  #sending(i: number, n: number, { numerics, shown, raises }: Moment): Sending {
    const device = deviceName(i);
    const behindMs = shapes.wrongClock.includes(i) ? clockBehindMs : 0;
    const at = (ms: number): string => new Date(ms - behindMs).toISOString();
    const reading = {
      device,
      boot: "b0b0b0b0",
      seq: this.#sequence,
      time: at(this.#script.startMs + n * second),
      mode: "live",
      numerics: Object.entries({ ...calm, ...numerics }).map(([name, value]) => ({ name, value, unit: units[name] })),
      alarms: shown.map(({ since, ...alarm }) => ({ ...alarm, priority: "high", state: "active", since: at(since) })),
    };
    const expected = raises.map((raised): Expected => ({ ...raised, device, bed: bedOf(i), publishedAt: 0 }));
    this.expected.push(...expected);
    return {
      device,
      mqttTopic: `afferent/${device}/numerics`,
      payload: Buffer.from(JSON.stringify(reading)),
      raises: expected,
    };
  }

  #moment(i: number, n: number): Moment | null {
    if (shapes.bradycardia.includes(i)) return bySpell(this.#script.startMs, n, { HR: 35 }, 9, 24, [hrExtremeLow]);
    if (shapes.desaturation.includes(i)) return bySpell(this.#script.startMs, n, { SpO2: 82 }, 12, 30, [desaturation]);
    if (shapes.zeros.includes(i))
      return bySpell(this.#script.startMs, n, { HR: 0, PR: 0, SpO2: 0, RR: 0 }, 24, 46, zeros);
    if (shapes.gap.includes(i)) return this.#overGap(n);
    if (shapes.lasting.includes(i)) return this.#lasting(i, n);
    return this.#native(i, n);
  }

  /** A device that shows an alarm for four seconds of eight; in the storm five for two of three. */
  #native(i: number, n: number): Moment {
    const { storm, lasts, startMs } = this.#script;
    const isStorm = shapes.native.includes(i) && n >= storm.from && n < storm.to;
    const [period, on] = isStorm ? [3, 2] : [8, 4];
    const phase = isStorm ? (n - storm.from) % period : (n + i) % period;
    const held = this.#natives.get(i) ?? [];
    if (phase === 0 && n + on < lasts && !(n < storm.from && n + on > storm.from)) {
      const raised = (isStorm ? codes : [codes[(n + i) % codes.length]])
        .flatMap((code) => (code === undefined ? [] : [code]))
        .filter(() => this.#nativesLeft-- > 0);
      const since = startMs + n * second;
      const unmapped = shapes.unmapped.includes(i);
      const shown = raised.map(({ code }) =>
        unmapped ? { code: `LAMP-${i}`, text: `Lamp ${i}`, since } : { code, text: code, since },
      );
      this.#natives.set(i, shown);
      return {
        numerics: {},
        shown,
        raises: raised.map(({ event, metric }) => ({
          shape: shapeOf(i, isStorm),
          event: unmapped ? "unmapped" : event,
          metric: unmapped ? null : metric,
          priority: "high",
          value: null,
          onset: since,
          withinMs: shapes.wrongClock.includes(i) ? 2_000 : 0,
        })),
      };
    }
    const shown = phase < on ? held : [];
    if (shown.length === 0) this.#natives.delete(i);
    return { numerics: {}, shown, raises: [] };
  }

  /** In alarm before the gap and after it, by the same onset: raised again. */
  #overGap(n: number): Moment | null {
    const { gap, startMs } = this.#script;
    if (n >= gap.from && n < gap.to) return null;
    const onset = startMs + 5 * second;
    if (n < 5) return { numerics: {}, shown: [], raises: [] };
    const raises = n === 5 || n === gap.to ? [this.#raise(n === 5 ? "before a gap" : "after a gap", onset)] : [];
    return { numerics: {}, shown: [{ code: "VTACH", text: "VTACH", since: onset }], raises };
  }

  #lasting(_i: number, n: number): Moment {
    const onset = this.#script.startMs - 30 * second;
    const raises = n === 0 ? [this.#raise("in alarm at the start", onset)] : [];
    return { numerics: {}, shown: [{ code: "VTACH", text: "VTACH", since: onset }], raises };
  }

  #raise(shape: string, onset: number): Moment["raises"][number] {
    return {
      shape,
      event: "ventricularTachycardia",
      metric: "heartRate",
      priority: "high",
      value: null,
      onset,
      withinMs: 0,
    };
  }
}

const shapeOf = (i: number, isStorm: boolean): string => {
  if (isStorm) return "in a storm";
  if (shapes.wrongClock.includes(i)) return "wrong clock";
  if (shapes.unassociated.includes(i)) return "unassociated device";
  return shapes.unmapped.includes(i) ? "unmapped device alarm" : "device's own";
};

/** A rule of the shipped examples: so many seconds after a spell's beginning it is an alarm, with this value. */
interface ByRule {
  readonly shape: string;
  readonly after: number;
  readonly event: string;
  readonly metric: string;
  readonly value: number;
}
const hrExtremeLow: ByRule = { shape: "by rule: bradycardia", after: 5, event: "low", metric: "heartRate", value: 35 };
const desaturation: ByRule = { shape: "by rule: desaturation", after: 10, event: "low", metric: "spo2", value: 82 };
const zero = (after: number, metric: string): ByRule => ({
  shape: "all zeros",
  after,
  event: "noSignalOrPulse",
  metric,
  value: 0,
});
const zeros: readonly ByRule[] = [
  zero(4, "heartRate"),
  zero(10, "pulseRate"),
  zero(10, "spo2"),
  zero(20, "respiratoryRate"),
];

const bySpell = (
  startMs: number,
  n: number,
  spell: Readonly<Record<string, number>>,
  lasts: number,
  period: number,
  rules: readonly ByRule[],
): Moment => {
  const phase = (n - 2 + period) % period;
  if (n < 2 || phase >= lasts) return { numerics: {}, shown: [], raises: [] };
  const onset = startMs + (n - phase) * second;
  return {
    numerics: spell,
    shown: [],
    raises: rules
      .filter(({ after }) => after === phase)
      .map(({ shape, event, metric, value }) => ({
        shape,
        event,
        metric,
        priority: "high",
        value,
        onset,
        withinMs: 0,
      })),
  };
};
