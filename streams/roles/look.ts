/** The command line's view of stages: `state`, `step`, `lag`, and the acts `export` and `reset` of a named person. */
import { openPlatform, type Platform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { checkpointOf, storedKeys, storedStateOf } from "../core/checkpoint.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import type { AnyStage } from "../core/stage.ts";
import { type Act, actsOf, exportState, resetState } from "../log/stage-acts.ts";
import { committedView, lagOf, type PartitionLag, stepAlone, viewBefore } from "../log/stage-view.ts";
import { showBytes } from "./tap.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const pretty = (value: unknown): string => JSON.stringify(value, showBytes, 2);

const withPlatform = async (config: string, does: (platform: Platform) => Promise<void>): Promise<void> => {
  const platform = await openPlatform(await readConfig(config), "look");
  try {
    await does(platform);
  } finally {
    await platform.close();
  }
};

const stageOf = ({ topology }: Platform, name: string): AnyStage => {
  const found = topology.stages.find((stage) => stage.name === name);
  if (found !== undefined) return found;
  const known = topology.stages.map((stage) => stage.name).join(", ");
  throw new OperatingError("unknown-stage", `no stage is called ${name}; there are: ${known}`, { retry: false });
};

/** One key's state as committed, or as it was before the entry at an offset. */
export const state = (name: string, key: string, options: { config: string; at?: number }): Promise<void> =>
  withPlatform(options.config, async (platform) => {
    const stage = stageOf(platform, name);
    const partition = partitionOf(key, stage.reads.partitions);
    const view =
      options.at === undefined
        ? await committedView(platform, stage, partition)
        : await viewBefore(platform, stage, partition, options.at);
    const { cells, dueAt } = storedStateOf(view.stored, key);
    const streamTime = checkpointOf(view.stored)?.streamTime ?? null;
    say(
      pretty({
        stage: name,
        version: stage.version,
        key,
        partition,
        next: view.next,
        from: view.from,
        streamTime,
        dueAt,
        cells,
      }),
    );
    if (Object.keys(cells).length === 0) say(`no state; ${storedKeys(view.stored).length} other keys have some`);
  });

/** One entry, decoded and stepped alone, with its key's state before and after and what comes out. */
export const step = (name: string, partition: number, offset: number, options: { config: string }): Promise<void> =>
  withPlatform(options.config, async (platform) => {
    const stage = stageOf(platform, name);
    const { input, before, after, outputs } = await stepAlone(platform, stage, partition, offset);
    const { decoded, key, stampMs } = input;
    say(
      pretty({
        entry: { topic: stage.reads.name, partition, offset, key, stampMs, ...(decoded.ok ? decoded.value : decoded) },
        before,
        after,
        outputs: outputs.map(({ topic, ...output }) => ({ topic: topic.name, ...output })),
      }),
    );
  });

const seconds = (ms: number | null): string => (ms === null ? "-" : (ms / 1000).toFixed(1));
const columns = ["stage", "partition", "entries", "behind s", "open s", "waits for"];
const widths = [22, 10, 10, 10, 8, 40];
const row = (cells: readonly string[]): string =>
  cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join(" ")
    .trimEnd();
const lagRow = (stage: string, { partition, next, end, behindMs, heldMs, heldBy }: PartitionLag): string =>
  row([
    stage,
    String(partition),
    String(end - next),
    seconds(behindMs),
    seconds(heldMs),
    heldMs === 0 ? "-" : (heldBy ?? "-"),
  ]);

/** How far each stage is behind, in entries and seconds of log time, and whose ticks the windows still wait for. */
export const lag = (options: { config: string; stage?: string }): Promise<void> =>
  withPlatform(options.config, async (platform) => {
    const only = options.stage === undefined ? platform.topology.stages : [stageOf(platform, options.stage)];
    say(row(columns));
    for (const stage of only)
      for (let partition = 0; partition < stage.reads.partitions; partition++)
        say(lagRow(stage.name, await lagOf(platform, stage, partition)));
    say(
      "\nopen s: how far stream time is behind the newest entry. A window closes when stream time passes its end; stream time is the",
    );
    say("least of the last ticks from every upstream partition, and `waits for` names the one whose ticks are oldest.");
  });

interface Person {
  readonly config: string;
  readonly by: string;
  readonly reason: string;
}

const actOf = (kind: Act["kind"], { name, version }: AnyStage, { by, reason }: Person): Act => ({
  kind,
  stage: name,
  version,
  by,
  reason,
  at: new Date().toISOString(),
});

/** Every key's state, a JSON line each. */
export const exportStage = (name: string, person: Person): Promise<void> =>
  withPlatform(person.config, async (platform) => {
    const stage = stageOf(platform, name);
    const partitions = await exportState(platform.log, stage, actOf("export", stage, person));
    for (const [partition, stored] of partitions.entries()) {
      say(JSON.stringify({ partition, checkpoint: checkpointOf(stored) }));
      for (const key of storedKeys(stored)) say(JSON.stringify({ partition, key, ...storedStateOf(stored, key) }));
    }
  });

/** Empties a stage's state: it begins again at the start of its log. */
export const resetStage = (name: string, person: Person): Promise<void> =>
  withPlatform(person.config, async (platform) => {
    const stage = stageOf(platform, name);
    const emptied = await resetState(platform.log, stage, actOf("reset", stage, person));
    say(`${name}: ${emptied.reduce((all, one) => all + one, 0)} entries removed from ${emptied.length} partitions`);
  });

/** Who did what to which stage's state, and why. */
export const acts = (options: { config: string }): Promise<void> =>
  withPlatform(options.config, async ({ log }) => {
    for (const act of await actsOf(log)) say(JSON.stringify(act));
  });
