/** A ward for the paging stage's tests: a policy, alarms with everything open to change, and what people and hops say, in short. */
import { eventTime, logTime, receivedTime } from "../core/time.ts";
import type { Driver } from "./drive.ts";
import type {
  Alarm,
  Answer,
  Hop,
  Notification,
  Notified,
  Page,
  Policy,
  Reported,
} from "../../schemas/records/alert.ts";
import type { alertQuarantine, AlarmsBody, notifications as notificationsTopic } from "../../schemas/topics.ts";

type Paging = Driver<AlarmsBody, { notifications: typeof notificationsTopic; quarantine: typeof alertQuarantine }>;

/** 08:00 UTC of some day. */
export const t0 = Date.UTC(2027, 0, 15, 8);
export const at = (second: number): number => t0 + second * 1_000;

const person = (id: string, more: Partial<Policy["recipients"][number]> = {}): Policy["recipients"][number] => ({
  id,
  role: "nurse",
  inside: true,
  test: false,
  addresses: [{ notifier: "mqtt", to: id }],
  ...more,
});

/** Nurse of the bed, then the charge nurse, then the physician; the last resort is the duty phone, every two minutes. */
export const policy = (change: Partial<Policy> = {}): Policy => ({
  kind: "policy",
  version: 1,
  effectiveFrom: logTime(t0 - 3_600_000),
  recipients: [
    person("amsel"),
    person("birke"),
    person("charge", {
      role: "chargeNurse",
      addresses: [
        { notifier: "mqtt", to: "charge" },
        { notifier: "webhook", to: "charge" },
      ],
    }),
    person("physician", { role: "physician" }),
    person("night", { role: "physician" }),
    person("duty", { role: "display" }),
    person("family", { role: "mail", inside: false, addresses: [{ notifier: "smtp", to: "someone@example.org" }] }),
    person("engineer", { role: "clinicalEngineering" }),
    person("beats", { role: "watch", test: true }),
  ],
  chains: [
    { name: "high", steps: [{ to: ["@bed"], acceptWithinMs: 30_000 }], continuesWith: "senior" },
    {
      name: "senior",
      steps: [
        { to: ["charge"], acceptWithinMs: 60_000 },
        { to: ["physician"], acceptWithinMs: 60_000 },
      ],
      continuesWith: null,
    },
    { name: "medium", steps: [{ to: ["@bed"], acceptWithinMs: 180_000 }], continuesWith: "senior" },
    { name: "nightly", steps: [{ to: ["night"], acceptWithinMs: 60_000 }], continuesWith: null },
    { name: "outside", steps: [{ to: ["family"], acceptWithinMs: 60_000 }], continuesWith: null },
    { name: "engineers", steps: [{ to: ["engineer"], acceptWithinMs: 60_000 }], continuesWith: null },
  ],
  units: [
    {
      unit: "ICU",
      utcOffsetMinutes: 60,
      offsets: [],
      schedules: [
        { priorities: ["high"], fromMinute: 420, toMinute: 1_320, chain: "high" },
        { priorities: ["medium", "low"], fromMinute: 420, toMinute: 1_320, chain: "medium" },
        { priorities: ["high", "medium", "low"], fromMinute: 1_320, toMinute: 420, chain: "nightly" },
      ],
      lastResort: { to: ["duty"], repeatMs: 120_000 },
      remindAcceptedMs: 600_000,
      assignments: [
        { bed: "4", to: ["amsel"] },
        { bed: "5", to: ["birke"] },
      ],
    },
    unitOf("*", "senior"),
    unitOf("platform", "engineers"),
    unitOf("outside", "outside"),
  ],
  ...change,
});

const unitOf = (unit: string, chain: string): Policy["units"][number] => ({
  unit,
  utcOffsetMinutes: 0,
  offsets: [],
  schedules: [{ priorities: ["high", "medium", "low"], fromMinute: 0, toMinute: 0, chain }],
  lastResort: { to: ["duty"], repeatMs: 120_000 },
  remindAcceptedMs: 600_000,
  assignments: [],
});

/** Heart rate above its limit at bed 4 by rule, begun and received at that second. */
export const alarmAt = (second: number, change: Partial<Alarm> = {}): Alarm => ({
  kind: "alarm",
  identity: `high@${second}`,
  instance: 0,
  revision: 0,
  phase: "start",
  source: "rule",
  event: "high",
  alertType: "physiological",
  direction: "high",
  priority: "high",
  device: "mon-4",
  channel: "ecg",
  metric: "heartRate",
  text: "Heart rate (ECG) 150 /min, above its limit of 140",
  group: "subject-4/heartRate/high",
  subject: "subject-4",
  unit: "ICU",
  bed: "4",
  bedSince: at(-3_600),
  bedConfirmed: true,
  onset: eventTime(at(second)),
  end: null,
  receivedTime: receivedTime(at(second)),
  present: true,
  signal: "active",
  inactivation: "enabled",
  timeliness: "current",
  value: 150,
  ucum: "/min",
  lowLimit: null,
  highLimit: 140,
  rule: "hr-high",
  ruleVersion: 1,
  origin: `episode@${second}`,
  test: false,
  detail: null,
  ...change,
});
export const ended = (alarm: Alarm, second: number, change: Partial<Alarm> = {}): Alarm => ({
  ...alarm,
  revision: alarm.revision + 1,
  phase: "end",
  present: false,
  signal: "inactive",
  end: eventTime(at(second)),
  ...change,
});
export const lost = (second: number, bed: string | null, device = `mon-${bed}`): Alarm =>
  alarmAt(second, {
    identity: `lost-${device}@${second}`,
    source: "technical",
    event: "monitoringLost",
    alertType: "technical",
    direction: "none",
    device,
    channel: "device",
    metric: null,
    text: "monitoring lost",
    group: `${device}/technical/${device}/device/monitoringLost`,
    bed,
    value: null,
    ucum: null,
    highLimit: null,
    rule: null,
    ruleVersion: null,
    origin: "",
  });
export const reportedAt = (second: number, change: Partial<Reported> = {}): Reported => ({
  kind: "reported",
  episode: `episode@${second}`,
  device: "mon-4",
  channel: "ecg",
  metric: "heartRate",
  event: "high",
  direction: "high",
  priority: "high",
  unit: "ICU",
  text: "Heart rate (ECG) 150 /min, above its limit of 140",
  start: eventTime(at(second)),
  end: null,
  subject: "subject-4",
  ...change,
});

export interface PagedWard extends Paging {
  /** At a second, under the unit's key. */
  say(second: number, body: AlarmsBody, unit?: string): void;
  /** The last page's, unless told otherwise. */
  answer(second: number, who: string, what: Answer["what"], page?: string): void;
  notified(
    second: number,
    notification: Notification | undefined,
    notifier: string,
    outcome: Notified["outcome"],
  ): void;
  hop(second: number, name: string, up: boolean, unit?: string): void;
  /** A tick each half second from the first to the last second. */
  pass(from: number, to: number): void;
  notifications(): readonly Notification[];
  /** As "12 alarm start high -> amsel #0/0": second, what, phase, event, recipient, step and attempt. */
  told(): readonly string[];
  rows(): readonly Page[];
  /** Each page as it stands, in the order in which they were opened. */
  pages(): readonly Page[];
}

let answers = 0;

/** `d` drives the paging stage. Without a policy where it is null. */
export const pagedWard = (d: Paging, inForce: Policy | null = policy()): PagedWard => {
  if (inForce !== null) d.send("", at(-1), inForce);
  const rows = (): readonly Page[] =>
    d
      .outputs("notifications")
      .map(({ body }) => body)
      .filter((body) => body.kind === "page");
  const pages = (): readonly Page[] => [...new Map(rows().map((row) => [row.identity, row])).values()];
  const notifications = (): readonly Notification[] =>
    d
      .outputs("notifications")
      .map(({ body }) => body)
      .filter((body) => body.kind === "notification");
  const say: PagedWard["say"] = (second, body, unit = "ICU") => d.send(unit, at(second), body);
  return {
    ...d,
    say,
    answer: (second, who, what, page = pages().at(-1)?.identity ?? "none") =>
      say(second, { kind: "answer", id: `answer-${answers++}`, page, who, what, at: at(second), via: "webhook" }),
    notified: (second, notification, notifier, outcome) =>
      say(second, {
        kind: "notified",
        notification: notification?.identity ?? "none",
        page: notification?.page ?? "none",
        recipient: notification?.recipient ?? "none",
        notifier,
        outcome,
        detail: "",
        at: at(second),
      }),
    hop: (second, name, up, unit = "platform") => {
      const body: Hop = { kind: "hop", hop: name, up, since: at(second), detail: "connection refused" };
      say(second, body, unit);
    },
    pass: (from, to) => {
      for (let ms = at(from); ms <= at(to); ms += 500) d.tick(ms);
    },
    notifications,
    told: () =>
      notifications().map(
        (n) => `${(n.at - t0) / 1_000} ${n.what} ${n.phase} ${n.event} -> ${n.recipient} #${n.step}/${n.attempt}`,
      ),
    rows,
    pages,
  };
};
