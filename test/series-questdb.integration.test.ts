/** The series store over a real QuestDB: its conformance, and what is left of acknowledged rows when the server is killed. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ServerHandle } from "../deploy/handle.ts";
import { isFree } from "../deploy/ports.ts";
import { OperatingError } from "../streams/core/failure.ts";
import { seriesConformance } from "../streams/io/series/conformance.ts";
import { runSql } from "../streams/io/series/questdb-http.ts";
import { questdbSeries } from "../streams/io/series/questdb.ts";
import { ecg, heartRate, heartRates } from "../streams/io/series/rows.fixture.ts";
import type { SeriesRows, SeriesStore } from "../streams/io/series/series.ts";
import { sharedStack } from "./stack.ts";

let opened = 0;
const questdb = (): ServerHandle => sharedStack().server("questdb");
const url = (): string => questdb().url;
const prefix = (): string => `series${opened}_`;
const reopen = (): Promise<SeriesStore> => questdbSeries({ url: url(), prefix: prefix(), timeoutMs: 5_000 });
const fresh = (): Promise<SeriesStore> => {
  opened += 1;
  return reopen();
};
const sql = (statement: string) => runSql({ url: url() }, statement);

seriesConformance("QuestDB", fresh);

describe("a real QuestDB", () => {
  it("holds a waveform's samples as an array of doubles", async () => {
    const store = await fresh();
    await store.write({ waveforms: [ecg(0, [1024, 1224, 924])] });
    await store.settled();
    const [row] = await sql(`SELECT samples[2] AS second, rate_hz FROM ${prefix()}waveforms`);
    expect(row).toEqual({ second: 1, rate_hz: 250 });
  });

  it("adds a column that an older program's table lacks", async () => {
    const older = await fresh();
    await sql(`ALTER TABLE ${prefix()}vitals DROP COLUMN evidence`);
    await older.settled();
    const store = await reopen();
    await store.write({ vitals: heartRates(3, { evidence: "lead off" }) });
    await store.settled();
    expect(await store.count("vitals")).toBe(3);
  });

  it("is not opened over a table whose keys would make one row of two readings", async () => {
    opened += 1;
    const name = `${prefix()}vitals`;
    await runSql(
      { url: url() },
      `CREATE TABLE ${name} (ts TIMESTAMP, device SYMBOL) TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS (ts, device)`,
    );
    await expect(reopen()).rejects.toMatchObject({
      code: "store-schema-changed",
      message: expect.stringContaining("(ts, device)"),
    });
  });

  it("says so when it acknowledges writes for a table that no longer applies them", async () => {
    process.env["QDB_DEV_MODE_ENABLED"] = "true"; // lets a test suspend a table
    await restart(questdb(), "SIGTERM").finally(() => delete process.env["QDB_DEV_MODE_ENABLED"]);
    const store = await fresh();
    await sql(`ALTER TABLE ${prefix()}vitals SUSPEND WAL`);
    await store.write({ vitals: heartRates(3) });
    await expect(store.settled()).rejects.toMatchObject({ code: "store-suspended", retry: false });
    await sql(`ALTER TABLE ${prefix()}vitals RESUME WAL`);
    await store.settled();
    expect(await store.count("vitals")).toBe(3);
  });

  it("misses nothing and has nothing twice after two kills in mid-write", async () => {
    const store = await fresh();
    const table = `${prefix()}vitals`;
    const batches = Array.from({ length: 60 }, (_, batch) =>
      Array.from({ length: 500 }, (_, i) => heartRate(batch * 250 + i, 60 + ((batch * 250 + i) % 90))),
    );
    let restarted = Promise.resolve();
    let failures = 0;
    for (const [batch, vitals] of batches.entries()) {
      const writing = writeUntilTaken(store, { vitals });
      if (batch === 20 || batch === 40) {
        await restarted;
        restarted = restart(questdb(), "SIGKILL");
      }
      failures += await writing;
    }
    await restarted;
    await store.settled();
    const distinct = new Set(batches.flat().map(({ body }) => body.identity)).size;
    expect(failures).toBeGreaterThan(0);
    expect(await store.count("vitals")).toBe(distinct);
    const [row] = await sql(`SELECT count_distinct(identity) AS n FROM ${table}`);
    expect(Number(row?.["n"])).toBe(distinct);
  });
});

const restart = async (server: ServerHandle, signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
  await (signal === "SIGKILL" ? server.kill(signal) : server.stop());
  // The threads of a killed process may hold its port a little longer than its id.
  while (!(await isFree(server.port))) await sleep(20);
  await server.start();
};

/** What the sink runner does; gives how many attempts failed. */
const writeUntilTaken = async (store: SeriesStore, rows: SeriesRows): Promise<number> => {
  for (let failures = 0; ; failures++)
    try {
      await store.write(rows);
      return failures;
    } catch (error) {
      if (!(error instanceof OperatingError && error.retry)) throw error;
      await sleep(100);
    }
};
