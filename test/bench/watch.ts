/** Waiting for what other processes do, and reading what they count. */
import { setTimeout as sleep } from "node:timers/promises";

/** Rejects after the limit. */
export const until = async (holds: () => Promise<boolean>, what: string, limitMs = 600_000): Promise<void> => {
  const began = performance.now();
  while (!(await holds())) {
    if (performance.now() - began > limitMs) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await sleep(50);
  }
};

/** The sum of a counter's lines whose labels hold the given text. */
export const metric = async (port: number, name: string, labelled = ""): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith(name) && line.includes(labelled))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
};
