/** What of the SQLite log the conformance suite does not ask: processes beside each other, and its file. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { logConformance } from "./conformance.ts";
import { killed, linesOf, otherProcess } from "./conformance-killed.ts";
import {
  append,
  eventually,
  numbers,
  readAll,
  record,
  refusesWith,
  Subscriber,
  values,
} from "./conformance-fixtures.ts";
import { sqliteLog } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "sqlite-log-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const freshFile = (): string => join(folder, `${files++}.sqlite`);

/** Another process with the same file. */
const inFile = (file: string, story: string): ChildProcess =>
  otherProcess(
    `import { sqliteLog } from ${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)};`,
    `sqliteLog({ file: ${JSON.stringify(file)} })`,
    story,
  );

logConformance(
  "sqlite",
  () => {
    const file = freshFile();
    return Object.assign(async () => sqliteLog({ file }), { elsewhere: (story: string) => inFile(file, story) });
  },
  { durable: true, patienceMs: 5_000 },
);

const writing = `
  await log.ensure([{ name: "telemetry.raw", partitions: 2 }]);
  const appender = await log.appender("ingest");
  for (let i = 0; ; i++) {
    const value = Buffer.from(String(i));
    await Promise.all([
      appender.append([{ topic: "telemetry.raw", partition: 0, key: "a", value }, { topic: "telemetry.raw", partition: 1, key: "a", value }]),
      appender.append([{ topic: "telemetry.raw", partition: 0, key: "b", value }]),
    ]);
    console.log(i);
  }`;

describe("sqlite log between processes", { timeout: 30_000 }, () => {
  it("has everything that a process acknowledged before it was killed, and no half append", async () => {
    const file = freshFile();
    for (let round = 0; round < 3; round++) {
      const child = inFile(file, writing);
      const acknowledged = linesOf(child);
      await eventually(() => expect(acknowledged.length).toBeGreaterThan(200), 15_000);
      await killed(child);
      const log = sqliteLog({ file });
      const [zero, one] = [await readAll(log, "telemetry.raw", 0), await readAll(log, "telemetry.raw", 1)];
      const ofA = values(zero.filter(({ key }) => key === "a"));
      expect(ofA).toEqual(values(one));
      const last = acknowledged.at(-1) ?? "none";
      const thisRound = ofA.slice(ofA.lastIndexOf("0"));
      expect(thisRound.slice(0, Number(last) + 1)).toEqual(acknowledged);
      expect(zero.map(({ offset }) => offset)).toEqual(zero.map((_, i) => i));
      await log.close();
    }
  });

  it("wakes a reader within 50 ms of another process's append", async () => {
    const file = freshFile();
    const log = sqliteLog({ file });
    await log.ensure([{ name: "telemetry.raw", partitions: 1 }]);
    const reader = await log.reader("telemetry.raw", 0, "start");
    const child = inFile(
      file,
      `const appender = await log.appender("other");
       for (let i = 0; i < 10; i++) {
         await new Promise((resolve) => setTimeout(resolve, 60));
         const value = Buffer.from(String(Date.now()));
         await appender.append([{ topic: "telemetry.raw", partition: 0, key: "k", value }]);
       }`,
    );
    const delays: number[] = [];
    while (delays.length < 10)
      for (const sentMs of values(await reader.next(10_000))) delays.push(Date.now() - Number(sentMs));
    delays.sort((a, b) => a - b);
    expect(delays[5]).toBeLessThanOrEqual(50);
    await killed(child);
    await log.close();
  });

  it("takes over the partitions and the claims of a process that was killed, without waiting for its lease", async () => {
    const file = freshFile();
    const log = sqliteLog({ file });
    await log.ensure([{ name: "telemetry.raw", partitions: 2 }]);
    const child = inFile(
      file,
      `const handler = (partition) => ({
         open: async () => { console.log("open " + partition); return 0; },
         process: async () => {}, close: async () => {},
       });
       await log.subscribe("normalise", "telemetry.raw", handler);`,
    );
    const lines = linesOf(child);
    await eventually(() => expect(lines).toHaveLength(2), 10_000);
    const subscriber = new Subscriber();
    const subscription = await log.subscribe("normalise", "telemetry.raw", subscriber.handler);
    await eventually(() => expect(subscription.partitions).toHaveLength(1), 5_000);
    await killed(child);
    const since = Date.now();
    await eventually(() => expect(subscription.partitions).toHaveLength(2), 5_000);
    expect(Date.now() - since).toBeLessThan(3_000);
    await append(log, [record("telemetry.raw", 0, "x"), record("telemetry.raw", 1, "y")]);
    await eventually(() => expect(subscriber.seen.size).toBe(2), 5_000);
    await log.close();
  });

  it("gives the lease of a member that does not answer to another, and the loser notices", async () => {
    const file = freshFile();
    const log = sqliteLog({ file });
    await log.ensure([{ name: "telemetry.raw", partitions: 1 }]);
    const child = inFile(
      file,
      `const handler = (partition) => ({
         open: async () => { console.log("open"); return 0; },
         process: async () => {}, close: async () => { console.log("close"); },
       });
       await log.subscribe("normalise", "telemetry.raw", handler);`,
    );
    const lines = linesOf(child);
    await eventually(() => expect(lines).toEqual(["open"]), 10_000);
    const subscription = await log.subscribe("normalise", "telemetry.raw", new Subscriber().handler);
    child.kill("SIGSTOP");
    await eventually(() => expect(subscription.partitions).toEqual([0]), 10_000);
    child.kill("SIGCONT");
    await eventually(() => expect(lines).toContain("close"), 5_000);
    await killed(child);
    await log.close();
  });
});

describe("sqlite log", () => {
  it("stamps by its clock but never goes back, also after trimming and reopening", async () => {
    const file = freshFile();
    const stamped = async (nowMs: number): Promise<number | undefined> => {
      const log = sqliteLog({ file, clock: () => nowMs });
      await log.ensure([{ name: "telemetry.raw", partitions: 1 }]);
      await append(log, [record("telemetry.raw", 0, "x")]);
      const stamp = (await readAll(log, "telemetry.raw", 0)).at(-1)?.stampMs;
      await log.trim("telemetry.raw", 0, (await log.bounds("telemetry.raw", 0)).end);
      await log.close();
      return stamp;
    };
    expect([await stamped(5_000), await stamped(3_000), await stamped(6_000)]).toEqual([5_000, 5_000, 6_000]);
  });

  it("keeps no more than its retention, give or take a tenth and the last append", async () => {
    const log = sqliteLog({ file: freshFile(), retain: (topic) => (topic === "telemetry.raw" ? 100 : undefined) });
    await log.ensure([
      { name: "telemetry.raw", partitions: 1 },
      { name: "clinical.audit", partitions: 1 },
    ]);
    for (let i = 0; i < 1000; i += 50)
      await append(log, [...numbers("telemetry.raw", 0, i, i + 50), ...numbers("clinical.audit", 0, i, i + 50)]);
    const kept = values(await readAll(log, "telemetry.raw", 0));
    expect(kept.at(-1)).toBe("999");
    expect(kept.length).toBeGreaterThanOrEqual(100);
    expect(kept.length).toBeLessThanOrEqual(160);
    expect(await readAll(log, "clinical.audit", 0)).toHaveLength(1000);
    await log.close();
  });

  it("stops growing on disk once its retention is reached, with a reader at work", async () => {
    const file = freshFile();
    const log = sqliteLog({ file, retain: () => 2_000 });
    await log.ensure([{ name: "telemetry.raw", partitions: 1 }]);
    const reader = await log.reader("telemetry.raw", 0, "start");
    const filled = async (records: number): Promise<number> => {
      const value = new Uint8Array(500);
      const batch = Array.from({ length: 500 }, () => ({ topic: "telemetry.raw", partition: 0, key: "k", value }));
      for (let i = 0; i < records; i += 500) {
        await append(log, batch);
        await reader.next(0);
      }
      return statSync(file).size + statSync(`${file}-wal`).size;
    };
    const after10k = await filled(10_000);
    expect(await filled(40_000)).toBeLessThan(after10k * 1.5);
    await log.close();
  });

  it("commits what is appended at once together", async () => {
    const log = sqliteLog({ file: freshFile() });
    await log.ensure([{ name: "telemetry.raw", partitions: 1 }]);
    const appender = await log.appender("ingest");
    const rate = async (together: number): Promise<number> => {
      const begun = performance.now();
      for (let i = 0; i < 2_000; i += together)
        await Promise.all(numbers("telemetry.raw", 0, i, i + together).map((one) => appender.append([one])));
      return 2_000 / (performance.now() - begun);
    };
    const [single, grouped] = [await rate(1), await rate(100)];
    expect(grouped).toBeGreaterThan(single * 2);
    await log.close();
  });

  it("says log-unavailable for a file that is no database", async () => {
    const file = freshFile();
    writeFileSync(file, "x".repeat(4096));
    expect(() => sqliteLog({ file })).toThrow(expect.objectContaining({ code: "log-unavailable" }));
  });

  it("rejects appends while another process keeps the file locked, and takes them again afterwards", async () => {
    const file = freshFile();
    const log = sqliteLog({ file });
    await log.ensure([{ name: "telemetry.raw", partitions: 1 }]);
    const child = inFile(
      file,
      `import { DatabaseSync } from "node:sqlite";
       const db = new DatabaseSync(${JSON.stringify(file)});
       db.exec("begin immediate"); console.log("locked"); setTimeout(() => {}, 60_000);`,
    );
    const lines = linesOf(child);
    await eventually(() => expect(lines).toEqual(["locked"]), 10_000);
    await refusesWith(append(log, [record("telemetry.raw", 0, "refused")]), "log-unavailable");
    await killed(child);
    await sleep(10);
    await append(log, [record("telemetry.raw", 0, "taken")]);
    expect(values(await readAll(log, "telemetry.raw", 0))).toEqual(["taken"]);
    await log.close();
  }, 30_000);
});
