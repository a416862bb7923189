/** Where the recordings are, for tests; those that need them are skipped with one line where there are none. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export const recordingsFolder = process.env["RECORDINGS"] ?? join(import.meta.dirname, "../../../../shared/data");
export const noRecordings = !existsSync(join(recordingsFolder, "EVENTS.csv"));
export const skipped = noRecordings ? " (skipped: RECORDINGS has no EVENTS.csv)" : "";
