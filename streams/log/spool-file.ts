/**
 * The listener's spool on disk: appends that wait for a raw log that is away, in the order in which they came. One SQLite file, WAL with
 * synchronous=FULL, for what is in it has been acknowledged; one process has it at a time.
 */
import { DatabaseSync } from "node:sqlite";
import type { Bounds } from "../core/admission.ts";
import { OperatingError } from "../core/failure.ts";
import type { Append } from "./log.ts";

/** Where the file, without what a crash may leave beside it (64 MiB), stops growing: three hours of a thousand devices that send 200 bytes a second. */
export const spoolBytesMax = 4 * 1024 * 1024 * 1024;

const table = `create table if not exists spooled (
  id integer primary key, topic text not null, partition integer not null, key text not null, value blob not null
)`;

/** The first records of the spool, and the id to remove them by. */
export interface SpoolHead {
  readonly records: readonly Append[];
  readonly lastId: number;
}

export class SpoolFile {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #insert;
  readonly #select;
  readonly #delete;
  #records: number;
  #bytes: number;

  /** Codes: `spool-unavailable` where the file can't be opened or another process has it. */
  constructor(path: string, bytesMax = spoolBytesMax) {
    this.#path = path;
    try {
      this.#db = new DatabaseSync(path);
      this.#db.exec("pragma locking_mode = exclusive");
      this.#db.exec("pragma journal_mode = wal");
      this.#db.exec("pragma synchronous = full");
      this.#db.exec("pragma journal_size_limit = 67108864");
      this.#db.exec(table);
      const pageBytes = Number(this.#db.prepare("pragma page_size").get()?.["page_size"]);
      this.#db.exec(`pragma max_page_count = ${Math.max(4, Math.floor(bytesMax / pageBytes))}`);
      this.#insert = this.#db.prepare("insert into spooled (topic, partition, key, value) values (?, ?, ?, ?)");
      this.#select = this.#db.prepare("select id, topic, partition, key, value from spooled order by id");
      this.#delete = this.#db.prepare("delete from spooled where id <= ?");
      const held = this.#db.prepare("select count(*) as n, total(length(value)) as bytes from spooled").get();
      this.#records = Number(held?.["n"]);
      this.#bytes = Number(held?.["bytes"]);
    } catch (cause) {
      throw this.#unavailable("cannot be opened as a spool", cause);
    }
  }

  get records(): number {
    return this.#records;
  }

  /** Of values, without keys and what SQLite needs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns the last one's id once all are on disk. Codes: `spool-unavailable` (retryable), also when it or the disk is full: then none is. */
  put(records: readonly Append[]): number {
    let lastId = 0;
    this.#inTransaction("cannot take more", () => {
      for (const { topic, partition, key, value } of records)
        lastId = Number(this.#insert.run(topic, partition, key, value).lastInsertRowid);
    });
    this.#records += records.length;
    this.#bytes += bytesOf(records);
    return lastId;
  }

  /** The oldest, at least one; undefined when there is none. */
  first(most: Bounds): SpoolHead | undefined {
    const records: Append[] = [];
    let lastId: number | undefined;
    let sum = 0;
    for (const row of this.#select.iterate()) {
      const value = row["value"] as Uint8Array;
      if (records.length > 0 && (records.length >= most.messages || sum + value.length > most.bytes)) break;
      sum += value.length;
      lastId = Number(row["id"]);
      records.push({
        topic: String(row["topic"]),
        partition: Number(row["partition"]),
        key: String(row["key"]),
        value,
      });
    }
    return lastId === undefined ? undefined : { records, lastId };
  }

  /** Forgets the oldest up to this id; gives the disk back once none is left. Codes: `spool-unavailable`. */
  remove({ records, lastId }: SpoolHead): void {
    this.#inTransaction("cannot forget what the log has", () => this.#delete.run(lastId));
    this.#records -= records.length;
    this.#bytes -= bytesOf(records);
    if (this.#records === 0) this.#shrink();
  }

  close(): void {
    this.#db.close();
  }

  #inTransaction(what: string, change: () => void): void {
    try {
      this.#db.exec("begin immediate");
      change();
      this.#db.exec("commit");
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec("rollback");
      throw this.#unavailable(what, cause);
    }
  }

  /** Of an empty file nothing has to be copied. What fails here costs disk and nothing else. */
  #shrink(): void {
    try {
      this.#db.exec("vacuum");
      this.#db.exec("pragma wal_checkpoint(truncate)");
    } catch {
      // the pages are used again by the next outage
    }
  }

  #unavailable(what: string, cause: unknown): OperatingError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new OperatingError("spool-unavailable", `${this.#path}: ${what}: ${why}`, { retry: true, cause });
  }
}

const bytesOf = (records: readonly Append[]): number => records.reduce((sum, { value }) => sum + value.length, 0);
