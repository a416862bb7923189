/** Versions of resources in one SQLite file, with the search tokens of their newest ones. What is put is on disk before it returns. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

export interface StoredVersion {
  readonly id: string;
  readonly version: number;
  readonly updatedMs: number;
  readonly json: string;
}

/** A search token: `value` alone or with its system. */
export interface Token {
  readonly name: string;
  readonly system: string | null;
  readonly value: string;
}

export interface Query {
  /** All must hold. */
  readonly tokens: readonly Token[];
  /** SQL comparison and milliseconds since the epoch. */
  readonly updated: readonly { readonly compare: "<" | "<=" | ">" | ">=" | "="; readonly ms: number }[];
  readonly newestFirst: boolean;
  readonly count: number;
  readonly offset: number;
}

export interface Change {
  readonly type: string;
  readonly next: StoredVersion;
  readonly tokens: readonly Token[];
}

export interface ResourceStore {
  newest(type: string, id: string): StoredVersion | undefined;
  history(type: string, id: string): readonly StoredVersion[];
  /** All of them or none. */
  put(changes: readonly Change[]): void;
  search(type: string, query: Query): { readonly total: number; readonly found: readonly StoredVersion[] };
  close(): void;
}

const tables = `
  CREATE TABLE IF NOT EXISTS versions (
    type TEXT, id TEXT, version INTEGER, updatedMs INTEGER, json TEXT, PRIMARY KEY (type, id, version)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS newest (
    type TEXT, id TEXT, version INTEGER, updatedMs INTEGER, json TEXT, PRIMARY KEY (type, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS newestByTime ON newest (type, updatedMs);
  CREATE TABLE IF NOT EXISTS tokens (type TEXT, id TEXT, name TEXT, system TEXT, value TEXT);
  CREATE INDEX IF NOT EXISTS tokensByValue ON tokens (type, name, value);
  CREATE INDEX IF NOT EXISTS tokensById ON tokens (type, id);
`;

const conditions = (type: string, query: Query): { sql: string; values: SQLInputValue[] } => {
  const parts = ["n.type = ?"];
  const values: SQLInputValue[] = [type];
  for (const { compare, ms } of query.updated) {
    parts.push(`n.updatedMs ${compare} ?`);
    values.push(ms);
  }
  for (const { name, system, value } of query.tokens) {
    if (name === "_id") {
      parts.push("n.id = ?");
      values.push(value);
      continue;
    }
    const bySystem = system === null ? "" : " AND t.system = ?";
    parts.push(
      `EXISTS (SELECT 1 FROM tokens t WHERE t.type = n.type AND t.id = n.id AND t.name = ? AND t.value = ?${bySystem})`,
    );
    values.push(name, value, ...(system === null ? [] : [system]));
  }
  return { sql: parts.join(" AND "), values };
};

/** `file`: a path, or ":memory:". */
export const openResourceStore = (file: string): ResourceStore => {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  db.exec(tables);
  const columns = "id, version, updatedMs, json";
  const one = db.prepare(`SELECT ${columns} FROM newest WHERE type = ? AND id = ?`);
  const all = db.prepare(`SELECT ${columns} FROM versions WHERE type = ? AND id = ? ORDER BY version DESC`);
  const addVersion = db.prepare("INSERT INTO versions VALUES (?, ?, ?, ?, ?)");
  const setNewest = db.prepare("INSERT OR REPLACE INTO newest VALUES (?, ?, ?, ?, ?)");
  const dropTokens = db.prepare("DELETE FROM tokens WHERE type = ? AND id = ?");
  const addToken = db.prepare("INSERT INTO tokens VALUES (?, ?, ?, ?, ?)");
  const rows = (found: unknown): readonly StoredVersion[] => found as readonly StoredVersion[];
  return {
    newest: (type, id) => one.get(type, id) as StoredVersion | undefined,
    history: (type, id) => rows(all.all(type, id)),
    put(changes) {
      db.exec("BEGIN IMMEDIATE");
      try {
        for (const { type, next, tokens } of changes) {
          const { id, version, updatedMs, json } = next;
          addVersion.run(type, id, version, updatedMs, json);
          setNewest.run(type, id, version, updatedMs, json);
          dropTokens.run(type, id);
          for (const token of tokens) addToken.run(type, id, token.name, token.system, token.value);
        }
        db.exec("COMMIT");
      } catch (error) {
        db.exec("ROLLBACK");
        throw error;
      }
    },
    search(type, query) {
      const { sql, values } = conditions(type, query);
      const { total } = db.prepare(`SELECT count(*) AS total FROM newest n WHERE ${sql}`).get(...values) as {
        total: number;
      };
      const order = query.newestFirst ? "DESC" : "ASC";
      const found = db
        .prepare(`SELECT ${columns} FROM newest n WHERE ${sql} ORDER BY updatedMs ${order}, id LIMIT ? OFFSET ?`)
        .all(...values, query.count, query.offset);
      return { total, found: rows(found) };
    },
    close: () => db.close(),
  };
};
