/** What every Log must do. Run against memory, SQLite and Kafka by their tests: `logConformance("memory", storage, options)`. */
import type { ChildProcess } from "node:child_process";
import { describe } from "vitest";
import { killedConformance } from "./conformance-killed.ts";
import { recordsConformance } from "./conformance-records.ts";
import { statesConformance } from "./conformance-states.ts";
import { subscriptionsConformance } from "./conformance-subscriptions.ts";
import type { TrimmableLog } from "./log.ts";

/** One place where records are kept. Each `open` is another process's view of it, as far as the implementation knows. */
export type Storage = () => Promise<TrimmableLog>;

export interface ConformanceOptions {
  /** Records and states outlive the log object. */
  readonly durable: boolean;
  /** How long a test waits for something to happen. */
  readonly patienceMs: number;
}

/** Runs code in a process of its own, in which `log` is a Log over the same storage. */
export type Elsewhere = (story: string) => ChildProcess;

export interface Subject extends ConformanceOptions {
  /** A fresh name for a topic, store or group. */
  name(): string;
  open: Storage;
  /** Left out where no other process can share the storage. */
  readonly elsewhere?: Elsewhere;
}

/** `storage` gives the storage of one test; it may be the same one each time, for names are never used twice. */
export const logConformance = (
  name: string,
  storage: () => Storage & { readonly elsewhere?: Elsewhere },
  options: ConformanceOptions,
): void => {
  describe(`${name} log`, { timeout: options.patienceMs * 3 }, () => {
    const subject = (): Subject => {
      const prefix = `t${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
      let count = 0;
      const open = storage();
      const elsewhere = open.elsewhere === undefined ? {} : { elsewhere: open.elsewhere };
      return { ...options, name: () => `${prefix}.${count++}`, open, ...elsewhere };
    };
    recordsConformance(subject);
    subscriptionsConformance(subject);
    statesConformance(subject);
    killedConformance(subject);
  });
};
