/** Follows a recipe in a copy of the project, to the letter, and stops where it does not hold. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Copy, Ran } from "./copy.ts";
import type { Step } from "./recipe.ts";

type FileStep = Extract<Step, { kind: "file" }>;
type MistakeStep = Extract<Step, { kind: "mistake" }>;

const read = (file: string): Promise<string | null> => readFile(file, "utf8").catch(() => null);

/** The one line that begins so, indentation aside. */
const onlyLine = (path: string, lines: readonly string[], beginning: string): number => {
  const at = lines.flatMap((line, i) => (line.trim().startsWith(beginning) ? [i] : []));
  if (at.length !== 1 || at[0] === undefined) throw new Error(`${path}: has ${at.length} lines ${beginning}`);
  return at[0];
};

const put = async (folder: string, { path, after, text }: FileStep): Promise<void> => {
  const file = join(folder, path);
  const there = await read(file);
  if (after === null) {
    if (there !== null) throw new Error(`${path}: a new file is there already`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return;
  }
  if (there === null) throw new Error(`${path}: isn't there`);
  const lines = there.split("\n");
  await writeFile(file, lines.toSpliced(onlyLine(path, lines, after) + 1, 0, ...text.trimEnd().split("\n")).join("\n"));
};

/** Gives what undoes it. */
const spoil = async (folder: string, { path, from, to }: MistakeStep): Promise<() => Promise<void>> => {
  const file = join(folder, path);
  const sound = await readFile(file, "utf8");
  const [before, after, ...more] = sound.split(from);
  if (before === undefined || after === undefined || more.length > 0) throw new Error(`${path}: has not once ${from}`);
  await writeFile(file, before + to + after);
  return () => writeFile(file, sound);
};

const blanks = (text: string): string => text.replace(/\s+/g, " ").trim();

const isLike = (line: string, wanted: string): boolean => {
  let from = 0;
  for (const part of blanks(wanted).split("…")) {
    const at = line.indexOf(part.trim(), from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
};

/** The first wanted line that the output lacks, in order. */
const missingLine = (output: string, wanted: readonly string[]): string | undefined => {
  const left = output.split("\n").map(blanks);
  return wanted.find((line) => {
    const at = left.findIndex((printed) => isLike(printed, line));
    left.splice(0, at + 1);
    return at < 0;
  });
};

/** Rejects with what did not hold. Resolves with how many planted mistakes were found. */
export const follow = async (steps: readonly Step[], copy: Copy): Promise<{ readonly mistakesFound: number }> => {
  let last: Ran = { code: 0, output: "" };
  let undo: (() => Promise<void>)[] = [];
  let mistakesFound = 0;
  for (const step of steps) {
    if (step.kind === "file") await put(copy.folder, step);
    if (step.kind === "mistake") undo.push(await spoil(copy.folder, step));
    if (step.kind === "run") {
      last = await copy.run(step.script);
      if ((last.code === 0) !== step.passes)
        throw new Error(`should ${step.passes ? "pass" : "fail"}:\n${step.script}\n${last.output}`);
      if (!step.passes) mistakesFound += undo.length;
      for (const sound of undo) await sound();
      undo = [];
    }
    const missing = step.kind === "prints" ? missingLine(last.output, step.lines) : undefined;
    if (missing !== undefined) throw new Error(`should print:\n${missing}\nprinted:\n${last.output}`);
  }
  return { mistakesFound };
};
