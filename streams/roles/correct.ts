/**
 * `afferent correct`: what a faulty transform or rule version wrote is listed, reviewed by a second person, and amended or retracted
 * (clinical.md 24). The plan is a file; nothing is changed before its review, and nothing but what it names.
 */
import { readFile, writeFile } from "node:fs/promises";
import { events, outbox } from "../../schemas/topics.ts";
import { gatePolicyOf, openPlatform, type Platform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import type { AnyTopic } from "../core/stage.ts";
import { type LogTime, logTime, scaleTime } from "../core/time.ts";
import type { Body } from "../core/topic.ts";
import { type Authorization, openAuthorization } from "../io/authorization/authorization.ts";
import { type FoundResource, searchFhir } from "../io/fhir/search.ts";
import { recordAct } from "../log/stage-acts.ts";
import { applyPlan, type Outcome } from "./correct/apply.ts";
import { planOf } from "./correct/plan.ts";
import { type Plan, planDigest, readPlan, reviewProblem } from "./correct/plan-shape.ts";
import { knownScale } from "./source.ts";
import { Ledger } from "./why/ledger.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const refused = (code: string, detail: string): OperatingError =>
  new OperatingError(code, `correct: ${detail}`, { retry: false });

const withPlatform = async (config: string, does: (platform: Platform) => Promise<void>): Promise<void> => {
  const platform = await openPlatform(await readConfig(config), "correct");
  try {
    await does(platform);
  } finally {
    await platform.close();
  }
};

const planIn = async (file: string): Promise<Plan> => {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("file-unreadable", `${file}: can't be read`, { retry: false, cause });
  });
  const plan = readPlan(text);
  if (!plan.ok) throw refused("plan-invalid", `${file}: ${plan.problem.detail}`);
  return plan.value;
};

const searchTimeoutMs = 30_000;

/** A destination that is no FHIR server is not asked; the plan says so. Who we are is proved as for writing. */
const finderOf = (platform: Platform, destination: string) => {
  const configured = platform.config.destinations.find(({ name }) => name === destination);
  if (configured === undefined) throw refused("config-invalid", `no destination is called ${destination}`);
  let authorization: Promise<Authorization> | undefined;
  return async (resourceType: string, tag: string): Promise<readonly FoundResource[]> => {
    if (configured.kind !== "fhir") throw refused("not-asked", `${destination} is of kind ${configured.kind}`);
    if (configured.auth !== undefined) authorization ??= openAuthorization(configured.auth);
    const options = {
      baseUrl: configured.baseUrl.replace(/\/+$/, ""),
      timeoutMs: searchTimeoutMs,
      authorization: await authorization,
    };
    return Array.fromAsync(searchFhir(`${resourceType}?_tag=${encodeURIComponent(tag)}&_count=200`, options));
  };
};

export interface PlanOptions {
  readonly config: string;
  readonly destination: string;
  readonly transform?: string;
  readonly rule?: string;
  readonly how: Plan["how"];
  readonly as: string;
  readonly because: string;
  readonly out: string;
}

/** Writes the plan. Codes: `usage`, `config-invalid`. */
export const plan = (options: PlanOptions): Promise<void> =>
  withPlatform(options.config, async (platform) => {
    const { transform = null, rule = null, how, as: by, because, destination, out } = options;
    if (transform === null && rule === null) throw refused("usage", "name a --transform or a --rule");
    const parts = {
      ledger: new Ledger(platform.log, platform.wire),
      found: finderOf(platform, destination),
      now: Date.now,
    };
    const made = await planOf({ destination, transform, rule, how, by, because }, parts);
    await writeFile(out, `${JSON.stringify(made, null, 2)}\n`);
    const toDo = made.rows.filter(({ leftOut }) => leftOut === null).length;
    say(`${out}: ${toDo} to ${how}, ${made.rows.length - toDo} left out, ${made.strangers.length} that we never wrote`);
    if (made.notAsked !== null) say(`${destination} could not be asked what it has: ${made.notAsked}`);
    say(`nothing is changed until somebody else reviews it: afferent correct review ${out} --as NAME`);
  });

/** A second person's name under every word of it. Codes: `plan-invalid`, `file-unreadable`. */
export const review = async (file: string, { as: by }: { readonly as: string }): Promise<void> => {
  const made = await planIn(file);
  const reviewed: Plan = { ...made, review: { by, at: new Date().toISOString(), digest: planDigest(made) } };
  const problem = reviewProblem(reviewed);
  if (problem !== null) throw refused("plan-invalid", problem);
  await writeFile(file, `${JSON.stringify(reviewed, null, 2)}\n`);
  say(`${file}: reviewed by ${by}; carry it out with: afferent correct apply ${file} --as NAME`);
};

/** Codes: `plan-invalid` (not reviewed, changed since, reviewed by who made it), `act-unnamed`. */
export const apply = (file: string, options: { readonly config: string; readonly as: string }): Promise<void> =>
  withPlatform(options.config, async (platform) => {
    const made = await planIn(file);
    const problem = reviewProblem(made);
    if (problem !== null) throw refused("plan-invalid", problem);
    await recordAct(platform.log, {
      kind: "correct",
      stage: made.destination,
      version: 0,
      about: `${made.how} ${made.madeBy.transform ?? ""} ${made.madeBy.rule ?? ""}, reviewed by ${made.review?.by}`,
      by: options.as,
      reason: made.because,
      at: new Date().toISOString(),
    });
    const counts = new Map<Outcome["outcome"], number>();
    for await (const { row, outcome, detail } of applyPlan(made, options.as, await partsOf(platform))) {
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      say(`${outcome.padEnd(8)} ${row.resourceType}/${row.resourceId}: ${detail}`);
    }
    say([...counts].map(([outcome, n]) => `${n} ${outcome}`).join(", "));
  });

const partsOf = async (platform: Platform) => {
  const { log, wire, config } = platform;
  const scale = await knownScale(config.speed, { log }, AbortSignal.timeout(searchTimeoutMs));
  const now = (): LogTime => logTime(scaleTime(scale, Date.now()));
  const appendOne = async (topic: AnyTopic, key: string, body: Body): Promise<void> => {
    const appender = await log.appender("correct");
    try {
      const value = wire.encode(topic, { position: null, logTime: now(), body });
      await appender.append([{ topic: topic.name, partition: partitionOf(key, topic.partitions), key, value }]);
    } finally {
      await appender.close();
    }
  };
  return {
    ledger: new Ledger(log, wire),
    policy: await gatePolicyOf(config),
    now,
    append: async (corrected: Body & { readonly patientKey: string }, intent: Body): Promise<void> => {
      await appendOne(events, corrected.patientKey, corrected);
      await appendOne(outbox, corrected.patientKey, intent);
    },
  };
};
