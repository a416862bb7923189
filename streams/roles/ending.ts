/** How a process of ours ends: asked once it closes in order, asked twice it is gone. Needs nothing of the platform. */
import { closeAll } from "./running.ts";

/** Whoever stops a role waits for it; and it may be killed at any moment, so nothing acknowledged hangs on a clean close. */
const closingMs_max = 5_000;

/** Closes all, the last first. Says what went wrong with that, and ends the process itself where it takes longer than 5 s. */
export const closeAndEnd = async (opened: readonly (() => Promise<unknown>)[]): Promise<void> => {
  const say = (what: string): void => {
    process.exitCode = 1;
    process.stderr.write(`afferent: closing: ${what}\n`);
  };
  setTimeout(() => {
    say(`not done after ${closingMs_max / 1000} s; ended without`);
    process.exit(1);
  }, closingMs_max).unref();
  await closeAll(opened).catch((error: unknown) => say(String(error)));
};

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    let times = 0;
    const stop = (): void => {
      if (++times === 1) resolve();
      else process.exit(1);
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  });
