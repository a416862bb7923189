/**
 * Who is to be told, by the escalation policy in force: the unit's chain for a priority at a local minute of its day, and the recipients
 * behind the names. Where no policy is in force, or one has a hole that its reader should have refused, the console is told: never nobody.
 */
import { logTime } from "../streams/core/time.ts";
import type { EscalationStep, Policy, Recipient, UnitPolicy } from "../schemas/records/alert.ts";
import type { Priority } from "../schemas/priority.ts";

/** Policies by version, ascending; the last few are kept, for one may be announced ahead of its time. */
export interface Policies {
  readonly policies: readonly Policy[];
}

const kept = 4;

export const noPolicies: Policies = { policies: [] };

/** Idempotent by version. */
export const withPolicy = (known: Policies, next: Policy): Policies =>
  known.policies.some(({ version }) => version === next.version)
    ? known
    : { policies: [...known.policies, next].sort((a, b) => a.version - b.version).slice(-kept) };

/** The highest version whose time has come; before any time has come, the first there is. */
export const policyInForce = ({ policies }: Policies, logTimeMs: number): Policy | null =>
  policies.findLast(({ effectiveFrom }) => effectiveFrom <= logTimeMs) ?? policies[0] ?? null;

/** The policy's unit for the platform's own alarms. */
export const platformUnit = "platform";
/** Whoever is assigned to the bed; a word in place of a recipient. */
const atTheBed = "@bed";

const console: Recipient = {
  id: "console",
  role: "console",
  inside: true,
  test: false,
  addresses: [{ notifier: "console", to: "console" }],
};
const consoleUnit: UnitPolicy = {
  unit: "*",
  utcOffsetMinutes: 0,
  offsets: [],
  schedules: [],
  lastResort: { to: [console.id], repeatMs: 60_000 },
  remindAcceptedMs: 600_000,
  assignments: [],
};

/** What holds before any policy was announced: the console, every minute until somebody accepts. */
export const consolePolicy: Policy = {
  kind: "policy",
  version: 0,
  effectiveFrom: logTime(0),
  recipients: [console],
  chains: [],
  units: [consoleUnit],
};

/** Whom to tell of one unit's alarms of one priority, as of one moment. */
export interface Plan {
  readonly unit: UnitPolicy;
  /** One after the other; beyond them is the unit's last resort. */
  readonly steps: readonly EscalationStep[];
  /** With which of the unit's chains they begin; null: with none. */
  readonly chain: string | null;
}

/** The plan of `unit` (or of the unit `*`) for a priority at a log time in ms. */
export const policyFor = (policy: Policy, unit: string, priority: Priority, logTimeMs: number): Plan => {
  const its = policy.units.find((one) => one.unit === unit) ?? policy.units.find((one) => one.unit === "*");
  if (its === undefined) return { unit: consoleUnit, steps: [], chain: null };
  const minute = minuteOfDay(logTimeMs, offsetAt(its, logTimeMs));
  const schedule = its.schedules.find((one) => one.priorities.includes(priority) && isIn(one, minute));
  return schedule === undefined
    ? { unit: its, steps: [], chain: null }
    : { unit: its, steps: stepsOf(policy, schedule.chain), chain: schedule.chain };
};

/** Minutes that the unit's clocks are ahead of UTC at a log time in ms. */
const offsetAt = ({ utcOffsetMinutes, offsets }: UnitPolicy, logTimeMs: number): number =>
  offsets.findLast(({ from }) => from <= logTimeMs)?.minutes ?? utcOffsetMinutes;

const minuteOfDay = (ms: number, utcOffsetMinutes: number): number =>
  (((Math.floor(ms / 60_000) + utcOffsetMinutes) % 1_440) + 1_440) % 1_440;

/** [from, to); to below from runs over midnight; equal: all day. */
const isIn = ({ fromMinute, toMinute }: UnitPolicy["schedules"][number], minute: number): boolean => {
  const from = fromMinute % 1_440;
  const to = toMinute % 1_440;
  if (from === to) return true;
  return from < to ? from <= minute && minute < to : minute >= from || minute < to;
};

/** A chain and those that it continues with; one that comes back to itself ends there. */
const stepsOf = ({ chains }: Policy, first: string): readonly EscalationStep[] => {
  const steps: EscalationStep[] = [];
  const been = new Set<string>();
  for (let name: string | null = first; name !== null && !been.has(name); ) {
    been.add(name);
    const chain = chains.find((one) => one.name === name);
    steps.push(...(chain?.steps ?? []));
    name = chain?.continuesWith ?? null;
  }
  return steps;
};

export interface Resolved {
  readonly recipients: readonly Recipient[];
  /** Somebody at the bed was to be told, and of at least one of the beds nobody is known. */
  readonly unassigned: boolean;
}

/** The persons behind a step's names, each once; a test receiver is no person. `beds` are those that the page is about. */
export const resolve = (
  { recipients }: Policy,
  { assignments }: UnitPolicy,
  to: readonly string[],
  beds: readonly string[],
): Resolved => {
  const person = (id: string): Recipient | undefined =>
    recipients.find((one) => one.id === id && !one.test && one.addresses.length > 0);
  const at = (bed: string): readonly string[] => assignments.find((one) => one.bed === bed)?.to ?? [];
  const ids = to.flatMap((id) => (id === atTheBed ? beds.flatMap(at) : [id]));
  const found = [...new Set(ids)].map(person).filter((one) => one !== undefined);
  const alone = (bed: string): boolean => !at(bed).some((id) => person(id) !== undefined);
  return { recipients: found, unassigned: to.includes(atTheBed) && (beds.length === 0 || beds.some(alone)) };
};

/** The last resort's persons; the console where there is none. */
export const lastResortOf = (policy: Policy, { unit }: Plan): readonly Recipient[] => {
  const { recipients } = resolve(policy, unit, unit.lastResort.to, []);
  return recipients.length > 0 ? recipients : [console];
};

/** Who alone receives heartbeats and tests (clinical.md 17). */
export const testRecipients = ({ recipients }: Policy): readonly Recipient[] => recipients.filter(({ test }) => test);

/** Whether a person of that name is known; a test receiver is none. */
export const isPerson = ({ recipients }: Policy, who: string): boolean =>
  recipients.some(({ id, test }) => id === who && !test);
