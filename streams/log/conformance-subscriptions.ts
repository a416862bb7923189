/** Conformance of groups: sharing, taking over, own offsets, rejections. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { OperatingError } from "../core/failure.ts";
import type { Subject } from "./conformance.ts";
import { append, eventually, numbers, record, refusesWith, Subscriber, withLogs } from "./conformance-fixtures.ts";

const away = new OperatingError("store-away", "the store does not answer", { retry: true });
const upTo = (n: number, from = 0): string[] => Array.from({ length: n - from }, (_, i) => String(from + i));

export const subscriptionsConformance = (subject: () => Subject): void => {
  describe("subscriptions", () => {
    it("gives all partitions, each from its handler's own offset, and goes on live", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [log, topic, group] = [await open(), name(), name()];
        await log.ensure([{ name: topic, partitions: 3 }]);
        for (let p = 0; p < 3; p++) await append(log, numbers(topic, p, 0, 10));
        const subscriber = new Subscriber(new Map([[1, 7]]));
        const subscription = await log.subscribe(group, topic, subscriber.handler);
        await eventually(() => {
          expect(subscriber.values(0)).toEqual(upTo(10));
          expect(subscriber.values(1)).toEqual(upTo(10, 7));
        }, patienceMs);
        await append(log, [record(topic, 2, "10")]);
        await eventually(() => expect(subscriber.values(2)).toEqual(upTo(11)), patienceMs);
        expect(subscription.partitions).toEqual([0, 1, 2]);
        await subscription.close();
        await subscription.done;
        expect(subscription.partitions).toEqual([]);
        await append(log, [record(topic, 2, "after")]);
        await sleep(100);
        expect(subscriber.values(2)).toEqual(upTo(11));
      }));

    it("ignores what the group reported: only the handler's own offset counts", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [log, topic, group] = [await open(), name(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        await append(log, numbers(topic, 0, 0, 5));
        await log.report(group, topic, 0, 5);
        const subscriber = new Subscriber();
        const subscription = await log.subscribe(group, topic, subscriber.handler);
        await eventually(() => expect(subscriber.values(0)).toEqual(upTo(5)), patienceMs);
        await subscription.close();
      }));

    it("starts a handler that is at 0 with the first record kept", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        await append(log, numbers(topic, 0, 0, 10));
        await log.trim(topic, 0, 6);
        const subscriber = new Subscriber();
        await log.subscribe(name(), topic, subscriber.handler);
        await eventually(() => expect(subscriber.values(0)).toEqual(upTo(10, 6)), patienceMs);
      }));

    it("reopens a partition that was rejected at its own offset, skips nothing, and does not hold up the others", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 2 }]);
        const subscriber = new Subscriber();
        let refusals = 3;
        let othersWhileAway = 0;
        subscriber.beforeBatch = async (partition) => {
          if (partition !== 0 || refusals === 0) return;
          if (subscriber.values(0).length < 5) return;
          refusals--;
          othersWhileAway = subscriber.values(1).length;
          throw away;
        };
        const subscription = await log.subscribe(name(), topic, subscriber.handler);
        await append(log, numbers(topic, 0, 0, 5));
        await eventually(() => expect(subscriber.values(0)).toEqual(upTo(5)), patienceMs);
        for (let i = 0; i < 40; i++) {
          await append(log, [...numbers(topic, 0, 5 + i, 6 + i), ...numbers(topic, 1, i, i + 1)]);
          await sleep(10);
        }
        await eventually(() => {
          expect(subscriber.values(0)).toEqual(upTo(45));
          expect(subscriber.values(1)).toEqual(upTo(40));
        }, patienceMs);
        expect(refusals).toBe(0);
        expect(othersWhileAway).toBeGreaterThan(0);
        const ofPartition0 = subscriber.events.filter((event) => event.endsWith(" 0"));
        expect(ofPartition0).toEqual(["open 0", ...Array(3).fill(["close 0", "open 0"]).flat()]);
        await subscription.close();
        await subscription.done;
      }));

    it("reopens after `fenced`, and ends with a failure that no repetition cures", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        await append(log, numbers(topic, 0, 0, 3));
        const subscriber = new Subscriber();
        const failures = [
          new OperatingError("fenced", "a newer claim", { retry: false }),
          new OperatingError("checkpoint-below-log-start", "gone", { retry: false }),
        ];
        subscriber.beforeBatch = async () => {
          throw failures.shift();
        };
        const subscription = await log.subscribe(name(), topic, subscriber.handler);
        await refusesWith(subscription.done, "checkpoint-below-log-start");
        await eventually(() => expect(subscriber.events.at(-1)).toBe("close 0"), patienceMs);
        expect(subscriber.events.filter((event) => event === "open 0")).toHaveLength(2);
      }));

    it("closes a handler at once, also while it works", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [log, topic] = [await open(), name()];
        await log.ensure([{ name: topic, partitions: 1 }]);
        await append(log, numbers(topic, 0, 0, 3));
        const subscriber = new Subscriber();
        const work = Promise.withResolvers<void>();
        let working = 0;
        subscriber.beforeBatch = () => {
          working++;
          return work.promise;
        };
        const subscription = await log.subscribe(name(), topic, subscriber.handler);
        await eventually(() => expect(working).toBe(1), patienceMs);
        let over = false;
        const closing = subscription.close().then(() => {
          over = true;
        });
        await eventually(() => expect(subscriber.events).toContain("close 0"), patienceMs);
        await sleep(50);
        expect(over).toBe(false);
        work.resolve();
        await closing;
        expect(working).toBe(1);
      }));

    it("shares the partitions among members and takes over from one that leaves, without loss or repeat", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [one, two, topic, group] = [await open(), await open(), name(), name()];
        await one.ensure([{ name: topic, partitions: 4 }]);
        const offsets = new Map<number, number>();
        const [first, second] = [new Subscriber(offsets), new Subscriber(offsets)];
        const a = await one.subscribe(group, topic, first.handler);
        await eventually(() => expect(a.partitions).toEqual([0, 1, 2, 3]), patienceMs);
        for (let p = 0; p < 4; p++) await append(one, numbers(topic, p, 0, 5));
        await eventually(() => expect(offsets.size).toBe(4), patienceMs);
        const b = await two.subscribe(group, topic, second.handler);
        await eventually(() => {
          expect(b.partitions).toHaveLength(2);
          expect([...a.partitions, ...b.partitions].sort()).toEqual([0, 1, 2, 3]);
        }, patienceMs);
        for (let p = 0; p < 4; p++) await append(one, numbers(topic, p, 5, 10));
        await eventually(() => expect([...offsets.values()]).toEqual([10, 10, 10, 10]), patienceMs);
        await a.close();
        await eventually(() => expect(b.partitions).toEqual([0, 1, 2, 3]), patienceMs);
        for (let p = 0; p < 4; p++) await append(two, numbers(topic, p, 10, 15));
        await eventually(() => expect([...offsets.values()]).toEqual([15, 15, 15, 15]), patienceMs);
        for (let p = 0; p < 4; p++) expect([...first.values(p), ...second.values(p)]).toEqual(upTo(15));
        await b.close();
      }));

    it("lets a member finish its batch before another opens the partition", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [one, two, topic, group] = [await open(), await open(), name(), name()];
        await one.ensure([{ name: topic, partitions: 2 }]);
        const offsets = new Map<number, number>();
        const [first, second] = [new Subscriber(offsets), new Subscriber(offsets)];
        const working = new Set<number>();
        first.beforeBatch = async (partition) => {
          working.add(partition);
          await sleep(400);
          working.delete(partition);
        };
        const overlaps: number[] = [];
        await one.subscribe(group, topic, first.handler);
        await append(one, [...numbers(topic, 0, 0, 5), ...numbers(topic, 1, 0, 5)]);
        await eventually(() => expect(working.size).toBe(2), patienceMs);
        const b = await two.subscribe(group, topic, (partition) => {
          if (working.has(partition)) overlaps.push(partition);
          return second.handler(partition);
        });
        await eventually(() => expect(b.partitions).toHaveLength(1), patienceMs);
        expect(overlaps).toEqual([]);
      }));

    it("shows how far a group has come", () =>
      withLogs(subject, async (open, { name, patienceMs }) => {
        const [log, other, topic, group] = [await open(), await open(), name(), name()];
        await log.ensure([{ name: topic, partitions: 2 }]);
        expect(await log.progress(group, topic)).toEqual([undefined, undefined]);
        const subscription = await log.subscribe(group, topic, new Subscriber().handler);
        await eventually(() => expect(subscription.partitions).toEqual([0, 1]), patienceMs);
        await log.report(group, topic, 1, 42);
        await eventually(async () => expect(await other.progress(group, topic)).toEqual([undefined, 42]), patienceMs);
        await subscription.close();
        await log.report(group, topic, 0, 7);
        await eventually(async () => expect(await other.progress(group, topic)).toEqual([7, 42]), patienceMs);
      }));
  });
};
