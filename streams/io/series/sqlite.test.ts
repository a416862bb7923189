import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seriesConformance } from "./conformance.ts";
import { ecg, heartRate, heartRates } from "./rows.fixture.ts";
import { sqliteSeries } from "./sqlite.ts";

seriesConformance("SQLite", () => sqliteSeries({ file: ":memory:" }));

describe("a SQLite series store in a file", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "series-"));
    file = join(folder, "series.sqlite");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("has its rows after a restart, and knows them again", async () => {
    const before = await sqliteSeries({ file });
    await before.write({ vitals: heartRates(100) });
    await before.close();
    const after = await sqliteSeries({ file });
    await after.write({ vitals: heartRates(120) });
    expect(await after.count("vitals")).toBe(120);
    await after.close();
  });

  it("stores a waveform's samples in its unit, as 64-bit floats", async () => {
    const store = await sqliteSeries({ file });
    await store.write({ waveforms: [ecg(0, [1024, 1224, 924])] });
    await store.close();
    const samples = new DatabaseSync(file).prepare("SELECT samples FROM waveforms").get()?.["samples"] as Uint8Array;
    expect([...new Float64Array(samples.slice().buffer)]).toEqual([0, 1, -0.5]);
  });

  it("forgets what is older than it is to keep, and does not grow for ever", async () => {
    const store = await sqliteSeries({ file, keepHours: 1 });
    for (let hour = 0; hour < 6; hour++)
      await store.write({ vitals: Array.from({ length: 360 }, (_, i) => heartRate(hour * 3600 + i * 10, 70)) });
    expect(await store.count("vitals")).toBeLessThanOrEqual(721);
    const { eventTime } = (await store.vitals({ from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1 }))[0] ?? {};
    expect(eventTime).toBe(heartRate(5 * 3600 + 3590, 70).body.eventTime);
    await store.close();
  });

  it("adds a column that an older program's table lacks", async () => {
    await (await sqliteSeries({ file })).close();
    new DatabaseSync(file).exec("ALTER TABLE vitals DROP COLUMN evidence");
    const store = await sqliteSeries({ file });
    await store.write({ vitals: heartRates(3) });
    expect(await store.count("vitals")).toBe(3);
    await store.close();
  });

  it("says that it is unavailable when its file can't be opened", async () => {
    await expect(sqliteSeries({ file: join(folder, "no", "folder.sqlite") })).rejects.toMatchObject({
      code: "store-unavailable",
      retry: true,
    });
  });
});
