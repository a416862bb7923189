/** How far groups have come, for showing lag: kept in memory and written now and then. */
import type { DatabaseSync } from "node:sqlite";

export class SqliteProgress {
  readonly #unwritten = new Map<string, readonly [group: string, topic: string, partition: number, next: number]>();
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#sql = {
      put: db.prepare("insert or replace into progress (grp, topic, partition, next) values (?, ?, ?, ?)"),
      read: db.prepare("select partition, next from progress where grp = ? and topic = ?"),
    };
  }

  /** True if it is the first unwritten one: somebody has to call `write` some time. */
  put(group: string, topic: string, partition: number, next: number): boolean {
    this.#unwritten.set(`${group}\n${topic}\n${partition}`, [group, topic, partition, next]);
    return this.#unwritten.size === 1;
  }

  /** Inside a transaction. */
  write(): void {
    for (const row of this.#unwritten.values()) this.#sql.put.run(...row);
    this.#unwritten.clear();
  }

  read(group: string, topic: string, partitions: number): readonly (number | undefined)[] {
    const progress = Array.from<number | undefined>({ length: partitions });
    for (const row of this.#sql.read.all(group, topic)) progress[Number(row["partition"])] = Number(row["next"]);
    for (const [g, t, partition, next] of this.#unwritten.values())
      if (g === group && t === topic) progress[partition] = next;
    return progress;
  }
}
