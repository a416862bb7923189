/** The spool: a raw log that is away for long blocks nobody, and in the end has everything, in order. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { InvariantError, OperatingError } from "../core/failure.ts";
import { eventually, readAll, values } from "./conformance-fixtures.ts";
import { killed, linesOf, otherProcess } from "./conformance-killed.ts";
import type { Append, Appender } from "./log.ts";
import { Spool, type SpoolOptions } from "./spool.ts";
import { SpoolFile } from "./spool-file.ts";
import { sqliteLog } from "./sqlite.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const away = new OperatingError("log-unavailable", "away", { retry: true });

const spoolPath = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-spool-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "spool.sqlite");
};

/** A log that rejects with `trouble` until it is taken away, and waits for `gate` before it answers. */
const fakeLog = () => {
  const log = {
    trouble: undefined as unknown,
    gate: Promise.resolve() as Promise<unknown>,
    stored: [] as string[],
    appends: 0,
  };
  const appender: Appender = {
    append: async (records) => {
      log.appends++;
      await log.gate;
      if (log.trouble !== undefined) throw log.trouble;
      log.stored.push(...records.map(({ value }) => Buffer.from(value).toString()));
    },
    close: async () => undefined,
  };
  return { log, appender };
};

const open = async (path: string, more: Partial<SpoolOptions> = {}, bytesMax?: number) => {
  const { log, appender } = fakeLog();
  const file = new SpoolFile(path, bytesMax);
  const told: string[] = [];
  const spool = new Spool({
    appender,
    file,
    onAway: () => told.push("away"),
    onError: () => told.push("error"),
    onBack: () => told.push("back"),
    patienceMs: 50,
    ...more,
  });
  const close = (): Promise<void> => spool.close();
  closing.push(() => spool.close().catch(() => undefined));
  return { log, file, spool, told, close };
};

const record = (n: number | string, bytes = 0): Append => ({
  topic: "t",
  partition: 0,
  key: "mon-1",
  value: Buffer.from(String(n).padStart(bytes, " ")),
});
const numbered = (from: number, count: number): Append[] => Array.from({ length: count }, (_, i) => record(from + i));
const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

describe("a spool before a log that answers", () => {
  it("holds nothing: what the log refuses for good is refused", async () => {
    const { log, file, spool, told } = await open(await spoolPath());
    await spool.append(numbered(0, 3));
    expect([log.stored, file.records, told]).toEqual([upTo(3), 0, []]);
    log.trouble = new OperatingError("record-too-large", "no", { retry: false });
    await expect(spool.append(numbered(3, 1))).rejects.toMatchObject({ code: "record-too-large" });
    expect(file.records).toBe(0);
  });
});

describe("a spool before a log that is away", () => {
  it("takes what comes at once, and appends it in order before anything newer when the log is back", async () => {
    const { log, file, spool, told } = await open(await spoolPath());
    log.trouble = away;
    const slowest = { ms: 0 };
    for (let i = 0; i < 60; i++) {
      const began = performance.now();
      await spool.append(numbered(i * 1_000, 1_000));
      slowest.ms = Math.max(slowest.ms, performance.now() - began);
    }
    expect(file.records).toBe(60_000);
    expect(file.bytes).toBe(upTo(60_000).join("").length);
    expect(slowest.ms).toBeLessThan(1_000);
    expect([log.stored, told[0]]).toEqual([[], "away"]);
    log.trouble = undefined;
    await eventually(() => expect(log.stored.length).toBeGreaterThan(0), 5_000);
    await spool.append(numbered(60_000, 10));
    await eventually(() => expect(told.at(-1)).toBe("back"), 10_000);
    await spool.append(numbered(60_010, 1));
    expect(log.stored).toEqual(upTo(60_011));
    expect([file.records, file.bytes]).toEqual([0, 0]);
  });

  it("waits a moment for one that is slow, then spools; what the log took after all comes once", async () => {
    const { log, file, spool, told } = await open(await spoolPath());
    const gate = Promise.withResolvers<void>();
    log.gate = gate.promise;
    await spool.append(numbered(0, 2));
    await spool.append(numbered(2, 2));
    expect([file.records, log.appends, told]).toEqual([4, 1, ["away"]]);
    gate.resolve();
    await eventually(() => expect(told).toEqual(["away", "back"]), 5_000);
    expect(log.stored).toEqual(upTo(4));
  });

  it("keeps what the log refuses for good, says so, and goes on taking", async () => {
    const { log, file, spool, told } = await open(await spoolPath());
    log.trouble = away;
    await spool.append(numbered(0, 2));
    log.trouble = new OperatingError("unknown-topic", "gone", { retry: false });
    await eventually(() => expect(told).toContain("error"), 5_000);
    await spool.append(numbered(2, 1));
    expect(file.records).toBe(3);
    log.trouble = undefined;
    await eventually(() => expect(log.stored).toEqual(upTo(3)), 5_000);
  });

  it("ends with a broken invariant, and keeps what it has", async () => {
    const path = await spoolPath();
    const { log, spool, close } = await open(path);
    log.trouble = away;
    await spool.append(numbered(0, 2));
    log.trouble = new InvariantError("no");
    await expect(spool.failed).rejects.toBeInstanceOf(InvariantError);
    await close();
    const again = await open(path);
    await eventually(() => expect(again.log.stored).toEqual(upTo(2)), 5_000);
  });

  it("takes no more than its bound on disk, and takes again when there is room", async () => {
    const path = await spoolPath();
    const bytesMax = 256 * 1024;
    const { log, file, spool, told } = await open(path, {}, bytesMax);
    log.trouble = away;
    let taken = 0;
    const fill = async (): Promise<void> => {
      for (;;) await spool.append([record(taken, 10_000)]).then(() => taken++);
    };
    await expect(fill()).rejects.toMatchObject({ code: "spool-unavailable", retry: true });
    expect(taken).toBeGreaterThan(10);
    expect(file.records).toBe(taken);
    expect((await stat(path)).size).toBeLessThanOrEqual(bytesMax);
    log.trouble = undefined;
    await eventually(() => expect(told.at(-1)).toBe("back"), 5_000);
    expect(log.stored.map(Number)).toEqual(upTo(taken).map(Number));
    await eventually(async () => expect((await stat(path)).size).toBeLessThan(64 * 1024), 5_000);
  });

  it("is one process's", async () => {
    const path = await spoolPath();
    const { log, spool } = await open(path);
    log.trouble = away;
    await spool.append(numbered(0, 1));
    expect(() => new SpoolFile(path)).toThrow(expect.objectContaining({ code: "spool-unavailable" }));
  });
});

describe("a process that is killed while it spools and drains", () => {
  it("leaves all that it said is taken, in order; only the batch that was under way comes twice", {
    timeout: 60_000,
  }, async () => {
    const path = await spoolPath();
    const logPath = `${path}.log`;
    const here = (name: string): string => JSON.stringify(join(import.meta.dirname, name));
    const imports = `import { Spool } from ${here("spool.ts")}; import { SpoolFile } from ${here("spool-file.ts")};
      import { sqliteLog } from ${here("sqlite.ts")}; import { OperatingError } from ${here("../core/failure.ts")};`;
    const story = (from: number): string => `
      await log.ensure([{ name: "t", partitions: 1 }]);
      const real = await log.appender("dying");
      let away = true;
      setInterval(() => { away = !away; }, 60);
      const append = (records) => away ? Promise.reject(new OperatingError("log-unavailable", "away", { retry: true })) : real.append(records);
      const spool = new Spool({ appender: { append, close: () => real.close() }, file: new SpoolFile(${JSON.stringify(path)}),
        onAway() {}, onError() {}, onBack() {} });
      for (let i = ${from}; ; i++) {
        await spool.append([{ topic: "t", partition: 0, key: "k", value: Buffer.from(String(i)) }]);
        console.log(i);
        await new Promise((resolve) => setImmediate(resolve));
      }`;
    let next = 0;
    for (let round = 0; round < 3; round++) {
      const child = otherProcess(imports, `sqliteLog({ file: ${JSON.stringify(logPath)} })`, story(next));
      const said = linesOf(child);
      await eventually(() => expect(said.length).toBeGreaterThan(300 + 200 * round), 15_000);
      await killed(child);
      next = Number(said.at(-1)) + 1;
      // what it took and did not come to say may be there too: the next run goes on behind it
      const log = sqliteLog({ file: logPath });
      const file = new SpoolFile(path);
      const real = await log.appender("heir");
      const spool = new Spool({ appender: real, file, onAway() {}, onError() {}, onBack() {} });
      await eventually(() => expect(file.records).toBe(0), 10_000);
      const stored = values(await readAll(log, "t", 0)).map(Number);
      const once = [...new Set(stored)];
      expect(once).toEqual(once.map((_, i) => i));
      expect(once.length).toBeGreaterThanOrEqual(next);
      const timesBack = stored.filter((n, i) => n <= (stored[i - 1] ?? -1)).length;
      expect(timesBack).toBeLessThanOrEqual(round + 1);
      next = once.length;
      await spool.close();
      await log.close();
    }
  });
});
