/**
 * The SQLite file of a log: its tables and how it is opened. WAL with synchronous=FULL, for what we acknowledge must survive
 * a power loss; several processes may have it open.
 */
import { DatabaseSync } from "node:sqlite";
import { unavailable } from "./refusal.ts";

/** How long a writer waits for another process's transaction, which blocks this process's event loop. */
const busyMsMax = 2_000;

const tables = `
create table if not exists topics (
  name text primary key, partitions integer not null
) without rowid;
create table if not exists partitions (
  id integer primary key, topic text not null, partition integer not null,
  first integer not null default 0, next integer not null default 0, stamp_ms integer not null default 0,
  unique (topic, partition)
);
-- id is the partition's id x 2^40 + the offset: one B-tree, each partition appended at its own edge.
create table if not exists records (
  id integer primary key, stamp_ms integer not null, key text not null, value blob not null
);
create table if not exists claims (
  id integer primary key, store text not null, partition integer not null, partitions integer not null,
  epoch integer not null default 0, unique (store, partition)
);
create table if not exists states (
  claim integer not null, key text not null, value blob not null, primary key (claim, key)
) without rowid;
create table if not exists members (
  grp text not null, topic text not null, member text not null, joined integer not null, alive_until_ms integer not null,
  primary key (grp, topic, member)
) without rowid;
create table if not exists leases (
  grp text not null, topic text not null, partition integer not null, member text not null,
  primary key (grp, topic, partition)
) without rowid;
create table if not exists progress (
  grp text not null, topic text not null, partition integer not null, next integer not null,
  primary key (grp, topic, partition)
) without rowid;`;

export const openDatabase = (file: string): DatabaseSync => {
  try {
    const db = new DatabaseSync(file, { timeout: busyMsMax });
    db.exec("pragma journal_mode = wal");
    db.exec("pragma synchronous = full");
    db.exec("pragma journal_size_limit = 67108864");
    db.exec(tables);
    return db;
  } catch (cause) {
    throw unavailable(`${file}: cannot be opened as a log`, cause);
  }
};

const offsetsPerPartition = 2 ** 40;

export const recordId = (partitionId: number, offset: number): number => partitionId * offsetsPerPartition + offset;
export const offsetOf = (id: number): number => id % offsetsPerPartition;
