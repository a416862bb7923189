/** A child process whose CPU time is read from the kernel, so that what it does for itself is counted too. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** Clock ticks a second on Linux, in which /proc counts CPU time. */
const ticksPerSecond = 100;

const stopMsMax = 30_000;

/** CPU seconds of a process so far, user and system, its threads included. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
};

export interface Child {
  readonly pid: number;
  /** Resolves when a line of its output contains the text. */
  says(text: string): Promise<void>;
  /** Resolves with the http address that it says it listens on. */
  address(): Promise<string>;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
  /** Rejects when it had to be killed. */
  stop(): Promise<void>;
}

export const startChild = (script: string, ...args: readonly string[]): Child => {
  const process_: ChildProcess = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const { promise: ended, resolve } = Promise.withResolvers<number | null>();
  const killed = (): void => {
    process_.kill("SIGKILL");
  };
  // a bench that fails leaves no child behind
  process.once("exit", killed);
  process_.once("exit", (code) => {
    process.off("exit", killed);
    resolve(code);
  });
  let output = "";
  const waiting = new Set<() => void>();
  process_.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    for (const look of waiting) look();
  });
  const { pid } = process_;
  if (pid === undefined) throw new Error(`${script}: did not start`);
  const says = (text: string): Promise<void> =>
    new Promise((found, failed) => {
      const look = (): void => {
        if (!output.includes(text)) return;
        waiting.delete(look);
        found();
      };
      waiting.add(look);
      look();
      void ended.then((code) => failed(new Error(`${script}: ended with ${code} before it said ${text}`)));
    });
  return {
    pid,
    ended,
    says,
    address: async () => {
      await says("http://");
      return output.match(/http:\/\/\S+/)?.[0] ?? "";
    },
    stop: async () => {
      process_.kill("SIGTERM");
      const late = setTimeout(() => process_.kill("SIGKILL"), stopMsMax);
      await ended;
      clearTimeout(late);
      if (process_.signalCode === "SIGKILL") throw new Error(`${script}: did not stop within ${stopMsMax / 1000} s`);
    },
  };
};
