/** What every series store must do; run over SQLite beside it and over a real QuestDB in test/. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InvariantError } from "../../core/failure.ts";
import { eventTime, logTime } from "../../core/time.ts";
import { ecg, episode, heartRate, heartRates, minute, startMs } from "./rows.fixture.ts";
import type { SeriesStore, Vital, VitalsQuery } from "./series.ts";

const all: VitalsQuery = { from: 0, to: startMs + 86_400_000, limit: 100_000 };
const valuesOf = (vitals: readonly Vital[]): number[] => vitals.map((vital) => vital.value);

/** `open` gives an empty store. */
export const seriesConformance = (name: string, open: () => Promise<SeriesStore>): void => {
  describe(`series store: ${name}`, () => {
    let store: SeriesStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    it("gives back what it was given, oldest first", async () => {
      await store.write({ vitals: [heartRate(0, 71), heartRate(1, 72.5)] });
      await store.settled();
      const { identity, subject, device, channel, metric, ucum, value, validity } = heartRate(1, 72.5).body;
      const expected = { identity, subject, device, channel, metric, ucum, value, validity };
      const vitals = await store.vitals(all);
      expect(valuesOf(vitals)).toEqual([71, 72.5]);
      expect(vitals[1]).toEqual({ ...expected, eventTime: startMs + 1000 });
    });

    it("adds nothing when the same rows come again, in all four tables", async () => {
      const rows = {
        vitals: heartRates(600),
        waveforms: [ecg(0, [1024, 1224]), ecg(1, [824])],
        windows: [minute(0, 75), minute(1, 76)],
        episodes: [episode("start", 0), episode("end", 1)],
      };
      await store.write(rows);
      await store.write(rows);
      await store.write({ vitals: rows.vitals.slice(300) });
      await store.settled();
      const counts = await Promise.all(
        (["vitals", "waveforms", "windows", "episodes"] as const).map((t) => store.count(t)),
      );
      expect(counts).toEqual([600, 2, 2, 2]);
    });

    it("keeps two different values with the same device time as two readings (clinical.md 11)", async () => {
      await store.write({ vitals: [heartRate(5, 80)] });
      await store.write({ vitals: [heartRate(5, 81)] });
      await store.settled();
      expect(valuesOf(await store.vitals(all)).toSorted()).toEqual([80, 81]);
    });

    it("keeps one value in two channels and two units apart", async () => {
      const same = { identity: "same" };
      await store.write({
        vitals: [
          heartRate(0, 98, same),
          heartRate(0, 98, { ...same, channel: "spo2" }),
          heartRate(0, 98, { ...same, ucum: "Hz" }),
        ],
      });
      await store.settled();
      expect(await store.count("vitals")).toBe(3);
    });

    it("does not store a reading twice when its corrected time is estimated anew", async () => {
      await store.write({ vitals: [heartRate(0, 70)] });
      await store.write({ vitals: [heartRate(0, 70, { eventTime: eventTime(startMs + 3_600_000) })] });
      await store.settled();
      expect(await store.count("vitals")).toBe(1);
    });

    it("shows the newest revision of a measurement, in whatever order the revisions come", async () => {
      const [first, second] = [
        heartRate(0, 70, { identity: "m", revision: 0 }),
        heartRate(0, 71, { identity: "m", revision: 1 }),
      ];
      await store.write({ vitals: [second] });
      await store.write({ vitals: [first] });
      await store.settled();
      expect(valuesOf(await store.vitals(all))).toEqual([71]);
      expect(await store.count("vitals")).toBe(2);
    });

    it("takes rows out of order and days apart", async () => {
      const seconds = [7, 3, 90_000, 0, 5, -200_000];
      for (const second of seconds) await store.write({ vitals: [heartRate(second, 100 + (second % 50))] });
      await store.settled();
      const vitals = await store.vitals({ ...all, to: startMs + 1_000_000_000 });
      expect(vitals.map((vital) => (vital.eventTime - startMs) / 1000)).toEqual(seconds.toSorted((a, b) => a - b));
    });

    it("takes log time for a reading without device time, and keeps two of them apart", async () => {
      const untimed = (atMs: number) => ({
        ...heartRate(0, 70, { deviceTime: null, identity: "u" }),
        logTime: logTime(atMs),
      });
      await store.write({ vitals: [untimed(startMs), untimed(startMs + 1000), untimed(startMs)] });
      await store.settled();
      expect(await store.count("vitals")).toBe(2);
    });

    it("finds by device, subject, metric and half-open time, newest so many", async () => {
      await store.write({
        vitals: [
          ...heartRates(10),
          ...heartRates(10, { device: "monitor-02", subject: "s-02" }),
          ...heartRates(10, { metric: "pulse" }),
          ...heartRates(3, { device: "monitor-03", subject: null }),
        ],
      });
      await store.settled();
      const found = async (query: Partial<VitalsQuery>) => (await store.vitals({ ...all, ...query })).length;
      expect(await found({})).toBe(33);
      expect(await found({ device: ["monitor-02"] })).toBe(10);
      expect(await found({ subject: ["s-01"] })).toBe(20);
      expect(await found({ subject: ["s-01", "s-02"], metric: ["heartRate"] })).toBe(20);
      expect(await found({ device: [] })).toBe(0);
      expect(await found({ device: ["monitor-01' OR 1=1 --"] })).toBe(0);
      const tail = await store.vitals({
        ...all,
        device: ["monitor-02"],
        from: startMs + 2000,
        to: startMs + 6000,
        limit: 3,
      });
      expect(tail.map((vital) => (vital.eventTime - startMs) / 1000)).toEqual([3, 4, 5]);
      expect((await store.vitals({ ...all, device: ["monitor-03"] }))[0]?.subject).toBeNull();
    });

    it("never takes NaN, an infinity, a time outside 1970 to 9999 or a U+0000, and then takes nothing of that write", async () => {
      const bad = [
        { vitals: [heartRate(0, 70), heartRate(1, Number.NaN)] },
        { vitals: [heartRate(0, 70), heartRate(1, Number.POSITIVE_INFINITY)] },
        { vitals: [heartRate(0, 70)], windows: [minute(0, Number.NEGATIVE_INFINITY)] },
        { vitals: [heartRate(0, 70), heartRate(1, 70, { eventTime: eventTime(-1) })] },
        { vitals: [heartRate(0, 70), heartRate(1, 70, { channel: "ecg\0" })] },
        { vitals: [heartRate(0, 70)], waveforms: [{ ...ecg(0, [1]), body: { ...ecg(0, [1]).body, gain: 0 } }] },
      ];
      for (const rows of bad) await expect(store.write(rows)).rejects.toThrow(InvariantError);
      await store.settled();
      expect(await store.count("vitals")).toBe(0);
    });

    it("keeps any other text and any number as it was", async () => {
      const text = fc.string({ unit: "binary", maxLength: 20 });
      const number = fc.double({ noNaN: true, noDefaultInfinity: true });
      const rows = fc
        .sample(fc.tuple(text, number), { numRuns: 200, seed: 7 })
        .map(([t, value], i) =>
          heartRate(i, value, { identity: `id-${i}${t}`, channel: `c${t.replaceAll("\0", "")}`, evidence: t }),
        );
      await store.write({ vitals: rows });
      await store.settled();
      const vitals = await store.vitals(all);
      expect(vitals.map(({ channel, identity, value }) => [channel, identity, value + 0])).toEqual(
        rows.map(({ body }) => [body.channel, body.identity, body.value + 0]),
      );
    });

    it("takes an empty write", async () => {
      await store.write({});
      await store.write({ vitals: [] });
      await store.settled();
      expect(await store.count("vitals")).toBe(0);
    });
  });
};
