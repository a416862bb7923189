/** A copy of the project as it stands, committed or not, to try things on; it shares the installed packages. */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const secondsPerScript = 120;

/** What is not of the project: packages, state, results, and what the gates' own tests plant for a moment. */
const isForeign = (path: string): boolean =>
  /^(node_modules|\.afferent|\.stack|test-results|board\/dist)(\/|$)/.test(path) || path.includes("/planted-");

export interface Ran {
  readonly code: number;
  readonly output: string;
}

export interface Changes {
  readonly added: readonly string[];
  /** Lines that came in, by file. */
  readonly inserted: Readonly<Record<string, readonly string[]>>;
  /** Files that are gone, or lost or changed a line. */
  readonly broken: readonly string[];
}

export interface Copy {
  readonly folder: string;
  /** Runs a bash script in it, with the project's own commands; stops at the first that fails. */
  run(script: string): Promise<Ran>;
  /** How it differs from what was copied. */
  changes(): Promise<Changes>;
  remove(): Promise<void>;
}

/** A process's output and exit code; the environment is only what a person's shell would have. */
const ranIn = (folder: string, command: string, args: readonly string[]): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const { PATH = "", HOME = folder } = process.env;
    const env = { PATH: [join(root, "node_modules/.bin"), PATH].join(delimiter), HOME, NO_COLOR: "1" };
    const child = spawn(command, args, { cwd: folder, env, timeout: secondsPerScript * 1_000 });
    const chunks: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, output: chunks.join("") }));
  });

const filesOfProject = async (): Promise<string[]> => {
  const { code, output } = await ranIn(root, "git", ["ls-files", "-co", "--exclude-standard", "-z"]);
  if (code !== 0) throw new Error(`git ls-files: ${output}`);
  return output.split("\0").filter((path) => path !== "" && !isForeign(path));
};

/** Every file's text by its path. */
const textsIn = async (folder: string): Promise<ReadonlyMap<string, string>> => {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const own = paths.map((path) => path.slice(folder.length + 1)).filter((path) => !isForeign(path));
  return new Map(await Promise.all(own.map(async (p) => [p, await readFile(join(folder, p), "latin1")] as const)));
};

/** The lines that `after` has more, or null where one of `before` is missing or out of order. */
const insertedLines = (before: string, after: string): string[] | null => {
  const left = before.split("\n").values().toArray();
  const more = after.split("\n").filter((line) => {
    if (line !== left[0]) return true;
    left.shift();
    return false;
  });
  return left.length === 0 ? more : null;
};

const changesFrom = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Changes => {
  const inserted: Record<string, readonly string[]> = {};
  const broken: string[] = [];
  for (const [path, text] of before) {
    const now = after.get(path);
    if (now === text) continue;
    const lines = now === undefined ? null : insertedLines(text, now);
    if (lines === null) broken.push(path);
    else inserted[path] = lines.map((line) => line.trim());
  }
  const added = [...after.keys()].filter((path) => !before.has(path)).sort();
  return { added, inserted, broken };
};

export const copyOfProject = async (): Promise<Copy> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-recipe-"));
  for (const path of await filesOfProject()) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await cp(join(root, path), join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error; // deleted, and not yet committed so
    });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const before = await textsIn(folder);
  return {
    folder,
    run: (script) => ranIn(folder, "bash", ["-euo", "pipefail", "-c", script]),
    changes: async () => changesFrom(before, await textsIn(folder)),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
