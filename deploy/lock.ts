/** Lets one process at a time do a piece of work in a folder; a lock whose holder is dead is taken over. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";

export const withLock = async <T>(file: string, onLine: (line: string) => void, work: () => Promise<T>): Promise<T> => {
  for (let waited = false; !take(file); waited = true) {
    if (!waited) onLine(`waiting for another process that holds ${file}`);
    await delay(200);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
};

/** Creating the file is what takes the lock. */
const take = (file: string): boolean => {
  try {
    writeFileSync(file, JSON.stringify(identify(process.pid)), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const holder = holderOf(file);
    if (holder !== undefined && !isAlive(holder)) rmSync(file, { force: true });
    return false;
  }
};

/** Undefined while it's just being written or already gone. */
const holderOf = (file: string): ProcessIdentity | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
};
