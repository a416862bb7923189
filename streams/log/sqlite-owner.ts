/** The state of tasks in the SQLite file. A commit checks in its own transaction that its claim is the newest. */
import type { DatabaseSync } from "node:sqlite";
import { OperatingError } from "../core/failure.ts";
import type { Owner } from "./log.ts";
import { assertConfirmed } from "./memory-store.ts";
import { commitUnsure, fenced, partitionCountChanged, unknownTopic } from "./refusal.ts";
import type { SqliteWriter } from "./sqlite-writer.ts";

export class SqliteStates {
  readonly #writer: SqliteWriter;
  readonly #sql;

  constructor(db: DatabaseSync, writer: SqliteWriter) {
    this.#writer = writer;
    this.#sql = {
      count: db.prepare("select partitions from claims where store = ? limit 1"),
      claim: db.prepare(
        `insert into claims (store, partition, partitions, epoch) values (?, ?, ?, 1)
         on conflict do update set epoch = epoch + 1 returning id, epoch`,
      ),
      epoch: db.prepare("select epoch from claims where id = ?"),
      load: db.prepare("select key, value from states where claim = ?"),
      claimed: db.prepare("select id from claims where store = ? and partition = ?"),
      put: db.prepare("insert or replace into states (claim, key, value) values (?, ?, ?)"),
      remove: db.prepare("delete from states where claim = ? and key = ?"),
    };
  }

  async claim(store: string, partition: number, partitions: number): Promise<Owner> {
    if (partition >= partitions) throw unknownTopic(store, partition);
    const { id, epoch } = await this.#writer.run(() => {
      const stands = this.#sql.count.get(store)?.["partitions"] ?? partitions;
      if (stands !== partitions) throw partitionCountChanged(store, Number(stands), partitions);
      return this.#sql.claim.get(store, partition, partitions) as { id: number; epoch: number };
    });
    return this.#owner(store, partition, id, epoch);
  }

  snapshot(store: string, partition: number): ReadonlyMap<string, Uint8Array> {
    const id = this.#sql.claimed.get(store, partition)?.["id"];
    return id === undefined ? new Map() : this.#load(Number(id));
  }

  #load(id: number): Map<string, Uint8Array> {
    return new Map(this.#sql.load.all(id).map((row) => [String(row["key"]), row["value"] as Uint8Array]));
  }

  #owner(store: string, partition: number, id: number, epoch: number): Owner {
    let open = true;
    let confirmed = false;
    const assertOwner = (): void => {
      if (!open || this.#sql.epoch.get(id)?.["epoch"] !== epoch) throw fenced(store, partition);
    };
    return {
      load: async () => {
        const loaded = this.#load(id);
        assertOwner();
        return loaded;
      },
      confirm: async () => {
        await this.#writer.run(assertOwner);
        confirmed = true;
      },
      commit: async (changes) => {
        assertConfirmed(confirmed, store, partition);
        try {
          await this.#writer.run(() => {
            assertOwner();
            this.#put(id, changes);
          }, changes.size);
        } catch (error) {
          open = false;
          throw error instanceof OperatingError && error.retry ? commitUnsure(store, partition, error) : error;
        }
      },
      close: async () => {
        open = false;
      },
    };
  }

  #put(id: number, changes: ReadonlyMap<string, Uint8Array | null>): void {
    for (const [key, value] of changes)
      if (value === null) this.#sql.remove.run(id, key);
      else this.#sql.put.run(id, key, value);
  }
}
