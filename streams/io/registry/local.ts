/** The schema registry of the embedded stack: a SQLite file (ids outlive restarts), or memory for tests. */
import { DatabaseSync } from "node:sqlite";
import { OperatingError } from "../../core/failure.ts";
import { demandReadsAll } from "./compatibility.ts";
import type { RegisteredSchema, SchemaRegistry } from "./registry.ts";

const tables = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS schemas (id INTEGER PRIMARY KEY, schema TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS versions (
    subject TEXT NOT NULL, version INTEGER NOT NULL, id INTEGER NOT NULL REFERENCES schemas (id),
    PRIMARY KEY (subject, version), UNIQUE (subject, id)
  );`;

/** Runs on the database; what SQLite refuses (a locked or unreadable file) becomes `registry-unavailable`. */
const attempt = <T>(path: string, run: () => T): T => {
  try {
    return run();
  } catch (error) {
    if (error instanceof OperatingError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatingError("registry-unavailable", `Using the schema registry ${path}: ${why}`, {
      retry: true,
      cause: error,
    });
  }
};

const open = (path: string): DatabaseSync =>
  attempt(path, () => {
    const db = new DatabaseSync(path);
    db.exec(tables);
    return db;
  });

const versionsOf = (db: DatabaseSync, subject: string): RegisteredSchema[] =>
  db
    .prepare("SELECT v.id, s.schema FROM versions v JOIN schemas s ON s.id = v.id WHERE subject = ? ORDER BY version")
    .all(subject)
    .map((row) => ({ id: Number(row["id"]), schema: JSON.parse(String(row["schema"])) as object }));

/** The id of this very schema text, new or known from another subject. */
const idOf = (db: DatabaseSync, text: string): number => {
  db.prepare("INSERT INTO schemas (schema) VALUES (?) ON CONFLICT DO NOTHING").run(text);
  return Number(db.prepare("SELECT id FROM schemas WHERE schema = ?").get(text)?.["id"]);
};

const addVersion = (db: DatabaseSync, subject: string, schema: object): number => {
  const versions = versionsOf(db, subject);
  const text = JSON.stringify(schema);
  const known = versions.find((version) => JSON.stringify(version.schema) === text);
  if (known !== undefined) return known.id;
  demandReadsAll(
    subject,
    schema,
    versions.map((version) => version.schema),
  );
  const id = idOf(db, text);
  db.prepare("INSERT INTO versions (subject, version, id) VALUES (?, ?, ?)").run(subject, versions.length + 1, id);
  return id;
};

const inTransaction = <T>(db: DatabaseSync, run: () => T): T => {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = run();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
};

/** Opens or creates the registry in `path`; ":memory:" keeps it for this object alone. Codes: `registry-unavailable`. */
export const localRegistry = (path: string): SchemaRegistry => {
  const db = open(path);
  return {
    register: async (subject, schema) => attempt(path, () => inTransaction(db, () => addVersion(db, subject, schema))),
    all: async (subject) => attempt(path, () => versionsOf(db, subject)),
    byId: async (id) =>
      attempt(path, () => {
        const text = db.prepare("SELECT schema FROM schemas WHERE id = ?").get(id)?.["schema"];
        return text === undefined ? undefined : (JSON.parse(String(text)) as object);
      }),
    close: async () => db.close(),
  };
};
