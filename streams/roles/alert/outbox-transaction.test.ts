/** A database that has no room passes as trouble that passes; what is wrong with a write is the write's own fault. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, it } from "vitest";
import { inTransaction } from "./outbox-transaction.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const opened = async () => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-transaction-"));
  closing.push(() => rm(folder, { recursive: true }));
  const db = new DatabaseSync(join(folder, "outbox.sqlite"));
  closing.push(() => db.close());
  db.exec("create table t (id integer primary key, body blob)");
  const put = (bytes: number) => () => db.prepare("insert into t (body) values (zeroblob(?))").run(bytes);
  const count = (): number => Number(db.prepare("select count(*) as n from t").get()?.["n"]);
  return { db, put, count };
};

it("without room is tried again, leaves nothing behind, and goes on when there is room", async () => {
  const { db, put, count } = await opened();
  db.exec("pragma max_page_count = 40");
  const both = (): void => {
    put(10)();
    put(1_000_000)();
  };
  expect(() => inTransaction(db, both)).toThrow(expect.objectContaining({ code: "outbox-unavailable", retry: true }));
  expect([count(), db.isTransaction]).toEqual([0, false]);
  db.exec("pragma max_page_count = 4000");
  inTransaction(db, both);
  expect(count()).toBe(2);
});

it("that is wrong is thrown as it is, and undone", async () => {
  const { db, put, count } = await opened();
  const wrong = (): void => {
    put(10)();
    db.exec("insert into t (id, body) values (1, null)");
  };
  expect(() => inTransaction(db, wrong)).toThrow(/UNIQUE/);
  expect(count()).toBe(0);
});
