/** One of Afferent's own roles as a real process: started until it says that it runs, stopped, killed, started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export type RoleName = "ingest" | "listen" | "process" | "store" | "promote" | "board";

export interface RoleProcess {
  readonly name: RoleName | "check" | "alert" | "watch";
  /** Everything it has said so far, on both outputs. */
  readonly said: () => string;
  /** Its exit code once it has ended; null after a signal. */
  readonly ended: Promise<number | null>;
  /** Resolves when it says that it runs. Rejects, with what it said, when it ends before or takes longer than a minute. */
  readonly ready: Promise<void>;
  /** Asks it to end and waits for that. */
  stop(): Promise<void>;
  /** SIGKILL: it can tidy up nothing. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: it hangs for a while and knows nothing of it. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

const project = join(import.meta.dirname, "..", "..");
const readyMs_max = 60_000;
const stopMs_max = 20_000;

/** `options` go to the command line after the configuration; `build` is the folder of the project that it runs. */
export const spawnRole = (
  name: RoleProcess["name"],
  configFile: string,
  options: readonly string[] = [],
  build = project,
): RoleProcess => {
  const args = [join(build, "streams", "main.ts"), name, "--config", configFile, ...options];
  const child = spawn(process.execPath, args, {
    cwd: build,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LOG_LEVEL: process.env["LOG_LEVEL"] ?? "warn" },
  });
  let said = "";
  const listeners = new Set<() => void>();
  for (const output of [child.stdout, child.stderr])
    output.on("data", (part) => {
      said += String(part);
      for (const listener of listeners) listener();
    });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const end = (): void => void child.kill("SIGKILL"); // it must not outlive a test run that ends badly
  process.once("exit", end);
  void ended.then(() => process.off("exit", end));
  const ready = new Promise<void>((resolve, reject) => {
    const failed = (why: string): void => reject(new Error(`${name} ${why}; it said:\n${said.slice(-4_000)}`));
    const timer = setTimeout(() => failed(`was not ready after ${readyMs_max / 1_000} s`), readyMs_max);
    const look = (): void => {
      if (!said.includes(`afferent ${name}: `)) return;
      clearTimeout(timer);
      listeners.delete(look);
      resolve();
    };
    listeners.add(look);
    void ended.then((code) => {
      clearTimeout(timer);
      failed(`ended with ${code} before it was ready`);
    });
  });
  ready.catch(() => undefined); // whoever waits for it is told; a role that is to be refused has nobody who waits
  return {
    name,
    said: () => said,
    ended,
    ready,
    stop: () => stop(child, ended),
    kill: () => kill(child, ended),
    signal: (signal) => void child.kill(signal),
  };
};

const stop = async (child: ChildProcess, ended: Promise<unknown>): Promise<void> => {
  child.kill("SIGTERM");
  const forced = setTimeout(() => child.kill("SIGKILL"), stopMs_max);
  await ended;
  clearTimeout(forced);
};

const kill = async (child: ChildProcess, ended: Promise<unknown>): Promise<void> => {
  child.kill("SIGKILL");
  await ended;
};
