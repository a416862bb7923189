/** The circuit's stages in a row, for tests: three rules, a policy of two steps, and one monitor that says what it is told. */
import { adapter as heartbeat } from "../schemas/devices/afferent-heartbeat.ts";
import { adapter as monitor } from "../schemas/devices/sim-monitor.ts";
import type { Notification, Page, Policy } from "../schemas/records/alert.ts";
import type { Rule } from "../schemas/records/broadcast.ts";
import type { Association } from "../schemas/records/roster.ts";
import { utcInstant } from "../schemas/fhir/instant.ts";
import type { RawBody } from "../schemas/topics.ts";
import { logTime, receivedTime } from "../streams/core/time.ts";
import { chain } from "../streams/sim/chain.ts";
import { drive } from "../streams/sim/drive.ts";
import { at, link, monitorOf, ruleOf, t0 } from "../streams/sim/said.ts";
import { alarms } from "./alarms.ts";
import { normalise } from "./normalise.ts";
import { paging } from "./paging.ts";
import { thresholds } from "./thresholds.ts";

export const adapters = new Map([monitor, heartbeat].map((adapter) => [adapter.model, adapter]));

const rules: readonly Rule[] = [
  ruleOf({ id: "hr-low", when: "below", limit: 50, clear: 54, minimumMs: 5_000, priority: "high" }),
  ruleOf({ id: "hr-high", when: "above", limit: 120, clear: 115, minimumMs: 5_000 }),
  ruleOf({ id: "hr-zero", when: "indeterminateZero", limit: 0, minimumMs: 4_000, priority: "high" }),
];

const recipient = (id: string): Policy["recipients"][number] => ({
  id,
  role: id,
  inside: true,
  test: id === "watch",
  addresses: [{ notifier: "console", to: id }],
});
const allDay = { fromMinute: 0, toMinute: 0 };
const policy: Policy = {
  kind: "policy",
  version: 1,
  effectiveFrom: logTime(t0 - 1),
  recipients: ["nurse", "charge", "doctor", "engineer", "watch"].map(recipient),
  chains: [
    {
      name: "bedside",
      steps: [
        { to: ["nurse"], acceptWithinMs: 60_000 },
        { to: ["charge"], acceptWithinMs: 60_000 },
      ],
      continuesWith: null,
    },
    { name: "platform", steps: [{ to: ["engineer"], acceptWithinMs: 60_000 }], continuesWith: null },
  ],
  units: [
    { unit: "*", chain: "bedside", last: "doctor" },
    { unit: "platform", chain: "platform", last: "engineer" },
  ].map(({ unit, chain: of, last }) => ({
    unit,
    utcOffsetMinutes: 0,
    offsets: [],
    schedules: [{ priorities: ["high", "medium", "low"], ...allDay, chain: of }],
    lastResort: { to: [last], repeatMs: 60_000 },
    remindAcceptedMs: 600_000,
    assignments: [],
  })),
};

/** The circuit's stages one after the other, as over its log. */
export const circuit = () => {
  const first = drive(normalise(adapters));
  const second = drive(thresholds);
  const third = drive(alarms);
  const last = drive(paging);
  second.send("", t0 - 1, { kind: "rules", version: 1, effectiveFrom: logTime(t0 - 1), rules });
  last.send("", t0 - 1, policy);
  return {
    ...chain<RawBody>([first, second, third, last], ["vitals", "episodes", "alarms"]),
    outputs: third.outputs,
    answer: last.send,
    told: () =>
      last
        .outputs("notifications")
        .map(({ body }) => body)
        .filter((body): body is Notification => body.kind === "notification"),
    pages: () =>
      last
        .outputs("notifications")
        .map(({ body }) => body)
        .filter((body): body is Page => body.kind === "page"),
    refusals: () => [first, second, third, last].flatMap((stage) => stage.refusals()),
  };
};
export type Circuit = ReturnType<typeof circuit>;

export const device = monitorOf({ model: "sim-monitor" });

interface Second {
  readonly hr?: number;
  readonly pr?: number;
  readonly alarms?: readonly object[];
  readonly flags?: object;
  /** When it arrives, in seconds; the second itself unless told otherwise. */
  readonly arrives?: number;
  /** By how much the device's clock is wrong. */
  readonly clockMs?: number;
  /** What second its clock gives. */
  readonly claims?: number;
}

/** One reading of mon-1, as the simulated ward's monitor sends it. */
export const say = (
  c: Circuit,
  second: number,
  { hr = 72, pr = hr, alarms: shown = [], ...more }: Second = {},
): void => {
  const { arrives = second, clockMs = 0, claims = second, flags } = more;
  const payload = {
    device: "mon-1",
    boot: "b1",
    seq: second + 20_000,
    time: utcInstant(at(claims) + clockMs),
    numerics: [
      { name: "HR", value: hr, unit: "bpm" },
      { name: "PR", value: pr, unit: "bpm" },
    ],
    alarms: shown,
    ...(flags !== undefined && { flags }),
  };
  sendBytes(c, arrives, JSON.stringify(payload));
};
export const sendBytes = (c: Circuit, second: number, text: string): void =>
  c.send("mon-1", at(second), {
    kind: "reading",
    device: "mon-1",
    stream: "numerics",
    mqttTopic: "afferent/mon-1/numerics",
    payload: new TextEncoder().encode(text),
    receivedTime: receivedTime(at(second)),
    session: "s-1",
    dup: false,
    retained: false,
    truncated: null,
  });
/** As the monitor shows it, since that second. */
export const asystole = (since: number, clockMs = 0): object => ({
  code: "ASYSTOLE",
  text: "*** ASYSTOLE",
  priority: "high",
  state: "active",
  silence: "none",
  since: utcInstant(at(since) + clockMs),
});
/** Seconds `from` to `to`, each with a reading and a tick. */
export const stream = (c: Circuit, from: number, to: number, of: Second = {}): void => {
  for (let second = from; second <= to; second++) {
    say(c, second, of);
    c.tick(at(second) + 500);
  }
};
/** Ticks alone. */
export const silence = (c: Circuit, from: number, to: number): void => {
  for (let second = from; second <= to; second++) c.tick(at(second) + 500);
};
/** The circuit with mon-1 in the roster, at its patient. */
export const linked = (more: Partial<Association> = {}): Circuit => {
  const c = circuit();
  c.send("mon-1", t0, device);
  c.send("mon-1", t0, link({ from: t0 - 3_600_000, ...more }));
  return c;
};

/** A beat of the platform's own device, five seconds after the last. */
export const beat = (c: Circuit, seq: number): void =>
  c.send("beat-1", at(5 * seq), {
    kind: "reading",
    device: "beat-1",
    stream: "alarms",
    mqttTopic: "afferent-platform/beat-1/alarms",
    payload: new TextEncoder().encode(JSON.stringify({ device: "beat-1", boot: "x", seq, time: at(5 * seq) })),
    receivedTime: receivedTime(at(5 * seq)),
    session: "s",
    dup: false,
    retained: false,
    truncated: null,
  });
