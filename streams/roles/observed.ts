/**
 * What a person saw of a patient, or an order that he was given, for his scores (clinical.md 23): oxygen, ACVPU, which SpO2 scale, pregnancy;
 * urea before and after a dialysis session, and the weight after. A record in the patient's log, for ever, that names who says it.
 */
import { utcInstant } from "../../schemas/fhir/instant.ts";
import { momentOf } from "../../schemas/fhir/moment.ts";
import type { Observed } from "../../schemas/records/clinical.ts";
import { events } from "../../schemas/topics.ts";
import { isObservable, observables, observedProblemAt } from "../../topologies/scores/observed.ts";
import { openPlatform, type Platform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { logTime, scaleTime } from "../core/time.ts";
import { knownScale } from "./source.ts";

export interface ObservedAct {
  readonly patient: string;
  /** E.g. "oxygen"; see `Observed`. */
  readonly what: string;
  readonly value: string;
  /** UCUM; of urea and weight it must be said, so that nobody's mg/dL are taken for mmol/L. */
  readonly unit?: string;
  /** A person's name. */
  readonly as: string;
  /** When it was so, in the ward's time: ISO 8601 with a zone, to the second at least; now unless told otherwise. */
  readonly at?: string;
}

const refused = (detail: string): never => {
  throw new OperatingError("observed-refused", detail, { retry: false });
};

const timeOf = (text: string): number => {
  const moment = text.includes("T") ? momentOf(text) : null;
  return moment === null
    ? refused(`--at ${text}: a time with a zone is wanted, e.g. 2026-11-21T14:05:00Z`)
    : moment.beginEarliest;
};

const observedOf = ({ what, value, unit, as, at, patient }: ObservedAct, now: number): Observed => {
  const patientKey = patient.trim();
  if (patientKey === "") return refused("a patient is wanted");
  if (!isObservable(what)) return refused(`--what ${what}: there are ${observables.join(", ")}`);
  const its = { patientKey, what, value: value.trim(), ucum: unit ?? null, by: as.trim() };
  const said: Observed = { kind: "observed", ...its, at: at === undefined ? now : timeOf(at) };
  const problem = observedProblemAt(said, now);
  return problem === null ? said : refused(`${problem.detail} (${problem.reason})`);
};

/** Appends the record and gives it. Code: `observed-refused`, with the reason of topologies/scores/observed.ts. */
export const recordObserved = async (
  { log, wire, config }: Pick<Platform, "log" | "wire" | "config">,
  act: ObservedAct,
  now: () => number,
): Promise<Observed> => {
  const at = Math.round(scaleTime(await knownScale(config.speed, { log }), now()));
  const said = observedOf(act, at);
  const { patientKey: key } = said;
  const appender = await log.appender("observed");
  const value = wire.encode(events, { position: null, logTime: logTime(at), body: said });
  await appender.append([{ topic: events.name, partition: partitionOf(key, events.partitions), key, value }]);
  await appender.close();
  return said;
};

/** As the command line has it: says what was recorded. */
export const observed = async (options: ObservedAct & { readonly config: string }): Promise<void> => {
  const platform = await openPlatform(await readConfig(options.config), "observed");
  try {
    const { patientKey, what, value, ucum, by, at } = await recordObserved(platform, options, Date.now);
    const said = ucum === null ? value : `${value} ${ucum}`;
    process.stdout.write(`${what} ${said} of ${patientKey} at ${utcInstant(at)}, by ${by}\n`);
  } finally {
    await platform.close();
  }
};
