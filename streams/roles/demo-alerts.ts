/** The ward directory of the demo and of the local stack: the simulated ward's roster without its patients, example rules, and a policy for invented people. */
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { atTheBed } from "../io/policy-rules.ts";
import type { WardRoster } from "../sim/ward/messages.ts";

export interface DemoAlertsOptions {
  /** Becomes a symlink to a version of the directory, beside it. */
  readonly folder: string;
  /** A roster file of the simulated ward. */
  readonly roster: string;
  readonly rules: string;
  /** The notifiers that everybody is told by, each with the recipient's id as its address. */
  readonly tellBy: readonly string[];
  /** Who receives the heartbeats: a notifier and an address; left out: nobody does. */
  readonly beats?: { readonly notifier: string; readonly to: string };
}

/** The synthetic device of the heartbeat (schemas/devices/afferent-heartbeat.ts). */
export const heartbeatDevice = "afferent-heart";
const bedsPerNurse = 4;
const acceptWithinMs = 60_000;

/** Writes a new version and swaps it in: what runs takes it over within a second. */
export const writeDemoAlerts = async (options: DemoAlertsOptions): Promise<void> => {
  const { folder, roster: file, rules } = options;
  const roster = JSON.parse(await readFile(file, "utf8")) as WardRoster;
  const version = `${folder}-${Date.now()}`;
  await mkdir(version, { recursive: true });
  await cp(rules, join(version, "rules.json"));
  await writeFile(join(version, "roster.json"), json(rosterFor(roster, options)));
  await writeFile(join(version, "policy.json"), json(policyFor(roster, options)));
  await rm(`${folder}.next`, { force: true });
  await symlink(basename(version), `${folder}.next`); // beside it, from wherever one looks
  await rename(`${folder}.next`, folder);
};

const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;

/** With the heart only where somebody hears it beat: its silence is an alarm. */
const rosterFor = ({ version, devices, beds, associations }: WardRoster, { beats }: DemoAlertsOptions) => {
  const heart = { device: heartbeatDevice, model: "afferent-heartbeat", serial: null, unit: "platform" };
  return { version, devices: beats === undefined ? devices : [...devices, heart], beds, associations };
};

const slug = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** A nurse for every four beds, a charge nurse for each unit, one physician for all, and somebody for the platform itself. */
const policyFor = ({ beds }: WardRoster, { tellBy, beats }: DemoAlertsOptions) => {
  const units = [...new Set(beds.map(({ unit }) => unit))];
  const nurseOf = (bed: string, unit: string): string => {
    const place = beds.filter((one) => one.unit === unit).findIndex((one) => one.bed === bed);
    return `nurse-${slug(unit)}-${Math.floor(place / bedsPerNurse) + 1}`;
  };
  const person = (id: string, role: string) => ({
    id,
    role,
    inside: true,
    addresses: tellBy.map((notifier) => ({ notifier, to: id })),
  });
  const nurses = [...new Set(beds.map(({ bed, unit }) => nurseOf(bed, unit)))];
  const schedule = (chain: string) => [{ priorities: ["high", "medium", "low"], fromMinute: 0, toMinute: 0, chain }];
  const unitPolicy = (unit: string, chain: string, lastResort: string) => ({
    unit,
    utcOffsetMinutes: 0,
    schedules: schedule(chain),
    lastResort: { to: [lastResort], repeatMs: 60_000 },
    remindAcceptedMs: 900_000,
    assignments: beds.filter((one) => one.unit === unit).map((one) => ({ bed: one.bed, to: [nurseOf(one.bed, unit)] })),
  });
  const step = (...to: string[]) => ({ to, acceptWithinMs });
  return {
    recipients: [
      ...nurses.map((id) => person(id, "nurse")),
      ...units.map((unit) => person(`charge-${slug(unit)}`, "chargeNurse")),
      person("physician", "physician"),
      person("clinical-engineering", "clinicalEngineering"),
      ...(beats === undefined ? [] : [{ id: "heartbeat", role: "test", inside: true, test: true, addresses: [beats] }]),
    ],
    chains: [
      ...units.map((unit) => ({ name: slug(unit), steps: [step(atTheBed), step(`charge-${slug(unit)}`)] })),
      { name: "engineers", steps: [step("clinical-engineering")] },
    ],
    units: [
      ...units.map((unit) => unitPolicy(unit, slug(unit), "physician")),
      unitPolicy("platform", "engineers", "clinical-engineering"),
      unitPolicy("*", "engineers", "physician"),
    ],
  };
};
