/**
 * Group commit: everything queued during one turn of the event loop goes into one transaction, one fsync. A write that
 * refuses (fenced) fails alone; a failing transaction fails all of them.
 */
import type { DatabaseSync } from "node:sqlite";
import { OperatingError } from "../core/failure.ts";
import { closed, unavailable } from "./refusal.ts";

interface Queued {
  /** Runs inside the transaction. Refuses with OperatingError, before its first change. */
  readonly write: () => unknown;
  readonly size: number;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** So that one transaction does not hold up the event loop for long. */
const recordsPerTransaction = 2_000;

export class SqliteWriter {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #committed: () => void;
  #queue: Queued[] = [];
  #scheduled = false;
  #closed = false;

  /** `committed` is told after each transaction. */
  constructor(db: DatabaseSync, file: string, committed: () => void) {
    this.#db = db;
    this.#file = file;
    this.#committed = committed;
  }

  /** Resolves with what `write` returned once it is durable. Codes: `log-unavailable`, `closed`, and what `write` refuses with. */
  run<T>(write: () => T, size = 1): Promise<T> {
    if (this.#closed) return Promise.reject(closed(this.#file));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ write, size, resolve, reject });
      if (!this.#scheduled) setImmediate(() => this.flush());
      this.#scheduled = true;
    });
  }

  /** Writes what is queued now, for closing. */
  close(): void {
    while (this.#queue.length > 0) this.flush();
    this.#closed = true;
  }

  flush(): void {
    const batch = this.#take();
    this.#scheduled = this.#queue.length > 0;
    if (this.#scheduled) setImmediate(() => this.flush());
    if (batch.length === 0) return;
    try {
      this.#db.exec("begin immediate");
      const settle = batch.map((one) => settled(one));
      this.#db.exec("commit");
      for (const done of settle) done();
    } catch (cause) {
      const error = unavailable(`${this.#file}: a transaction failed`, this.#rolledBack(cause));
      for (const { reject } of batch) reject(error);
      return;
    }
    this.#committed();
  }

  #take(): Queued[] {
    let size = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || size < recordsPerTransaction))
      size += this.#queue[count++]?.size ?? 0;
    return this.#queue.splice(0, count);
  }

  /** The first cause counts, also when there is nothing to roll back or that fails. */
  #rolledBack(cause: unknown): unknown {
    if (!this.#db.isTransaction) return cause;
    try {
      this.#db.exec("rollback");
      return cause;
    } catch (second) {
      return new AggregateError([cause, second], String(cause));
    }
  }
}

const settled = ({ write, resolve, reject }: Queued): (() => void) => {
  try {
    const result = write();
    return () => resolve(result as never);
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    return () => reject(error);
  }
};
