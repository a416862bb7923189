/**
 * Another build of the project, in which `windows` is of the next version: it rounds its means and tells nothing of temperatures, so that the same
 * entry gives other outputs, and fewer. With it the oracle knows both versions and the offset at which one gave way to the other.
 */
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { groupOf, lifeOf, storeOf } from "../../streams/core/checkpoint.ts";
import type { AnyStage } from "../../streams/core/stage.ts";
import type { Log } from "../../streams/log/log.ts";
import { until } from "../platform/watch.ts";

export interface ChangedStage {
  /** The other build's project folder. */
  readonly folder: string;
  readonly before: AnyStage;
  readonly after: AnyStage;
}

const project = join(import.meta.dirname, "..", "..");
const parts = ["package.json", "streams", "schemas", "topologies"];
const stageFile = "topologies/windows.ts";

/** What an engineer would edit: file, what stands there, and what will. */
const edits = [
  [stageFile, "  version: 2,", "  version: 3,"],
  ["topologies/windows/close.ts", "mean: meanOf(fold),", "mean: Math.round(10 * meanOf(fold)) / 10,"],
  [
    "topologies/windows/close.ts",
    "const { device, channel, metric, ucum } = series;",
    'const { device, channel, metric, ucum } = series;\n    if (metric === "temperature") return;',
  ],
] as const;

/** Makes the build in a new folder below `parent`. */
export const buildChangedWindows = async (before: AnyStage, parent: string): Promise<ChangedStage> => {
  const folder = join(parent, "changed");
  await mkdir(folder);
  for (const part of parts) await cp(join(project, part), join(folder, part), { recursive: true });
  await symlink(join(project, "node_modules"), join(folder, "node_modules"));
  for (const [file, from, to] of edits) {
    const text = await readFile(join(folder, file), "utf8");
    if (text.split(from).length !== 2) throw new Error(`${file}: holds ${JSON.stringify(from)} not exactly once`);
    await writeFile(join(folder, file), text.replace(from, to));
  }
  const { windows } = (await import(pathToFileURL(join(folder, stageFile)).href)) as { windows: AnyStage };
  // its topics are this build's, which the wire and the comparison know
  return { folder, before, after: { ...windows, reads: before.reads, writes: before.writes } };
};

const everyPartition = <T>({ before }: ChangedStage, of: (partition: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: before.reads.partitions }, (_, partition) => of(partition)));

/** Resolves once the new version steps every partition: then no old build is needed any more. */
export const hasTakenOver = (changed: ChangedStage, log: Log): Promise<void> =>
  until(`version ${changed.after.version} of ${changed.after.name} to take over`, async () => {
    try {
      const lives = await everyPartition(changed, async (p) => lifeOf(await log.snapshot(storeOf(changed.after), p)));
      return lives.every(({ begun }) => begun);
    } catch {
      return false; // the log may be away just now
    }
  });

/** The offset of each partition's input from which on the new version's outputs count. */
export const cutOvers = (changed: ChangedStage, log: Log): Promise<readonly number[]> =>
  everyPartition(changed, async (partition) => {
    const { superseded } = lifeOf(await log.snapshot(storeOf(changed.before), partition));
    if (superseded === null) throw new Error(`${changed.before.name}/${partition}: was never superseded`);
    return superseded.at;
  });

/** Consumer groups whose place another has taken. */
export const renamedGroups = ({ before, after }: ChangedStage): ReadonlyMap<string, string> =>
  new Map([[groupOf(before), groupOf(after)]]);
