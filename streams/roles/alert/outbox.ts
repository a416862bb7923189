/**
 * What people are to be told and have not been told yet, in a SQLite file of its own: durable before the log's progress is (so that a kill
 * loses nothing), and by identity (so that a redelivery is dropped). Rows wait here, not in memory.
 */
import { DatabaseSync } from "node:sqlite";
import type { Notification } from "../../../schemas/records/alert.ts";
import type { Priority } from "../../../schemas/priority.ts";
import { inTransaction } from "./outbox-transaction.ts";

/** One notification on its way to one address. */
export interface Sending {
  readonly row: number;
  readonly notification: Notification;
  readonly notifier: string;
  readonly to: string;
  readonly attempts: number;
  /** Wall clock (ms) at which it was stored. */
  readonly storedMs: number;
}

/** How a sending ended. */
export interface Outcome {
  readonly row: number;
  readonly outcome: "confirmed" | "failed";
  readonly detail: string;
  /** Wall clock. */
  readonly atMs: number;
}

/** An outcome that the log does not have yet. */
export interface Unreported extends Outcome {
  readonly notification: Notification;
  readonly notifier: string;
}

/** A way to one address: what goes there waits for nothing that goes elsewhere. */
export interface LaneName {
  readonly notifier: string;
  readonly to: string;
}

/** Where one goes whose recipient has no address: it fails at once, and is told as undeliverable. */
const nowhere: LaneName = { notifier: "none", to: "" };

const tables = `
  create table if not exists notifications (
    identity text primary key, page text not null, body text not null, stored_ms integer not null
  ) without rowid;
  create table if not exists sendings (
    id integer primary key, identity text not null, notifier text not null, address text not null,
    severity integer not null, delayed integer not null, rank integer not null,
    waiting integer not null default 1, attempts integer not null default 0, next_ms integer not null default 0,
    stored_ms integer not null, outcome text, detail text, done_ms integer, reported integer not null default 0,
    unique (identity, notifier, address)
  );
  create index if not exists waiting on sendings (notifier, address, delayed, severity desc, rank) where waiting = 1;
  create index if not exists unreported on sendings (id) where waiting = 0 and reported = 0;
  create index if not exists done on sendings (done_ms) where waiting = 0;`;

const severity: Readonly<Record<Priority, number>> = { low: 0, medium: 1, high: 2 };
/** Of what is over, or was told before: it yields to what somebody has to do something about. */
const isDelayed = ({ what }: Notification): boolean => what === "delayed" || what === "ended";

export const openOutboxDatabase = (file: string): DatabaseSync => {
  const db = new DatabaseSync(file, { timeout: 2_000 });
  db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = 67108864;");
  db.exec(tables);
  return db;
};

export class Outbox {
  readonly #db: DatabaseSync;
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = {
      keep: db.prepare("insert or ignore into notifications (identity, page, body, stored_ms) values (?, ?, ?, ?)"),
      address: db.prepare(
        `insert or ignore into sendings (identity, notifier, address, severity, delayed, rank, stored_ms)
         values (?, ?, ?, ?, ?, ?, ?)`,
      ),
      next: db.prepare(
        `select id, body, attempts, s.stored_ms as stored from sendings s join notifications n using (identity)
         where waiting = 1 and notifier = ? and address = ? and next_ms <= ?
         order by delayed, severity desc, rank, id limit ?`,
      ),
      soonest: db.prepare(
        "select min(next_ms) as at from sendings where waiting = 1 and notifier = ? and address = ? and next_ms > ?",
      ),
      again: db.prepare("update sendings set attempts = attempts + 1, next_ms = ? where id = ?"),
      later: db.prepare("update sendings set next_ms = ? where id = ?"),
      done: db.prepare(
        "update sendings set waiting = 0, attempts = attempts + 1, outcome = ?, detail = ?, done_ms = ? where id = ? and waiting = 1",
      ),
      lanes: db.prepare("select distinct notifier, address from sendings where waiting = 1"),
      overdue: db.prepare(
        `select id, severity, s.stored_ms as stored from sendings s
         where waiting = 1 and notifier = ? and address = ? and delayed = 0 and s.stored_ms < ? limit 500`,
      ),
      unreported: db.prepare(
        `select id, notifier, outcome, detail, done_ms, body from sendings join notifications using (identity)
         where waiting = 0 and reported = 0 order by id limit ?`,
      ),
      one: db.prepare(
        `select id, notifier, address, body, attempts, s.stored_ms as stored from sendings s
         join notifications n using (identity) where id = ? and waiting = 1`,
      ),
      reported: db.prepare("update sendings set reported = 1 where id = ?"),
      waiting: db.prepare("select severity, count(*) as n from sendings where waiting = 1 group by severity"),
      oldest: db.prepare(
        `select notifier, address, min(stored_ms) as at from sendings where waiting = 1 and severity = ? and delayed = 0
         group by notifier, address`,
      ),
      prune: db.prepare("delete from sendings where waiting = 0 and reported = 1 and done_ms < ?"),
      pruneBodies: db.prepare(
        "delete from notifications where stored_ms < ? and identity not in (select identity from sendings)",
      ),
    };
  }

  /** Inside the caller's transaction. One that is known is left as it is; gives those that were new. */
  keep(notifications: readonly Notification[], nowMs: number): readonly Notification[] {
    return notifications.filter((notification) => {
      const { identity, page, addresses, priority, at } = notification;
      if (this.#sql.keep.run(identity, page, JSON.stringify(notification), nowMs).changes === 0) return false;
      const delayed = isDelayed(notification);
      for (const { notifier, to } of addresses.length === 0 ? [nowhere] : addresses)
        this.#sql.address.run(
          identity,
          notifier,
          to,
          severity[priority],
          delayed ? 1 : 0,
          // current ones in the order of their coming, delayed ones the newest first
          delayed ? -at : at,
          nowMs,
        );
      return true;
    });
  }

  /** What is to go there next: the gravest first, current before delayed. */
  next({ notifier, to }: LaneName, nowMs: number, most: number): readonly Sending[] {
    return this.#sql.next.all(notifier, to, nowMs, most).map((found) => ({
      row: Number(found["id"]),
      notification: JSON.parse(String(found["body"])) as Notification,
      notifier,
      to,
      attempts: Number(found["attempts"]),
      storedMs: Number(found["stored"]),
    }));
  }

  /** One that waits; undefined once it is settled. */
  sending(row: number): Sending | undefined {
    const found = this.#sql.one.get(row);
    return found === undefined
      ? undefined
      : {
          row,
          notification: JSON.parse(String(found["body"])) as Notification,
          notifier: String(found["notifier"]),
          to: String(found["address"]),
          attempts: Number(found["attempts"]),
          storedMs: Number(found["stored"]),
        };
  }

  /** When the first of those that wait for a repetition is due; undefined if none does. */
  soonest({ notifier, to }: LaneName, nowMs: number): number | undefined {
    const at = this.#sql.soonest.get(notifier, to, nowMs)?.["at"];
    return at === null || at === undefined ? undefined : Number(at);
  }

  /** Not to be tried before `nextMs`. */
  later(row: number, nextMs: number): void {
    this.#sql.later.run(nextMs, row);
  }

  /** It was tried; to be tried again, not before `nextMs`. */
  again(row: number, nextMs: number): void {
    this.#sql.again.run(nextMs, row);
  }

  /** Each once, all in one transaction. */
  settle(outcomes: readonly Outcome[]): void {
    this.transaction(() => {
      for (const { row, outcome, detail, atMs } of outcomes) this.#sql.done.run(outcome, detail, atMs, row);
    });
  }

  lanes(): readonly LaneName[] {
    return this.#sql.lanes
      .all()
      .map((found) => ({ notifier: String(found["notifier"]), to: String(found["address"]) }));
  }

  /** Rows of one lane that have waited since before the moment given, at most 500; never delayed ones. */
  waitingSince({ notifier, to }: LaneName, beforeMs: number): readonly WaitingRow[] {
    return this.#sql.overdue.all(notifier, to, beforeMs).map((found) => ({
      row: Number(found["id"]),
      priority: (["low", "medium", "high"] as const)[Number(found["severity"])] ?? "high",
      storedMs: Number(found["stored"]),
    }));
  }

  unreported(most: number): readonly Unreported[] {
    return this.#sql.unreported.all(most).map((found) => ({
      row: Number(found["id"]),
      notifier: String(found["notifier"]),
      outcome: found["outcome"] === "confirmed" ? "confirmed" : "failed",
      detail: String(found["detail"]),
      atMs: Number(found["done_ms"]),
      notification: JSON.parse(String(found["body"])) as Notification,
    }));
  }

  reported(rows: readonly number[]): void {
    this.transaction(() => {
      for (const row of rows) this.#sql.reported.run(row);
    });
  }

  /** Sendings that wait, by priority. */
  waiting(): Readonly<Record<Priority, number>> {
    const counts = { low: 0, medium: 0, high: 0 };
    for (const found of this.#sql.waiting.all())
      counts[(["low", "medium", "high"] as const)[Number(found["severity"])] ?? "high"] = Number(found["n"]);
    return counts;
  }

  /** Since when the oldest high one waits, by lane; delayed ones are not urgent. */
  oldestHigh(): readonly (LaneName & { readonly sinceMs: number })[] {
    return this.#sql.oldest.all(severity.high).map((found) => ({
      notifier: String(found["notifier"]),
      to: String(found["address"]),
      sinceMs: Number(found["at"]),
    }));
  }

  /** Forgets what was told, and what the log has of it, before the moment given. */
  prune(beforeMs: number): void {
    this.transaction(() => {
      this.#sql.prune.run(beforeMs);
      this.#sql.pruneBodies.run(beforeMs);
    });
  }

  /** Codes: `outbox-unavailable`. */
  transaction<T>(write: () => T): T {
    return inTransaction(this.#db, write);
  }
}

export interface WaitingRow {
  readonly row: number;
  readonly priority: Priority;
  readonly storedMs: number;
}
