/**
 * The act of a named person who opens a destination for one patient's events for some hours (break glass). It is no consent, and is kept
 * apart from it: a record of its own in the patient's log, for ever, that names who, why and until when (clinical.md 19). The gates and
 * every writer judge it (topologies/gates/consented.ts).
 */
import { randomUUID } from "node:crypto";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { AccessOverride } from "../../schemas/records/consent.ts";
import { events } from "../../schemas/topics.ts";
import { longestOverrideMs } from "../../topologies/gates/consented.ts";
import { openPlatform, type Platform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { logTime, scaleTime } from "../core/time.ts";
import { knownScale } from "./source.ts";

export interface OverrideAct {
  readonly patient: string;
  readonly destination: string;
  /** A person's name. */
  readonly as: string;
  readonly because: string;
  /** E.g. "4h" or "30m"; a day at most. */
  readonly for: string;
}

const refused = (detail: string): never => {
  throw new OperatingError("override-refused", detail, { retry: false });
};

const unitMs = { m: 60_000, h: 3_600_000 } as const;

const durationOf = (text: string): number => {
  const [, count, unit] = /^(\d{1,4})([mh])$/.exec(text) ?? [];
  if (count === undefined || (unit !== "m" && unit !== "h"))
    return refused(`--for ${text}: hours or minutes are wanted, e.g. 4h or 30m`);
  const ms = Number(count) * unitMs[unit];
  if (ms === 0 || ms > longestOverrideMs)
    return refused(`--for ${text}: an override ends after a day at the latest, and not at once`);
  return ms;
};

/** Appends the record and gives it. Codes: `override-refused` for nobody, no reason, a duration that is none, an unknown destination. */
export const grantOverride = async (
  { log, wire, config }: Pick<Platform, "log" | "wire" | "config">,
  act: OverrideAct,
  now: () => number,
): Promise<AccessOverride> => {
  const [by, reason, patientKey] = [act.as.trim(), act.because.trim(), act.patient.trim()];
  if (by === "" || reason === "" || patientKey === "") refused("a patient, a person and a reason are wanted");
  const known = config.destinations.map(({ name }) => name);
  if (!known.includes(act.destination))
    refused(`no destination is called ${act.destination}; there are: ${known.join(", ")}`);
  const lastsMs = durationOf(act.for);
  const from = Math.round(scaleTime(await knownScale(config.speed, { log }), now()));
  const override: AccessOverride = {
    kind: "accessOverride",
    id: `override/${randomUUID()}`,
    version: 1,
    patientKey,
    destination: act.destination,
    by,
    reason,
    from,
    to: from + lastsMs,
  };
  const appender = await log.appender("override");
  const value = wire.encode(events, { position: null, logTime: logTime(from), body: override });
  await appender.append([
    { topic: events.name, partition: partitionOf(patientKey, events.partitions), key: patientKey, value },
  ]);
  await appender.close();
  return override;
};

/** As the command line has it: says what was recorded. */
export const override = async (options: OverrideAct & { readonly config: string }): Promise<void> => {
  const platform = await openPlatform(await readConfig(options.config), "override");
  try {
    const { id, patientKey, destination, by, to } = await grantOverride(platform, options, Date.now);
    process.stdout.write(`${id}: ${destination} is open for ${patientKey} until ${utcInstant(to)}, by ${by}\n`);
  } finally {
    await platform.close();
  }
};
