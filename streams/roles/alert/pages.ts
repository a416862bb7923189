/**
 * The pages as they stand, and the modes of degradation that were entered and left, kept beside the outbox: what people see and answer, and what
 * the audit goes by. The newest revision of a page wins.
 */
import type { DatabaseSync } from "node:sqlite";
import type { ModeEvent, Page } from "../../../schemas/records/alert.ts";
import { ok, refuse, type Result } from "../../core/failure.ts";

const tables = `
  create table if not exists pages (
    identity text primary key, revision integer not null, over integer not null, over_at integer, body text not null
  ) without rowid;
  create index if not exists open_pages on pages (identity) where over = 0;
  create index if not exists over_pages on pages (over_at) where over = 1;
  create table if not exists modes (
    mode text not null, which text not null, at integer not null, entered integer not null, body text not null,
    primary key (mode, which, at, entered)
  ) without rowid;`;

/** So much of an identity has to be typed. */
const prefixMin = 4;

export class Pages {
  readonly #sql;

  constructor(db: DatabaseSync) {
    db.exec(tables);
    this.#sql = {
      put: db.prepare(
        `insert into pages (identity, revision, over, over_at, body) values (?, ?, ?, ?, ?)
         on conflict do update set revision = excluded.revision, over = excluded.over, over_at = excluded.over_at,
           body = excluded.body
         where excluded.revision > pages.revision`,
      ),
      open: db.prepare("select body from pages where over = 0"),
      one: db.prepare("select body from pages where identity = ?"),
      like: db.prepare("select body from pages where identity >= ?1 and identity < ?1 || '\u{10ffff}' limit 2"),
      prune: db.prepare("delete from pages where over = 1 and over_at < ?"),
      putMode: db.prepare("insert or ignore into modes (mode, which, at, entered, body) values (?, ?, ?, ?, ?)"),
      lastModes: db.prepare("select body from modes order by at desc, entered limit ?"),
      pruneModes: db.prepare("delete from modes where at < ?"),
    };
  }

  /** Inside the caller's transaction. An older revision, or the same again, changes nothing. */
  put(page: Page): void {
    const over = page.state === "over";
    this.#sql.put.run(page.identity, page.revision, over ? 1 : 0, page.overAt, JSON.stringify(page));
  }

  /** Not over yet; without heartbeats unless asked for. */
  open(options: { readonly tests?: boolean } = {}): readonly Page[] {
    return this.#sql.open
      .all()
      .map(pageIn)
      .filter(({ test }) => options.tests === true || !test);
  }

  find(identity: string): Page | undefined {
    const found = this.#sql.one.get(identity);
    return found === undefined ? undefined : pageIn(found);
  }

  /** By identity. Reasons: `page-unknown`. */
  whole(identity: string): Result<Page> {
    const found = this.find(identity);
    return found === undefined ? refuse("page-unknown", `there is no page ${identity}`) : ok(found);
  }

  /** By identity or the beginning of one. Reasons: `page-unknown`, `page-ambiguous`. */
  named(text: string): Result<Page> {
    const whole = this.find(text);
    if (whole !== undefined) return ok(whole);
    const found = text.length < prefixMin ? [] : this.#sql.like.all(text).map(pageIn);
    const [page, other] = found;
    if (page === undefined) return refuse("page-unknown", `there is no page ${text}`);
    if (other !== undefined) return refuse("page-ambiguous", `more than one page begins with ${text}`);
    return ok(page);
  }

  /** Inside the caller's transaction. The same again changes nothing. */
  putMode(event: ModeEvent): void {
    const { mode, which, at, entered } = event;
    this.#sql.putMode.run(mode, which ?? "", at, entered ? 1 : 0, JSON.stringify(event));
  }

  /** The last that were entered or left, the newest first. */
  lastModes(most: number): readonly ModeEvent[] {
    return this.#sql.lastModes.all(most).map((row) => JSON.parse(String(row["body"])) as ModeEvent);
  }

  /** Forgets those that were over before (log time, ms). */
  prune(beforeMs: number): void {
    this.#sql.prune.run(beforeMs);
    this.#sql.pruneModes.run(beforeMs);
  }
}

const pageIn = (row: Readonly<Record<string, unknown>>): Page => JSON.parse(String(row["body"])) as Page;
