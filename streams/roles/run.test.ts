/** How a process ends that was told to: in time, whatever hangs. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const run = JSON.stringify(join(import.meta.dirname, "run.ts"));

/** Says that it runs, and on a signal closes two things. */
const roleThatCloses = async (last: string, first: string): Promise<ChildProcess> => {
  const script = `
    const { closeAndEnd, interrupted } = await import(${run});
    const hangs = () => new Promise(() => setInterval(() => {}, 1000));
    const fails = () => Promise.reject(new Error("jammed"));
    const works = async () => console.log("closed");
    const told = interrupted();
    const work = setInterval(() => {}, 1000);
    console.log("runs");
    await told;
    clearInterval(work);
    console.log("stopping");
    await closeAndEnd([${last}, ${first}]);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  await until(child, "runs");
  return child;
};

const until = (child: ChildProcess, word: string): Promise<void> =>
  new Promise((resolve) =>
    child.stdout?.on("data", (bytes: Buffer) => {
      if (bytes.toString().includes(word)) resolve();
    }),
  );

const said = (child: ChildProcess): { text: string } => {
  const all = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (bytes: Buffer) => {
      all.text += bytes.toString();
    });
  return all;
};

describe("a process that is told to stop", () => {
  it("closes the rest when one thing can't be closed, and says so", async () => {
    const child = await roleThatCloses("works", "fails");
    const all = said(child);
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([1, null]);
    expect(all.text).toContain("closed");
    expect(all.text).toContain("afferent: closing: Error: jammed");
  });

  it("ends after five seconds where something hangs, and says so", async () => {
    const child = await roleThatCloses("works", "hangs");
    const all = said(child);
    const began = performance.now();
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([1, null]);
    expect(performance.now() - began).toBeGreaterThan(4_000);
    expect(all.text).toContain("not done after 5 s");
  });

  it("ends at once when it is told twice", async () => {
    const child = await roleThatCloses("works", "hangs");
    const stopping = until(child, "stopping");
    child.kill("SIGINT");
    await stopping;
    const began = performance.now();
    child.kill("SIGINT");
    await once(child, "close");
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});
