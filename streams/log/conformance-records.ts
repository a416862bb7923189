/** Conformance of topics, appenders and readers. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Subject } from "./conformance.ts";
import {
  append,
  bytes,
  numbers,
  readAll,
  record,
  refusesWith,
  text,
  values,
  withLogs,
} from "./conformance-fixtures.ts";
import { recordBytesMax } from "./refusal.ts";

export const recordsConformance = (subject: () => Subject): void => {
  describe("records", () => {
    it("keeps the order of each partition, with offsets and stamps that never go back", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 2 }]);
        const appender = await log.appender("ingest");
        for (let i = 0; i < 30; i += 10)
          await appender.append([...numbers(topic, 0, i, i + 10), ...numbers(topic, 1, 100 + i, 105 + i)]);
        const records = await readAll(log, topic, 0);
        expect(values(records)).toEqual(Array.from({ length: 30 }, (_, i) => String(i)));
        expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: 30 }, (_, i) => i));
        expect(records.map(({ stampMs }) => stampMs)).toEqual(records.map(({ stampMs }) => stampMs).sort());
        expect(values(await readAll(log, topic, 1)).slice(3, 7)).toEqual(["103", "104", "110", "111"]);
      }));

    it("carries any key and any bytes as they are", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        const keys = ["", "c\u0000subject\u0000cell", "Übergröße 心"];
        const value = Uint8Array.from({ length: 256 }, (_, i) => i);
        await append(log, [
          ...keys.map((key) => ({ topic, partition: 0, key, value })),
          { topic, partition: 0, key: "empty", value: new Uint8Array(0) },
        ]);
        const records = await readAll(log, topic, 0);
        expect(records.map(({ key }) => key)).toEqual([...keys, "empty"]);
        expect(records.map(({ value }) => [...value])).toEqual([[...value], [...value], [...value], []]);
      }));

    it("takes appends of several appenders at once, each exactly once and in its own order", () =>
      withLogs(subject, async (open, { name }) => {
        const topic = name();
        const logs = [await open(), await open()];
        await logs[0]?.ensure([{ name: topic, partitions: 1 }]);
        const writers = logs.flatMap((log, l) => ["a", "b"].map((half) => ({ log, half: `${half}${l}` })));
        await Promise.all(
          writers.map(async ({ log, half }) => {
            const appender = await log.appender(half);
            const sent: Promise<void>[] = [];
            for (let i = 0; i < 25; i++)
              sent.push(
                appender.append([record(topic, 0, `${half} ${2 * i}`), record(topic, 0, `${half} ${2 * i + 1}`)]),
              );
            await Promise.all(sent);
          }),
        );
        const all = values(await readAll(logs[1] ?? (await open()), topic, 0));
        expect(all).toHaveLength(200);
        for (const { half } of writers)
          expect(all.filter((value) => value.startsWith(half))).toEqual(
            Array.from({ length: 50 }, (_, i) => `${half} ${i}`),
          );
      }));

    it("says what it holds, before and after trimming", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        expect(await log.bounds(topic, 0)).toEqual({ start: 0, end: 0 });
        await append(log, numbers(topic, 0, 0, 20));
        expect(await log.bounds(topic, 0)).toEqual({ start: 0, end: 20 });
        await log.trim(topic, 0, 12);
        expect(await log.bounds(topic, 0)).toEqual({ start: 12, end: 20 });
        expect(values(await readAll(log, topic, 0)).at(0)).toBe("12");
        await append(log, [record(topic, 0, "20")]);
        expect(values(await readAll(log, topic, 0, 19))).toEqual(["19", "20"]);
        await log.trim(topic, 0, 5);
        await log.trim(topic, 0, 1_000);
        expect(await log.bounds(topic, 0)).toEqual({ start: 21, end: 21 });
      }));

    it("reads from the start, from an offset and from the end", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        await append(log, numbers(topic, 0, 0, 5));
        const fromEnd = await log.reader(topic, 0, "end");
        expect(values(await readAll(log, topic, 0, "start"))).toEqual(["0", "1", "2", "3", "4"]);
        expect(values(await readAll(log, topic, 0, 3))).toEqual(["3", "4"]);
        expect(await fromEnd.next(0)).toEqual([]);
        await append(log, [record(topic, 0, "new")]);
        expect(values(await fromEnd.next(5_000))).toEqual(["new"]);
      }));

    it("reads more than one batch holds, without gap or repeat", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        for (let i = 0; i < 4; i++) await append(log, numbers(topic, 0, i * 1000, i * 1000 + 1000));
        expect(values(await readAll(log, topic, 0))).toEqual(Array.from({ length: 4000 }, (_, i) => String(i)));
      }));

    it("wakes a waiting reader, also by another process's append, and lets it go after its time", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, other, topic] = [await open(), await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        const reader = await log.reader(topic, 0, "start");
        const begun = Date.now();
        expect(await reader.next(200)).toEqual([]);
        expect(Date.now() - begun).toBeGreaterThanOrEqual(190);
        for (const [from, value] of [
          [log, "mine"],
          [other, "yours"],
        ] as const) {
          const waiting = reader.next(20_000);
          await append(from, [record(topic, 0, value)]);
          const appended = Date.now();
          expect(values(await waiting)).toEqual([value]);
          expect(Date.now() - appended).toBeLessThan(500);
        }
      }));

    it("ends a reader's waiting when it is closed, and refuses to go on", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        const reader = await log.reader(topic, 0, "start");
        const waiting = reader.next(60_000);
        await reader.close();
        expect(await waiting).toEqual([]);
        await refusesWith(reader.next(0), "closed");
      }));

    it("refuses offsets that it never had or no longer has", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        await append(log, numbers(topic, 0, 0, 10));
        await log.trim(topic, 0, 4);
        const outside = async (offset: number): Promise<void> => {
          const reader = await log.reader(topic, 0, offset);
          await refusesWith(reader.next(1_000), "offset-out-of-range");
          await reader.close();
        };
        await outside(3);
        await outside(11);
        const atEnd = await log.reader(topic, 0, 10);
        expect(await atEnd.next(0)).toEqual([]);
      }));

    it("tells where what was appended since a stamp begins, of what it keeps", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 2 }]);
        const since = (stampMs: number): Promise<number> => log.firstSince(topic, 0, stampMs);
        expect([await since(0), await since(Date.now())]).toEqual([0, 0]);
        for (let i = 0; i < 30; i += 10) {
          await append(log, numbers(topic, 0, i, i + 10));
          await sleep(5);
        }
        const records = await readAll(log, topic, 0);
        for (const { stampMs } of records)
          for (const asked of [stampMs - 1, stampMs, stampMs + 1])
            expect(await since(asked)).toBe(records.find((one) => one.stampMs >= asked)?.offset ?? 30);
        expect(new Set(records.map(({ stampMs }) => stampMs)).size).toBeGreaterThan(1);
        expect([await since(-1), await since(Number(records.at(-1)?.stampMs) + 60_000)]).toEqual([0, 30]);
        await log.trim(topic, 0, 14);
        expect(await since(0)).toBe(14);
        expect(await log.firstSince(topic, 1, 0)).toBe(0);
        await refusesWith(log.firstSince(topic, 2, 0), "unknown-topic");
      }));

    it("refuses a changed number of partitions and topics that nobody ensured", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic, absent] = [await open(), name(), name()];
        await log.ensure([{ name: topic, partitions: 2 }]);
        await log.ensure([{ name: topic, partitions: 2 }]);
        await refusesWith(log.ensure([{ name: topic, partitions: 3 }]), "partition-count-changed");
        await refusesWith(append(log, [record(absent, 0, "x")]), "unknown-topic");
        await refusesWith(append(log, [record(topic, 2, "x")]), "unknown-topic");
        await refusesWith(log.bounds(absent, 0), "unknown-topic");
        await refusesWith(log.reader(topic, 2, "start"), "unknown-topic");
      }));

    it("takes a payload of 1 MiB in its envelope; refuses a larger record and all that came with it", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        const sized = (size: number) => ({ topic, partition: 0, key: "pump-7", value: new Uint8Array(size).fill(7) });
        await append(log, [sized(2 ** 20 + 4096), sized(2 ** 20 + 4096)]);
        await refusesWith(append(log, [record(topic, 0, "small"), sized(recordBytesMax + 1)]), "record-too-large");
        expect((await readAll(log, topic, 0)).map(({ value }) => value.length)).toEqual([
          2 ** 20 + 4096,
          2 ** 20 + 4096,
        ]);
      }));

    it("has its own copy of what it took", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        const buffer = bytes("before");
        await append(log, [{ topic, partition: 0, key: "k", value: buffer }]);
        buffer.fill(0);
        expect((await readAll(log, topic, 0)).map(({ value }) => text(value))).toEqual(["before"]);
      }));

    it("keeps records and stamps over a reopening", async (test) => {
      if (!subject().durable) test.skip();
      await withLogs(subject, async (open, { name }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        await append(log, numbers(topic, 0, 0, 3));
        const before = await readAll(log, topic, 0);
        await log.close();
        const again = await open();
        await again.ensure([{ name: topic, partitions: 1 }]);
        await append(again, [record(topic, 0, "3")]);
        const after = await readAll(again, topic, 0);
        expect(after.slice(0, 3)).toEqual(before);
        expect(values(after)).toEqual(["0", "1", "2", "3"]);
        await refusesWith(log.bounds(topic, 0), "closed");
      });
    });
  });
};
