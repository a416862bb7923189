/** What a promotion costs, against an EHR that answers at once, and how long it takes on HAPI FHIR at twenty a second. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { withEhr } from "./bench-stack.ts";
import { say, spread, whole } from "./figures.ts";
import { startChild } from "./process-cpu.ts";
import type { PromotionRun } from "./promotion-run.ts";

const costGoal = 2_000;
const latencyGoalMs = 2_000;
const perSecond = 20;
/** Until HAPI has loaded its profiles and compiled itself, which a running hospital's has. */
const warmUp = 200;
const measured = 1_000;

const runOf = async (...args: readonly string[]): Promise<PromotionRun> => {
  const script = join(import.meta.dirname, "promotion-run.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { maxBuffer: 1 << 24 });
  const run = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as PromotionRun;
  const expected = Number(args[2]);
  if (run.written !== expected) throw new Error(`promotions: ${JSON.stringify(run.outcomes)} of ${expected}`);
  return run;
};

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

const benchCost = async (runs: number, promotions: number): Promise<void> => {
  const ehr = startChild(join(import.meta.dirname, "promotion-ehr.ts"));
  try {
    const baseUrl = await ehr.address();
    const rates: number[] = [];
    for (let run = 0; run < runs; run++)
      rates.push(promotions / (await runOf("cost", baseUrl, String(promotions))).cpuS);
    const missed = Math.max(...rates) < costGoal ? `  <<< BELOW THE GOAL of ${costGoal}` : `  (goal ${costGoal}: met)`;
    say(`candidate to the EHR's answer, promotions/CPU-s: ${spread(rates, whole)}${missed}`);
  } finally {
    await ehr.stop();
  }
};

const benchLatency = (): Promise<void> =>
  withEhr(async (baseUrl) => {
    await runOf("latency", baseUrl, String(warmUp), String(perSecond));
    const { latencies } = await runOf("latency", baseUrl, String(measured), String(perSecond));
    const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
    const missed = p99 > latencyGoalMs ? `  <<< ABOVE THE GOAL of ${latencyGoalMs}` : `  (goal ${latencyGoalMs}: met)`;
    say(`crossing to HAPI's answer at ${perSecond}/s, ms: p50 ${whole(p50)}, p99 ${whole(p99)}${missed}`);
  });

export const benchPromotion = async ({ runs, promotions }: { runs: number; promotions: number }): Promise<void> => {
  await benchCost(runs, promotions);
  await benchLatency();
};
