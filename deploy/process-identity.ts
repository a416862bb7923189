/** Which process a pid means: pids are used again, so a pid is only trusted together with when its process started. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the kernel's own words: compared, never read. */
  readonly started: string;
}

/** The process that has this pid now; undefined when there is none, or one that has ended and waits to be collected. */
export const identify = (pid: number): ProcessIdentity | undefined => {
  const started = existsSync("/proc/self/stat") ? startedByProc(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
};

export const isAlive = ({ pid, started }: ProcessIdentity): boolean => identify(pid)?.started === started;

/** Waits until it has ended. False when it still runs after the limit. */
export const waitForEnd = async (identity: ProcessIdentity, limitMs: number): Promise<boolean> => {
  const until = Date.now() + limitMs;
  while (isAlive(identity)) {
    if (Date.now() > until) return false;
    await delay(20);
  }
  return true;
};

/**
 * proc(5): field 22 is the start in ticks since boot, 3 the state, 20 the number of threads; field 2 may itself hold spaces and
 * brackets. A killed process whose first thread is gone still holds its ports and files until its other threads are.
 */
const startedByProc = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ended = ["Z", "X"].includes(fields[0] ?? "") && Number(fields[17]) <= 1;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return ended ? undefined : `${boot}/${fields[19]}`;
  } catch {
    return undefined; // no such process
  }
};

const startedByPs = (pid: number): string | undefined => {
  try {
    const [state, ...started] = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith("Z") ? undefined : started.join(" ");
  } catch {
    return undefined; // ps answers 1 when there is no such process
  }
};
