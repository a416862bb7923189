/**
 * Keeps the ward directory in force: reads it at the start and each second after a change, announces what is good to the circuit's own log,
 * and leaves the last good one in force where it is not. That is told as a technical alarm, and so is that it is good again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Policy } from "../../../schemas/alert-records.ts";
import { alarms } from "../../../schemas/topics.ts";
import { OperatingError, type Problem } from "../../core/failure.ts";
import { digest } from "../../core/hash.ts";
import { logTime, type TimeScale } from "../../core/time.ts";
import type { PolicyContent } from "../../io/policy-file.ts";
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
  /** Looks each second until aborted. */
  follow(signal: AbortSignal): Promise<void>;
}

interface KnownPolicy {
  readonly version: number;
  readonly hash: string;
  readonly content: PolicyContent;
}

const lookEveryMs = 1_000;
const policyStore = "policy";
const policyKey = "policy";
/** What another file can cure; anything else is the log's. */
const cured = new Set(["roster-invalid", "rules-invalid"]);

/** Codes: `ward-invalid` at a cold start, with nothing in force to go on with; `log-unavailable`. */
export const openWard = async (options: WardOptions): Promise<KeptWard> => {
  let stamp = await stampOf(options.folder);
  let refused: string | null = null;
  let policy = (await knownPolicy(options))?.content;
  const look = async (): Promise<void> => {
    const problem = await takeOver(options, (content) => {
      policy = content;
    });
    if ((problem?.detail ?? null) === refused) return;
    refused = problem?.detail ?? null;
    options.onRefused(problem);
  };
  const atStart = await takeOver(options, (content) => {
    policy = content;
  });
  if (policy === undefined || !(await wasAnnounced(options.source)))
    throw new OperatingError(
      "ward-invalid",
      `${options.folder}: nothing is in force yet, and this can't be:\n${atStart?.detail ?? "no device"}`,
      { retry: false },
    );
  refused = atStart?.detail ?? null;
  options.onRefused(atStart);
  const inForce = (): PolicyContent => policy as PolicyContent;
  return {
    policy: inForce,
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

/** Null where it is in force now; why not otherwise. */
const takeOver = async (options: WardOptions, inForce: (content: PolicyContent) => void): Promise<Problem | null> => {
  const reading = await readWardDirectory(options.folder, options);
  if (!reading.ok) return reading.problem;
  try {
    await announceAll(reading.value, options);
    inForce(reading.value.policy);
    return null;
  } catch (error) {
    if (error instanceof OperatingError && cured.has(error.code)) return { reason: error.code, detail: error.message };
    throw error;
  }
};

/** The roster first, for it may be refused; each may be announced again after a crash in between. */
const announceAll = async (
  { roster, rules, policy }: WardDirectory,
  { source, scale, now, onAnnounced }: WardOptions,
): Promise<void> => {
  const { records, rules: rulesChanged } = await announce(roster, rules, scale, source);
  const { log, wire } = source;
  const owner = await log.claim(policyStore, 0, 1);
  try {
    const known = decoded((await owner.load()).get(policyKey));
    await owner.confirm();
    const hash = digest(new TextEncoder().encode(JSON.stringify(policy)));
    const version = known?.hash === hash ? known.version : (known?.version ?? 0) + 1;
    if (known?.hash !== hash) {
      const at = logTime(now());
      const body: Policy = { kind: "policy", version, effectiveFrom: at, ...policy };
      const appender = await log.appender(policyStore);
      await appender.append(toEveryPartition([alarms], body, wire, at));
      await appender.close();
      const next: KnownPolicy = { version, hash, content: policy };
      await owner.commit(new Map([[policyKey, new TextEncoder().encode(JSON.stringify(next))]]));
    }
    onAnnounced({ records, rules: rulesChanged, policy: version });
  } finally {
    await owner.close();
  }
};

const knownPolicy = async ({ source }: WardOptions): Promise<KnownPolicy | undefined> =>
  decoded((await source.log.snapshot(policyStore, 0)).get(policyKey));

const decoded = (bytes: Uint8Array | undefined): KnownPolicy | undefined =>
  bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as KnownPolicy);
