import { describe, expect, it } from "vitest";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import * as topics from "../../schemas/topics.ts";
import type { VitalsBody } from "../../schemas/topics.ts";
import { OperatingError } from "../core/failure.ts";
import type { Entry } from "../core/stage.ts";
import { deviceTime, logTime } from "../core/time.ts";
import type { Body } from "../core/topic.ts";
import { ecg, episode, heartRate, minute } from "../io/series/rows.fixture.ts";
import type { Row, SeriesStore } from "../io/series/series.ts";
import { sqliteSeries } from "../io/series/sqlite.ts";
import { storeSinks } from "./store.ts";

const memory = () => sqliteSeries({ file: ":memory:" });
const entriesOf = <B extends Body>(topic: string, rows: readonly Row<B>[]): Entry<B>[] =>
  rows.map(({ body, logTime: at }, offset) => ({ key: "s-01", topic, partition: 1, offset, logTime: at, body }));
const ended = { kind: "subjectEnded", subject: "s-01", device: "monitor-01", at: 0 } as never;

describe("the store's sinks", () => {
  it("carry each topic's records to its table, and the same again changes nothing", async () => {
    const store = await memory();
    const [vitals, waveforms, windows, episodes] = storeSinks(store);
    for (let round = 0; round < 2; round++) {
      await vitals.write(entriesOf("telemetry.vitals", [heartRate(0, 70), heartRate(1, 71)]));
      await waveforms.write(entriesOf("telemetry.waveforms", [ecg(0, [1, 2, 3])]));
      await windows.write(entriesOf("telemetry.windows", [minute(0, 70)]));
      await episodes.write(entriesOf("telemetry.episodes", [episode("start", 0), episode("end", 1)]));
    }
    const tables = ["vitals", "waveforms", "windows", "episodes"] as const;
    expect(await Promise.all(tables.map((table) => store.count(table)))).toEqual([2, 1, 1, 2]);
  });

  it("store no measurement without a value, and nothing that is not a measurement", async () => {
    const store = await memory();
    const [vitals] = storeSinks(store);
    const missing: Row<Measurement> = {
      ...heartRate(1, 0),
      body: { ...heartRate(1, 0).body, value: null, validity: "invalid" },
    };
    const notMeasured = { logTime: logTime(0), body: ended };
    expect(
      await vitals.write(entriesOf<VitalsBody>("telemetry.vitals", [heartRate(0, 70), missing, notMeasured])),
    ).toEqual([]);
    expect(await store.count("vitals")).toBe(1);
  });

  it("quarantine what can't be stored, whole, and store the rest", async () => {
    const store = await memory();
    const [vitals] = storeSinks(store);
    const before1970 = heartRate(1, 71, { deviceTime: deviceTime(-5) });
    const rows = [heartRate(0, 70), before1970, heartRate(2, Number.NaN), heartRate(3, 73)];
    const emissions = await vitals.write(entriesOf("telemetry.vitals", rows));
    expect(
      emissions.map(({ offset, to, key, body }) => ({ offset, to, key, reason: "reason" in body && body.reason })),
    ).toEqual([
      { offset: 1, to: "quarantine", key: "monitor-01", reason: "time-out-of-range" },
      { offset: 2, to: "quarantine", key: "monitor-01", reason: "not-finite" },
    ]);
    const [first] = emissions;
    const value = first !== undefined && "value" in first.body ? first.body.value : new Uint8Array();
    expect(topics.vitals.codec.decode(value).body).toEqual(before1970.body);
    expect(await store.count("vitals")).toBe(2);
  });

  it("pass on that the store is away, so that the same entries come again", async () => {
    const away: SeriesStore = {
      ...(await memory()),
      write: () => Promise.reject(new OperatingError("store-unavailable", "Writing: refused", { retry: true })),
    };
    const [vitals] = storeSinks(away);
    await expect(vitals.write(entriesOf("telemetry.vitals", [heartRate(0, 70)]))).rejects.toMatchObject({
      retry: true,
    });
  });
});
