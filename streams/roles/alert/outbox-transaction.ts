/** A transaction on the outbox's file; a disk that is full or a file that is locked is what passes, and is tried again. */
import type { DatabaseSync } from "node:sqlite";
import { OperatingError } from "../../core/failure.ts";

/** SQLite's primary result codes that say nothing of what was to be written: BUSY, LOCKED, NOMEM, IOERR, FULL, CANTOPEN. */
const passing: ReadonlySet<number> = new Set([5, 6, 7, 10, 13, 14]);

/** Codes: `outbox-unavailable`, retryable. What is wrong with the write itself is thrown as it is. */
export const inTransaction = <T>(db: DatabaseSync, write: () => T): T => {
  try {
    db.exec("begin immediate");
    const result = write();
    db.exec("commit");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("rollback"); // a full disk has ended it already
    const code = (error as { readonly errcode?: unknown }).errcode;
    if (typeof code !== "number" || !passing.has(code & 0xff)) throw error;
    throw new OperatingError("outbox-unavailable", `outbox: ${(error as Error).message}`, {
      retry: true,
      cause: error,
    });
  }
};
