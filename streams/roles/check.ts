/** Validates configuration, rules, roster, schemas and device mappings, and prints every problem with its place. */
import { readFile } from "node:fs/promises";
import { describeTopology, loadRules, openRegistry } from "../compose.ts";
import { type Config, readConfig } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import { openAdapter } from "../destination-kinds.ts";
import { openAuthorization } from "../io/authorization/authorization.ts";
import { loadAdapters } from "../io/device-adapters.ts";
import { whyUnreadable } from "../io/registry/compatibility.ts";
import { subjectOf } from "../io/registry/wire.ts";
import { readRoster, type Roster } from "../io/roster-file.ts";
import { heardPlaces, placeWarnings, sectionProblems } from "./roster/check.ts";
import { readRules } from "../../topologies/rules.ts";

/** A problem and its place, as `file: place: what is wrong`. */
type Problems = readonly string[];

const problemsFound = 3;

/** Prints what it checked, each problem and each warning; gives the exit code: 3 where there are problems, else 0. */
export const check = async (configFile: string): Promise<number> => {
  const config = await readConfig(configFile);
  const parts: readonly (readonly [string, () => Promise<Problems>])[] = [
    [`rules ${config.rules.join(", ")}`, () => checkRules(config)],
    [`roster ${config.roster}`, () => checkRoster(config)],
    ...(config.rosterService === undefined ? [] : [["roster service", () => checkRosterService(config)] as const]),
    ["rules for everybody's age", () => checkPopulations(config)],
    ["device mappings", () => checkMappings(config)],
    ["destinations", () => checkDestinations(config)],
    ["keys of what is read", () => checkKeys(config)],
    ["schemas", () => checkSchemas(config)],
  ];
  process.stdout.write(`ok       configuration ${configFile}\n`);
  let count = 0;
  for (const [what, run] of parts) count += tell("problem ", what, await run());
  const warnings =
    config.rosterService === undefined ? 0 : tell("warning ", "beds that ADT can name", await warnOfPlaces(config));
  const counted = (n: number, one: string): string => `${n === 0 ? "no" : n} ${one}${n === 1 ? "" : "s"}`;
  process.stdout.write(`${counted(count, "problem")}${warnings === 0 ? "" : `, ${counted(warnings, "warning")}`}\n`);
  return count === 0 ? 0 : problemsFound;
};

/** How many there are. */
const tell = (grade: "problem " | "warning ", what: string, found: Problems): number => {
  process.stdout.write(`${found.length === 0 ? "ok      " : grade} ${what}\n`);
  for (const one of found) process.stdout.write(`           ${one}\n`);
  return found.length;
};

const read = async (file: string): Promise<string | null> => readFile(file, "utf8").catch(() => null);

const checkRules = async (config: Config): Promise<Problems> => {
  const problems: string[] = [];
  for (const file of config.rules) {
    const text = await read(file);
    if (text === null) problems.push(`${file}: can't be read`);
    else
      for (const { place, message } of readRules(text, { allowPlain: config.allowPlainRules }).problems)
        problems.push(`${file}: ${place}: ${message}`);
  }
  return problems;
};

const checkRoster = async (config: Config): Promise<Problems> => {
  const text = await read(config.roster);
  if (text === null) return [`${config.roster}: can't be read`];
  const reading = readRoster(text);
  if (!reading.ok)
    return reading.problems.map(({ place, reason, detail }) => `${config.roster}: ${place}: ${detail} (${reason})`);
  const known = new Set(config.destinations.map(({ name }) => name));
  return reading.value.consents.flatMap(({ id, destination }, i) =>
    known.has(destination)
      ? []
      : [`${config.roster}: consents[${i}].destination: ${id} names ${destination}, which is not configured`],
  );
};

const rosterOf = async (config: Config): Promise<Roster | undefined> => {
  const text = await read(config.roster);
  const reading = text === null ? undefined : readRoster(text);
  return reading?.ok === true ? reading.value : undefined;
};

const checkRosterService = async (config: Config): Promise<Problems> => {
  const roster = await rosterOf(config);
  return roster === undefined || config.rosterService === undefined
    ? []
    : sectionProblems(config.rosterService, roster, config);
};

/** What may be as it should, and often is not. */
const warnOfPlaces = async (config: Config): Promise<Problems> => {
  const roster = await rosterOf(config);
  if (roster === undefined || config.rosterService === undefined) return [];
  try {
    return placeWarnings(config.rosterService, roster, heardPlaces(config));
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    return [error.message];
  }
};

/** Somebody whose age no rule is for is judged by the adults' rules and never promoted: a hospital is to know that beforehand. */
const checkPopulations = async (config: Config): Promise<Problems> => {
  const text = await read(config.roster);
  const reading = text === null ? undefined : readRoster(text);
  const rules = await loadRules(config).catch(() => undefined);
  if (reading === undefined || !reading.ok || rules === undefined) return [];
  const judged = new Set<string | null>(rules.map(({ ageBand }) => ageBand));
  const last = new Map(reading.value.associations.map((association) => [association.id, association]));
  return [...last.values()].flatMap(({ id, bed, ageBand, to }) =>
    ageBand === null || to !== null || judged.has(ageBand)
      ? []
      : [`${config.roster}: association ${id} (bed ${bed}): no rule is for a ${ageBand}; adult limits alarm there`],
  );
};

/** Every destination opens: its keys, certificates and mapping can be read. Nothing is sent to any. */
const checkDestinations = async ({ destinations }: Config): Promise<Problems> => {
  const names = destinations.map(({ name }) => name);
  const twice = names
    .filter((name, i) => names.indexOf(name) < i)
    .map((name) => `destinations: ${name} is named twice`);
  const closing = new AbortController();
  const problems = await Promise.all(
    destinations.map(async (destination, i) => {
      try {
        await (await openAdapter(destination, { signal: closing.signal })).close();
        if (destination.audit?.auth !== undefined) await openAuthorization(destination.audit.auth);
        return [];
      } catch (error) {
        if (!(error instanceof OperatingError)) throw error;
        return [`destinations[${i}]: ${destination.name}: ${error.message}`];
      }
    }),
  );
  closing.abort();
  return [...twice, ...problems.flat()];
};

/** The keys and tokens by which FHIR servers are read can be read themselves. Nothing is sent to any. */
const checkKeys = async ({ consentSource, rosterService }: Config): Promise<Problems> => {
  const given = [
    ["consentSource.auth", consentSource?.auth],
    ["rosterService.fhir.auth", rosterService?.fhir?.auth],
  ] as const;
  const problems = await Promise.all(
    given.map(async ([place, auth]) => {
      if (auth === undefined) return [];
      try {
        await openAuthorization(auth);
        return [];
      } catch (error) {
        if (!(error instanceof OperatingError)) throw error;
        return [`${place}: ${error.message}`];
      }
    }),
  );
  return problems.flat();
};

/** Every adapter loads under its file's name, and every device of the roster has one. */
const checkMappings = async (config: Config): Promise<Problems> => {
  const adapters = await loadAdapters().catch((error: unknown) => String(error));
  if (typeof adapters === "string") return [adapters];
  const text = await read(config.roster);
  const reading = text === null ? undefined : readRoster(text);
  if (reading === undefined || !reading.ok) return [];
  return reading.value.devices.flatMap(({ device, model }, i) =>
    adapters.has(model) ? [] : [`${config.roster}: devices[${i}].model: ${device} is a ${model}, which has no adapter`],
  );
};

/** Every topic's schema is Avro, and reads what older versions in the registry wrote. */
const checkSchemas = async (config: Config): Promise<Problems> => {
  const registry = openRegistry(config);
  const problems: string[] = [];
  for (const topic of (await describeTopology(config)).topics) {
    const older = await registry.all(subjectOf(topic)).catch((error: unknown) => {
      problems.push(`${topic.name}: ${error instanceof OperatingError ? error.message : String(error)}`);
      return [];
    });
    for (const { id, schema } of older) {
      const why = whyUnreadable(topic.codec.schema, schema);
      if (why !== null) problems.push(`${topic.name}: can't read what schema ${id} wrote: ${why}`);
    }
  }
  return problems;
};
