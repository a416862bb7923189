/** `make chaos MINUTES=m FAULTS=n SEED=s INTAKE=listener|broker|both`: chaos on real processes, on a stack of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readStackConfig } from "../../deploy/config.ts";
import { freePorts } from "../../deploy/ports.ts";
import { runningStack, startStack } from "../../deploy/stack.ts";
import type { Intake } from "./platform.ts";
import { problemsOf, reportLines, runChaos, saidLines } from "./run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    faults: { type: "string", default: "27" },
    seed: { type: "string", default: "1" },
    intake: { type: "string", default: "both" },
  },
});
const numbers = { minutes: Number(values.minutes), faults: Number(values.faults), seed: Number(values.seed) };
if (!Object.values(numbers).every((n) => Number.isFinite(n) && n >= 0) || numbers.minutes < 0.5) {
  console.error("MINUTES (at least 0.5), FAULTS and SEED are numbers");
  process.exit(2);
}
const intakes: readonly Intake[] =
  values.intake === "listener" ? ["listener"] : values.intake === "broker" ? ["broker"] : ["listener", "broker"];

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

// kafkajs 2.2.4 gives Node 26 a negative timeout at each connection; harmless, and a line of noise each.
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  if (warning.name !== "TimeoutNegativeWarning") console.error(warning);
});

/** AFFERENT_TEST_STACK names the data folder of a stack that runs already and goes on, to try it again and again. */
const kept = process.env["AFFERENT_TEST_STACK"];
const data = kept ?? mkdtempSync(join(tmpdir(), "afferent-chaos-stack-"));
const stack =
  kept === undefined
    ? await startStack({ config: { ...readStackConfig(), data, ports: await freePorts() }, onLine: say })
    : runningStack({ ...readStackConfig(), data });
/** Servers of its own outlive nothing: neither a run that fails nor one that is interrupted. */
const end = async (): Promise<void> => {
  if (kept !== undefined) return;
  await stack.stop();
  rmSync(data, { recursive: true, force: true });
};
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    void end().then(() => process.exit(1)); // which ends the roles too
  });
try {
  for (const intake of intakes) {
    const { minutes, faults, seed } = numbers;
    const report = await runChaos({ stack, intake, minutes, faults, seed, tell: say });
    for (const line of reportLines(report)) say(line);
    const problems = problemsOf(report);
    if (problems.length === 0) continue;
    process.exitCode = 1;
    say(
      `FAILED: ${intake} as intake, seed ${seed}; again: make chaos MINUTES=${minutes} FAULTS=${faults} SEED=${seed} INTAKE=${intake}`,
    );
    for (const line of [...problems, ...saidLines(report)]) say(line);
  }
} finally {
  await end();
}
