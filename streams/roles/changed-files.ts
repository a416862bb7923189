/** Notices when one of some files has become another: written anew, or swapped by a rename of the file or of a folder above it. */
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const lookEveryMs = 1_000;

const stampOf = async (file: string): Promise<string> => {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino}/${size}/${mtimeMs}`;
  } catch {
    return "absent";
  }
};
const stampsOf = async (files: readonly string[]): Promise<string> => (await Promise.all(files.map(stampOf))).join();

/**
 * Calls `changed` one second after a change at most, one call at a time, until aborted. What changes while it runs calls it again. It must
 * not reject.
 */
export const whenChanged = async (
  files: readonly string[],
  changed: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  let known = await stampsOf(files);
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    const now = await stampsOf(files);
    if (now === known || signal.aborted) continue;
    known = now;
    await changed();
  }
};
