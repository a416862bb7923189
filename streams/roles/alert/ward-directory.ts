/**
 * The ward as the circuit needs it: who stands where, which rules hold, who is told. One folder, swapped whole; read and checked as a whole,
 * so that nothing of a folder with a fault in it comes into force.
 */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Rule } from "../../../schemas/records/broadcast.ts";
import { ok, refuse, type Result } from "../../core/failure.ts";
import { type PolicyContent, readPolicy } from "../../io/policy-file.ts";
import { readWardRoster, type Roster } from "../../io/roster-file.ts";
import { approveForDemo, readRules } from "../../../topologies/rules.ts";

export interface WardDirectory {
  readonly roster: Roster;
  readonly rules: readonly Rule[];
  readonly policy: PolicyContent;
}

export interface WardReading {
  /** The names that the policy's addresses may use. */
  readonly notifiers: ReadonlySet<string>;
  readonly allowPlainRules: boolean;
  /** Approves every rule for the demo ward, at this moment (ms). */
  readonly demoApprovedAt?: number;
}

const rosterFile = "roster.json";
const policyFile = "policy.json";
const isRules = (name: string): boolean => /^rules.*\.json$/.test(name);

/** All of it, or Problem `ward-invalid` with every problem of every file. A folder that is swapped while it is read is another one at the next look. */
export const readWardDirectory = async (folder: string, options: WardReading): Promise<Result<WardDirectory>> => {
  const problems: string[] = [];
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined) return refuse("ward-invalid", `${folder}: is not there`);
  const names = await readdir(real).catch(() => [] as string[]);
  const text = (name: string): Promise<string | null> => readFile(join(real, name), "utf8").catch(() => null);

  const rosterText = await text(rosterFile);
  const roster = rosterText === null ? absent(rosterFile) : readWardRoster(rosterText);
  if (!roster.ok) problems.push(`${rosterFile}: ${roster.problem.detail}`);

  const policyText = await text(policyFile);
  const policy = policyText === null ? absent(policyFile) : readPolicy(policyText, options.notifiers);
  if (!policy.ok) problems.push(`${policyFile}: ${policy.problem.detail}`);

  const rules = await rulesOf(names.filter(isRules).toSorted(), text, options.allowPlainRules);
  problems.push(...rules.problems);

  if (!roster.ok || !policy.ok || problems.length > 0) return refuse("ward-invalid", problems.join("\n"));
  const { demoApprovedAt } = options;
  return ok({
    roster: roster.value,
    policy: policy.value,
    rules: demoApprovedAt === undefined ? rules.rules : approveForDemo(rules.rules, demoApprovedAt),
  });
};

const absent = (name: string): Result<never> => refuse("ward-invalid", `${name} is not there`);

const rulesOf = async (
  names: readonly string[],
  text: (name: string) => Promise<string | null>,
  allowPlain: boolean,
): Promise<{ readonly rules: readonly Rule[]; readonly problems: readonly string[] }> => {
  if (names.length === 0) return { rules: [], problems: ["rules.json: there is no file of rules"] };
  const rules: Rule[] = [];
  const problems: string[] = [];
  for (const name of names) {
    const read = readRules((await text(name)) ?? "", { allowPlain });
    rules.push(...read.rules);
    problems.push(...read.problems.map(({ place, message }) => `${name}: ${place}: ${message}`));
  }
  const twice = rules.filter(({ id }, i) => rules.findIndex((rule) => rule.id === id) < i);
  return { rules, problems: [...problems, ...twice.map(({ id }) => `rules: ${id} is in two files`)] };
};

/** Changes whenever the folder, what it points to, or a file in it does. */
export const stampOf = async (folder: string): Promise<string> => {
  try {
    const real = await realpath(folder);
    const names = (await readdir(real)).filter((name) => name.endsWith(".json")).toSorted();
    const stamps = names.map(async (name) => {
      const { ino, size, mtimeMs } = await stat(join(real, name));
      return `${name}/${ino}/${size}/${mtimeMs}`;
    });
    return [real, ...(await Promise.all(stamps))].join();
  } catch {
    return "absent";
  }
};
