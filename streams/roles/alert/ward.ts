/**
 * Keeps the ward directory in force: reads it at the start and each second after a change, announces what is good to the circuit's own log,
 * and leaves the last good one in force where it is not. That is told as a technical alarm, and so is that it is good again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Policy } from "../../../schemas/records/alert.ts";
import { alarms } from "../../../schemas/topics.ts";
import { OperatingError, ok, type Problem, refuse, type Result } from "../../core/failure.ts";
import { digest } from "../../core/hash.ts";
import { logTime, type TimeScale } from "../../core/time.ts";
import type { PolicyContent } from "../../io/policy-file.ts";
import type { Roster } from "../../io/roster-file.ts";
import { announce, type SourceOptions, toEveryPartition, wasAnnounced } from "../source.ts";
import { readWardDirectory, stampOf, type WardDirectory, type WardReading } from "./ward-directory.ts";

export interface WardOptions extends WardReading {
  readonly folder: string;
  readonly source: SourceOptions;
  readonly scale: TimeScale;
  /** Log time in ms. */
  readonly now: () => number;
  /** The directory at hand is refused (told with each other reason), or good again (null). */
  readonly onRefused: (problem: Problem | null) => void;
  readonly onError: (error: unknown) => void;
  readonly onAnnounced: (what: { readonly records: number; readonly rules: boolean; readonly policy: number }) => void;
}

export interface KeptWard {
  /** The policy in force. */
  readonly policy: () => PolicyContent;
  /** Where a device stands by the roster in force: its open association's unit, else its own; undefined for one that is not in it. */
  readonly unitOf: (device: string) => string | undefined;
  /** Looks each second until aborted. */
  follow(signal: AbortSignal): Promise<void>;
}

/** What the circuit itself has to know of the directory in force, beside what is in the log. */
interface InForce {
  /** Of the policy. */
  readonly version: number;
  readonly hash: string;
  readonly policy: PolicyContent;
  readonly units: Readonly<Record<string, string>>;
}

const lookEveryMs = 1_000;
const store = "ward";
const inForceKey = "inForce";
/** What another file can cure; anything else is the log's. */
const cured = new Set(["roster-invalid", "rules-invalid"]);

/** Codes: `ward-invalid` at a cold start, with nothing in force to go on with; `log-unavailable`. */
export const openWard = async (options: WardOptions): Promise<KeptWard> => {
  let stamp = await stampOf(options.folder);
  let known = decoded((await options.source.log.snapshot(store, 0)).get(inForceKey));
  let refused: string | null = null;
  const look = async (): Promise<Problem | null> => {
    const taken = await takeOver(options);
    if (taken.ok) known = taken.value;
    const problem = taken.ok ? null : taken.problem;
    if (problem !== null || refused !== null) options.onRefused(problem);
    refused = problem?.detail ?? null;
    return problem;
  };
  const problem = await look();
  if (problem !== null && (known === undefined || !(await wasAnnounced(options.source))))
    throw new OperatingError(
      "ward-invalid",
      `${options.folder}: nothing is in force yet, and this can't be:\n${problem.detail}`,
      { retry: false },
    );
  if (problem === null) options.onRefused(null); // whatever was said of it before a restart
  const inForce = (): InForce => known as InForce;
  return {
    policy: () => inForce().policy,
    unitOf: (device) => inForce().units[device],
    follow: async (signal) => {
      while (!signal.aborted) {
        await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
        const now = await stampOf(options.folder);
        if (now === stamp || signal.aborted) continue;
        try {
          await look();
          stamp = now;
        } catch (error) {
          options.onError(error); // the log is away: looked at again in a second
        }
      }
    },
  };
};

/** What is in force now; or why what is there can't be. */
const takeOver = async (options: WardOptions): Promise<Result<InForce>> => {
  const reading = await readWardDirectory(options.folder, options);
  if (!reading.ok) return reading;
  try {
    return ok(await announceAll(reading.value, options));
  } catch (error) {
    if (error instanceof OperatingError && cured.has(error.code)) return refuse(error.code, error.message);
    throw error;
  }
};

/** The roster first, for it may be refused; each may be announced again after a crash in between. */
const announceAll = async (
  { roster, rules, policy }: WardDirectory,
  { source, scale, now, onAnnounced }: WardOptions,
): Promise<InForce> => {
  const { records, rules: rulesChanged } = await announce(roster, rules, scale, source);
  const { log, wire } = source;
  const owner = await log.claim(store, 0, 1);
  try {
    const before = decoded((await owner.load()).get(inForceKey));
    await owner.confirm();
    const hash = digest(new TextEncoder().encode(JSON.stringify(policy)));
    const version = before?.hash === hash ? before.version : (before?.version ?? 0) + 1;
    if (before?.hash !== hash) {
      const at = logTime(now());
      const body: Policy = { kind: "policy", version, effectiveFrom: at, ...policy };
      const appender = await log.appender(store);
      await appender.append(toEveryPartition([alarms], body, wire, at));
      await appender.close();
    }
    const inForce: InForce = { version, hash, policy, units: unitsOf(roster) };
    await owner.commit(new Map([[inForceKey, new TextEncoder().encode(JSON.stringify(inForce))]]));
    onAnnounced({ records, rules: rulesChanged, policy: version });
    return inForce;
  } finally {
    await owner.close();
  }
};

const unitsOf = ({ devices, associations }: Roster): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(devices.map(({ device, unit }) => [device, unit])),
  ...Object.fromEntries(associations.filter(({ to }) => to === null).map(({ device, unit }) => [device, unit])),
});

const decoded = (bytes: Uint8Array | undefined): InForce | undefined =>
  bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as InForce);
