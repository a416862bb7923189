/** An open page as it is kept: its alarms, how far its escalation has come, and who was told what. */
import type { LogTime } from "../../streams/core/time.ts";
import type { Alarm, Page, Responsibility } from "../../schemas/records/alert.ts";
import type { Priority } from "../../schemas/priority.ts";
import { alarmEventOf } from "../../schemas/alarm-events.ts";

/** Somebody who was told of a page, or who took it. */
export interface Person extends Responsibility {
  /** Where he was told last. */
  readonly step: number;
  /** What he was told last; null where he took it unasked. */
  readonly notification: string | null;
  /** The notifiers that have not failed with it; null once one has confirmed it. */
  readonly ways: readonly string[] | null;
}

/** One condition that has been on a page: its next instance is a re-raise. */
export type ConditionName = string;

export interface OpenPage {
  readonly identity: string;
  readonly revision: number;
  readonly unit: string;
  /** The unit whose policy tells who: `platform` for the platform's own. */
  readonly policyUnit: string;
  readonly group: string;
  /** Present or latched ones, the gravest first; those that ended with the page stay. */
  readonly alarms: readonly string[];
  readonly had: readonly ConditionName[];
  /** Of the gravest, as people were told. */
  readonly priority: Priority;
  readonly raisedAt: LogTime;
  readonly state: "escalating" | "accepted";
  readonly acceptedBy: string | null;
  /** The step that was told last; -1 before the first. */
  readonly step: number;
  /** The chain that `step` is of: another shift may have another. Without where version 1 told it. */
  readonly chain?: string | null;
  readonly lastResort: boolean;
  /** What is to be told with the next tick, together with what comes until then. */
  readonly tellAt: LogTime | null;
  readonly redirectAt: LogTime | null;
  readonly repeatAt: LogTime | null;
  readonly remindAt: LogTime | null;
  /** Its last alarm made way for a next instance: over with the next tick unless that has come. */
  readonly settleAt: LogTime | null;
  readonly people: readonly Person[];
  /** How often somebody was told at a step, by "step recipient". */
  readonly attempts: Readonly<Record<string, number>>;
  /** The last answers taken, by id: a redelivered one is none. */
  readonly answers: readonly string[];
  /** Of the row that was told last. */
  readonly row: string;
}

/** Before its first step: nobody was told, nobody has accepted. */
export const untold = {
  state: "escalating",
  acceptedBy: null,
  step: -1,
  lastResort: false,
  tellAt: null,
  redirectAt: null,
  repeatAt: null,
  remindAt: null,
} as const satisfies Partial<OpenPage>;

export const rank: Readonly<Record<Priority, number>> = { low: 0, medium: 1, high: 2 };

/** Still to be told of: there, or waiting for its reset. */
export const stands = ({ present, signal }: Alarm): boolean => present || signal === "latched";

/** The gravest first: by priority, what is present, what concerns the body, what began first. */
export const byGravity = (a: Alarm, b: Alarm): number =>
  rank[b.priority] - rank[a.priority] ||
  Number(b.present) - Number(a.present) ||
  Number(b.alertType === "physiological") - Number(a.alertType === "physiological") ||
  a.onset - b.onset ||
  (a.identity < b.identity ? -1 : 1);

export const conditionOf = ({
  event,
  source,
  device,
  channel,
  metric,
  direction,
  rule,
  origin,
}: Alarm): ConditionName =>
  JSON.stringify([event, source, device, channel, metric, direction, rule, source === "technical" ? origin : ""]);

/** When the page wants to be looked at again; null: only when somebody says something. */
export const nextAt = (page: OpenPage): LogTime | null =>
  [page.tellAt, page.redirectAt, page.repeatAt, page.remindAt, page.settleAt].reduce(
    (least, at) => (at === null || (least !== null && least <= at) ? least : at),
    null,
  );

/** Losses and misses of a unit are one page, told together with the next tick. */
const together: ReadonlySet<string> = new Set(["monitoringLost", "missedByCircuit"]);
export const isTogether = ({ event, source }: Alarm): boolean => source === "technical" && together.has(event);
export const groupOf = (alarm: Alarm): string => (isTogether(alarm) ? `together/${alarm.event}` : alarm.group);

/** The beds that a page is about, each once: where something is present, else where it was. */
export const bedsOf = (alarms: readonly Alarm[]): readonly string[] => {
  const present = alarms.filter((alarm) => alarm.present);
  return [...new Set((present.length > 0 ? present : alarms).map(({ bed }) => bed))]
    .filter((bed) => bed !== null)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
};

/** Every unmonitored bed by name, and every device that nobody places at one; empty where the page is no loss. */
export const unmonitored = (alarms: readonly Alarm[]): readonly string[] => {
  const lost = alarms.filter(({ event, present }) => event === "monitoringLost" && present);
  return [...bedsOf(lost), ...lost.filter(({ bed }) => bed === null).map(({ device }) => `no bed (${device})`)];
};

/** What people read of it: the gravest alarm's words, and every unmonitored bed. */
export const textOf = (gravest: Alarm, alarms: readonly Alarm[]): string => {
  const beds = unmonitored(alarms);
  if (beds.length > 0)
    return `${alarmEventOf(gravest.event).label}: ${beds.length === 1 ? "bed" : "beds"} ${beds.join(", ")}`;
  const label = alarmEventOf(gravest.event).label;
  return isTogether(gravest) && alarms.length > 1 ? `${label} (${alarms.length}): ${gravest.text}` : gravest.text;
};

/** The page as people see it, without its revision. */
export const rowOf = (page: OpenPage, alarms: readonly Alarm[], overAt: LogTime | null): Omit<Page, "revision"> => {
  const [gravest] = alarms;
  if (gravest === undefined) throw new Error(`page ${page.identity} has no alarm`);
  const { device, event, alertType, priority, onset, bedSince, bedConfirmed } = gravest;
  const sameBed = alarms.every(({ bed }) => bed === gravest.bed);
  return {
    kind: "page",
    identity: page.identity,
    unit: page.unit,
    bed: sameBed ? gravest.bed : null,
    bedSince: sameBed ? bedSince : null,
    bedConfirmed: sameBed && bedConfirmed,
    device,
    event,
    alertType,
    text: textOf(gravest, alarms),
    priority,
    onset,
    alarms: alarms.map(({ identity }) => identity),
    state: overAt === null ? page.state : "over",
    latched: overAt === null && alarms.some(({ signal }) => signal === "latched"),
    step: Math.max(page.step, 0),
    lastResort: page.lastResort,
    nextAt: overAt === null ? nextAt(page) : null,
    acceptedBy: page.acceptedBy,
    responsibilities: page.people.map(({ recipient, state, since }) => ({ recipient, state, since })),
    raisedAt: page.raisedAt,
    overAt,
    test: false,
  };
};

/** With what is so of one person now; the others keep their places. */
export const withPerson = (page: OpenPage, person: Person): OpenPage => {
  const isKnown = page.people.some(({ recipient }) => recipient === person.recipient);
  const people = page.people.map((one) => (one.recipient === person.recipient ? person : one));
  return { ...page, people: isKnown ? people : [...people, person] };
};
