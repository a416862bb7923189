/** The series store over a real QuestDB: its conformance, and what is left of acknowledged rows when the server is killed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readStackConfig } from "../deploy/config.ts";
import { freePorts } from "../deploy/ports.ts";
import { type Stack, startStack } from "../deploy/stack.ts";
import { OperatingError } from "../streams/core/failure.ts";
import { seriesConformance } from "../streams/io/series/conformance.ts";
import { runSql } from "../streams/io/series/questdb-http.ts";
import { questdbSeries } from "../streams/io/series/questdb.ts";
import { ecg, heartRate, heartRates } from "../streams/io/series/rows.fixture.ts";
import type { SeriesRows, SeriesStore } from "../streams/io/series/series.ts";

let stack: Stack;
let folder: string;
let opened = 0;
const url = (): string => stack.server("questdb").url;
const fresh = (): Promise<SeriesStore> => questdbSeries({ url: url(), prefix: `t${++opened}_`, timeoutMs: 5_000 });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "series-questdb-"));
  process.env["QDB_DEV_MODE_ENABLED"] = "true"; // lets a test suspend a table
  stack = await startStack({
    config: { ...readStackConfig(), data: folder, ports: await freePorts() },
    servers: ["questdb"],
  });
}, 120_000);
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

seriesConformance("QuestDB", fresh);

describe("a real QuestDB", () => {
  it("holds a waveform's samples as an array of doubles", async () => {
    const store = await fresh();
    await store.write({ waveforms: [ecg(0, [1024, 1224, 924])] });
    await store.settled();
    const [row] = await runSql({ url: url() }, `SELECT samples[2] AS second, rate_hz FROM t${opened}_waveforms`);
    expect(row).toEqual({ second: 1, rate_hz: 250 });
  });

  it("adds a column that an older program's table lacks", async () => {
    await fresh();
    await runSql({ url: url() }, `ALTER TABLE t${opened}_vitals DROP COLUMN evidence`);
    const store = await questdbSeries({ url: url(), prefix: `t${opened}_` });
    await store.write({ vitals: heartRates(3, { evidence: "lead off" }) });
    await store.settled();
    expect(await store.count("vitals")).toBe(3);
  });

  it("is not opened over a table whose keys would make one row of two readings", async () => {
    const name = `t${++opened}_vitals`;
    await runSql(
      { url: url() },
      `CREATE TABLE ${name} (ts TIMESTAMP, device SYMBOL) TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS (ts, device)`,
    );
    await expect(questdbSeries({ url: url(), prefix: `t${opened}_` })).rejects.toMatchObject({
      code: "store-schema-changed",
      message: expect.stringContaining("(ts, device)"),
    });
  });

  it("says so when it acknowledges writes for a table that no longer applies them", async () => {
    const store = await fresh();
    await runSql({ url: url() }, `ALTER TABLE t${opened}_vitals SUSPEND WAL`);
    await store.write({ vitals: heartRates(3) });
    await expect(store.settled()).rejects.toMatchObject({ code: "store-suspended", retry: false });
    await runSql({ url: url() }, `ALTER TABLE t${opened}_vitals RESUME WAL`);
    await store.settled();
    expect(await store.count("vitals")).toBe(3);
  });

  it("misses nothing and has nothing twice after two kills in mid-write", async () => {
    const store = await fresh();
    const table = `t${opened}_vitals`;
    const server = stack.server("questdb");
    const batches = Array.from({ length: 60 }, (_, batch) =>
      Array.from({ length: 500 }, (_, i) => heartRate(batch * 250 + i, 60 + (i % 90))),
    );
    const kills: Promise<void>[] = [];
    let failures = 0;
    for (const [batch, vitals] of batches.entries()) {
      if (batch === 20 || batch === 40) kills.push(server.kill("SIGKILL").then(() => server.start()));
      failures += await writeUntilTaken(store, { vitals });
    }
    await Promise.all(kills);
    await store.settled();
    const distinct = new Set(batches.flat().map(({ body }) => body.identity)).size;
    expect(failures).toBeGreaterThan(0);
    expect(await store.count("vitals")).toBe(distinct);
    const [row] = await runSql({ url: url() }, `SELECT count_distinct(identity) AS n FROM ${table}`);
    expect(Number(row?.["n"])).toBe(distinct);
  }, 60_000);
});

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
