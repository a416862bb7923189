/**
 * How fast a task's state comes back: `node test/bench/restore.ts [keys]` stores so many keys (two cells and an appointment each) in a SQLite
 * log, opens it anew and measures claim, load, confirm and restore. The goal is 100,000 keys in under 10 s.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Task } from "../../streams/core/task.ts";
import { sqliteLog } from "../../streams/log/sqlite.ts";
import { windows } from "../../topologies/windows.ts";

const keys = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(join(tmpdir(), "restore-"));
const file = join(folder, "log.sqlite");
const asBytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** About what a subject's open windows of one metric hold. */
const cell = {
  count: 60,
  sum: 4_321.5,
  min: 61,
  max: 88,
  last: 72,
  lastAt: 1_700_000_000_000,
  expected: 60,
  revision: 0,
};

try {
  const log = sqliteLog({ file });
  const owner = await log.claim("bench.v1", 0, 1);
  await owner.load();
  await owner.confirm();
  const part = 10_000;
  for (let first = 0; first < keys; first += part) {
    const changes = new Map<string, Uint8Array>();
    for (let i = first; i < Math.min(first + part, keys); i++) {
      changes.set(`c\u0000subject-${i}\u0000hr`, asBytes(cell));
      changes.set(`c\u0000subject-${i}\u0000spo2`, asBytes(cell));
      changes.set(`d\u0000subject-${i}`, asBytes(1_700_000_000_000 + i));
    }
    await owner.commit(changes);
  }
  await owner.close();
  await log.close();

  const began = performance.now();
  const again = sqliteLog({ file });
  const successor = await again.claim("bench.v1", 0, 1);
  const stored = await successor.load();
  const loaded = performance.now();
  await successor.confirm();
  new Task(windows, 0, []).restore(stored);
  const restored = performance.now();
  process.stdout.write(
    `restore on SQLite: ${keys} keys (${stored.size} entries) in ${((restored - began) / 1000).toFixed(2)} s (load ${((loaded - began) / 1000).toFixed(2)} s); goal 10 s for 100,000\n`,
  );
  await again.close();
} finally {
  rmSync(folder, { recursive: true });
}
