/**
 * What alarms there were, one row each, so that a ward can see which of its rules cry wolf: by bed and rule how many, how long, how much later
 * than the condition they came, and how many ended by themselves within ten seconds (clinical.md 22).
 */
import type { DatabaseSync } from "node:sqlite";
import type { Alarm } from "../../../schemas/records/alert.ts";

const tables = `
  create table if not exists alarms (
    identity text primary key, revision integer not null, unit text not null, bed text, source text not null, what text not null,
    priority text not null, raised_ms integer not null, onset integer not null, ended integer
  ) without rowid;
  create index if not exists raised_alarms on alarms (raised_ms);`;

/** By bed and rule, or event where no rule of ours raised it. */
export interface NuisanceCount {
  readonly unit: string;
  readonly bed: string | null;
  readonly source: Alarm["source"];
  readonly what: string;
  readonly alarms: number;
  /** All of them together; those that are open until now. */
  readonly durationMs: number;
  /** From the condition's onset until the circuit had it; all of them together. */
  readonly delayMs: number;
  /** Ended within 10 s of being raised. */
  readonly selfEnded: number;
}

export class Nuisance {
  readonly #sql;

  constructor(db: DatabaseSync) {
    db.exec(tables);
    this.#sql = {
      put: db.prepare(
        `insert into alarms (identity, revision, unit, bed, source, what, priority, raised_ms, onset, ended)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         on conflict do update set revision = excluded.revision, priority = excluded.priority, ended = excluded.ended,
           bed = excluded.bed, unit = excluded.unit
         where excluded.revision > alarms.revision`,
      ),
      counts: db.prepare(
        `select unit, bed, source, what, count(*) as alarms, sum(max(coalesce(ended, ?1) - onset, 0)) as duration,
           sum(max(raised_ms - onset, 0)) as delay, sum(ended is not null and ended - raised_ms <= 10000) as self_ended
         from alarms where raised_ms >= ?2 group by unit, bed, source, what order by alarms desc, duration desc limit ?3`,
      ),
      prune: db.prepare("delete from alarms where raised_ms < ?"),
    };
  }

  /**
   * Inside the caller's transaction, with the record's log time (ms). An older revision, or the same again, changes nothing; tests are not
   * counted. One that makes way for its next instance says no end: it lasted until then.
   */
  put(alarm: Alarm, atMs: number): void {
    if (alarm.test) return;
    const { identity, revision, unit, bed, source, rule, event, priority, receivedTime, onset, end } = alarm;
    const ended = end ?? (alarm.present ? null : atMs);
    this.#sql.put.run(identity, revision, unit, bed, source, rule ?? event, priority, receivedTime, onset, ended);
  }

  /** Of alarms raised since then (log time, ms); the most frequent first, at most `most`. */
  counts(sinceMs: number, nowMs: number, most = 200): readonly NuisanceCount[] {
    return this.#sql.counts.all(nowMs, sinceMs, most).map((row) => ({
      unit: String(row["unit"]),
      bed: row["bed"] === null ? null : String(row["bed"]),
      source: row["source"] as Alarm["source"],
      what: String(row["what"]),
      alarms: Number(row["alarms"]),
      durationMs: Number(row["duration"]),
      delayMs: Number(row["delay"]),
      selfEnded: Number(row["self_ended"]),
    }));
  }

  prune(beforeMs: number): void {
    this.#sql.prune.run(beforeMs);
  }
}
