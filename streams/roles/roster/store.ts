/**
 * The roster service's own file: every message as it came, every event as it was understood, every revision that followed, and which of those the
 * log has. What is acknowledged is in here first. Names and record numbers are here and in patient records, nowhere else.
 */
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { RosterBody, RosterChange } from "../../../topologies/roster/changes.ts";
import type { RosterEvent } from "../../../topologies/roster/events.ts";

/** A message by MLLP and what was answered. */
export interface InboxRow {
  readonly sender: string;
  readonly controlId: string;
  /** Of what it says, for a control id that comes again with something else. */
  readonly digest: string;
  readonly code: string;
  readonly reason: string;
  readonly message: Uint8Array;
  readonly receivedMs: number;
}

/** A revision that is to go to the log. */
export interface Revision extends RosterChange {
  readonly seq: number;
}

/** One line of what happened to a device or patient. */
export interface HistoryLine {
  readonly seq: number;
  readonly atMs: number;
  readonly cause: string;
  /** The event as it was kept; null: the roster file changed. */
  readonly event: RosterEvent | null;
  readonly body: RosterBody;
}

/** Where an append that may not be known to have worked had begun, by topic and partition. */
export interface Appending {
  readonly atMs: number;
  readonly from: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[];
}

const tables = `
create table if not exists meta (name text primary key, value text not null) without rowid;
create table if not exists inbox (
  seq integer primary key, sender text not null, control_id text not null, digest text not null, code text not null,
  reason text not null, message blob not null, received_ms integer not null
);
create index if not exists inbox_by_id on inbox (sender, control_id);
create table if not exists events (
  seq integer primary key, id text not null unique, cause text not null, body text not null, stored_ms integer not null
);
create table if not exists revisions (
  seq integer primary key, event integer, id text not null, concerns text not null, patient text not null,
  version integer not null, cause text not null, body text not null, at_ms integer not null, appended integer not null default 0
);
create index if not exists revisions_waiting on revisions (seq) where appended = 0;
create index if not exists revisions_of on revisions (concerns);
create index if not exists revisions_of_patient on revisions (patient);
create table if not exists told (id text primary key, body text not null) without rowid;`;

export class RosterStore {
  readonly #db: DatabaseSync;

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 2_000 });
    this.#db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = 67108864;");
    this.#db.exec(tables);
  }

  /** All or nothing. */
  transaction<T>(write: () => T): T {
    this.#db.exec("begin immediate");
    try {
      const result = write();
      this.#db.exec("commit");
      return result;
    } catch (error) {
      this.#db.exec("rollback");
      throw error;
    }
  }

  /** With which patients' keys are made; its own from the first start on. */
  secret(): string {
    const known = this.meta("secret");
    if (known !== undefined) return known;
    const made = randomBytes(32).toString("hex");
    this.setMeta("secret", made);
    return made;
  }

  meta(name: string): string | undefined {
    const found = this.#db.prepare("select value from meta where name = ?").get(name);
    return found === undefined ? undefined : String(found["value"]);
  }

  setMeta(name: string, value: string): void {
    this.#db.prepare("insert or replace into meta (name, value) values (?, ?)").run(name, value);
  }

  /** What was answered with AA before under this control id: its digest. */
  accepted(sender: string, controlId: string): string | undefined {
    const found = this.#db
      .prepare("select digest from inbox where sender = ? and control_id = ? and code = 'AA'")
      .get(sender, controlId);
    return found === undefined ? undefined : String(found["digest"]);
  }

  keepMessage({ sender, controlId, digest, code, reason, message, receivedMs }: InboxRow): void {
    this.#db
      .prepare(
        `insert into inbox (sender, control_id, digest, code, reason, message, received_ms) values (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(sender, controlId, digest, code, reason, message, receivedMs);
  }

  /** The row; undefined where it is known already. */
  keepEvent(event: RosterEvent, cause: string, nowMs: number): number | undefined {
    const { changes, lastInsertRowid } = this.#db
      .prepare("insert or ignore into events (id, cause, body, stored_ms) values (?, ?, ?, ?)")
      .run(event.id, cause, JSON.stringify(event), nowMs);
    return changes === 0 ? undefined : Number(lastInsertRowid);
  }

  /** In the order of their arrival. */
  events(): readonly RosterEvent[] {
    return this.#db
      .prepare("select body from events order by seq")
      .all()
      .map((found) => JSON.parse(String(found["body"])) as RosterEvent);
  }

  keepRevisions(changes: readonly RosterChange[], cause: string, event: number | null, nowMs: number): void {
    const keep = this.#db.prepare(
      `insert into revisions (event, id, concerns, patient, version, cause, body, at_ms) values (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const tell = this.#db.prepare("insert or replace into told (id, body) values (?, ?)");
    for (const { id, key, version, body } of changes) {
      const text = JSON.stringify(body);
      keep.run(event, id, key, body.kind === "device" ? "" : body.patientKey, version, cause, text, nowMs);
      tell.run(id, text);
    }
  }

  told(): Map<string, RosterBody> {
    const found = this.#db.prepare("select id, body from told").all();
    return new Map(found.map((row) => [String(row["id"]), JSON.parse(String(row["body"])) as RosterBody]));
  }

  /** What the log does not have yet, in order. */
  waiting(most: number): readonly Revision[] {
    return this.#db
      .prepare("select seq, id, concerns, version, body from revisions where appended = 0 order by seq limit ?")
      .all(most)
      .map((row) => ({
        seq: Number(row["seq"]),
        id: String(row["id"]),
        key: String(row["concerns"]),
        version: Number(row["version"]),
        body: JSON.parse(String(row["body"])) as RosterBody,
      }));
  }

  waitingCount(): number {
    return Number(this.#db.prepare("select count(*) as n from revisions where appended = 0").get()?.["n"]);
  }

  /** Since when the oldest that the log does not have waits; undefined: nothing waits. */
  waitingSinceMs(): number | undefined {
    const found = this.#db.prepare("select at_ms from revisions where appended = 0 order by seq limit 1").get();
    return found === undefined ? undefined : Number(found["at_ms"]);
  }

  /** When the newest message that is kept came in. */
  messageMs(): number | undefined {
    const found = this.#db.prepare("select received_ms from inbox order by seq desc limit 1").get();
    return found === undefined ? undefined : Number(found["received_ms"]);
  }

  noteAppending(appending: Appending): void {
    this.setMeta("appending", JSON.stringify(appending));
  }

  appending(): Appending | undefined {
    const text = this.meta("appending");
    return text === undefined ? undefined : (JSON.parse(text) as Appending);
  }

  appended(seqs: readonly number[]): void {
    this.transaction(() => {
      const mark = this.#db.prepare("update revisions set appended = 1 where seq = ?");
      for (const seq of seqs) mark.run(seq);
      this.#db.prepare("delete from meta where name = 'appending'").run();
    });
  }

  /** Of a device's id or a patient's key, the oldest first. */
  history(of: string): readonly HistoryLine[] {
    return this.#db
      .prepare(
        `select r.seq as seq, r.at_ms as at_ms, r.cause as cause, r.body as body, e.body as event
         from revisions r left join events e on e.seq = r.event where r.concerns = ? or r.patient = ? order by r.seq`,
      )
      .all(of, of)
      .map((row) => ({
        seq: Number(row["seq"]),
        atMs: Number(row["at_ms"]),
        cause: String(row["cause"]),
        event: row["event"] === null ? null : (JSON.parse(String(row["event"])) as RosterEvent),
        body: JSON.parse(String(row["body"])) as RosterBody,
      }));
  }

  close(): void {
    this.#db.close();
  }
}
