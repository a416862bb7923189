/** Conformance of task state: claims, fencing, atomic commits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../core/failure.ts";
import type { Subject } from "./conformance.ts";
import { bytes, refusesWith, text, withLogs } from "./conformance-fixtures.ts";
import type { Log, Owner } from "./log.ts";

const changes = (of: Record<string, string | null>): Map<string, Uint8Array | null> =>
  new Map(Object.entries(of).map(([key, value]) => [key, value === null ? null : bytes(value)]));

const loaded = async (owner: Owner): Promise<Record<string, string>> =>
  Object.fromEntries([...(await owner.load())].map(([key, value]) => [key, text(value)]));

const own = async (log: Log, store: string, partition = 0, partitions = 1): Promise<Owner> => {
  const owner = await log.claim(store, partition, partitions);
  await owner.load();
  await owner.confirm();
  return owner;
};

export const statesConformance = (subject: () => Subject): void => {
  describe("states", () => {
    it("hands the committed state to the next owner; null removes", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, store] = [await open(), name()];
        const first = await log.claim(store, 0, 1);
        expect(await loaded(first)).toEqual({});
        await first.confirm();
        await first.commit(changes({ "c\u0000s1\u0000hr": "61", "c\u0000s1\u0000spo2": "97", checkpoint: "1" }));
        await first.commit(changes({ "c\u0000s1\u0000hr": null, checkpoint: "2" }));
        await first.close();
        const second = await (await open()).claim(store, 0, 1);
        expect(await loaded(second)).toEqual({ "c\u0000s1\u0000spo2": "97", checkpoint: "2" });
        await second.close();
      }));

    it("has its own copy of a state, each byte as it was", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, store] = [await open(), name()];
        const owner = await own(log, store);
        const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
        const given = Uint8Array.from(every);
        await owner.commit(new Map([["every", given.subarray(1)]]));
        given.fill(0);
        expect([...((await log.snapshot(store, 0)).get("every") ?? [])]).toEqual([...every.subarray(1)]);
        await owner.close();
      }));

    it("shows the committed state without a claim, and fences nobody by it", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, store] = [await open(), name()];
        expect(await log.snapshot(store, 0)).toEqual(new Map());
        const owner = await own(log, store);
        await owner.commit(changes({ k: "1", gone: "1" }));
        await owner.commit(changes({ k: "2", gone: null }));
        const seen = await (await open()).snapshot(store, 0);
        expect(Object.fromEntries([...seen].map(([key, value]) => [key, text(value)]))).toEqual({ k: "2" });
        await owner.commit(changes({ k: "3" }));
        await owner.close();
      }));

    it("keeps partitions apart and refuses another number of them", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, store] = [await open(), name()];
        const owners = [await own(log, store, 0, 2), await own(log, store, 1, 2)];
        await owners[0]?.commit(changes({ k: "zero" }));
        await owners[1]?.commit(changes({ k: "one" }));
        expect(await loaded(await own(log, store, 0, 2))).toEqual({ k: "zero" });
        expect(await loaded(await own(log, store, 1, 2))).toEqual({ k: "one" });
        await refusesWith(log.claim(store, 0, 3), "partition-count-changed");
      }));

    it("fences the earlier owner: its commit, and every later one", () =>
      withLogs(subject, async (open, { name }) => {
        const [one, two, store] = [await open(), await open(), name()];
        const earlier = await own(one, store);
        await earlier.commit(changes({ k: "1" }));
        const later = await own(two, store);
        await refusesWith(earlier.commit(changes({ k: "zombie", other: "zombie" })), "fenced");
        await refusesWith(earlier.commit(changes({ k: "zombie again" })), "fenced");
        await later.commit(changes({ k: "2" }));
        await Promise.all([earlier.close(), later.close()]);
        expect(await loaded(await own(one, store))).toEqual({ k: "2" });
      }));

    it("refuses the confirmation of an owner that was superseded while it loaded (C11)", () =>
      withLogs(subject, async (open, { name }) => {
        const [one, two, store] = [await open(), await open(), name()];
        const slow = await one.claim(store, 0, 1);
        const quick = await own(two, store);
        await quick.commit(changes({ k: "quick" }));
        await refusesWith(slow.confirm(), "fenced");
        await expect(slow.commit(changes({ k: "slow" }))).rejects.toThrow();
        expect(await loaded(await own(one, store))).toEqual({ k: "quick" });
      }));

    it("lets the newest of many claims win, whatever their order", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, other, store] = [await open(), await open(), name()];
        const claims: Owner[] = [];
        for (let i = 0; i < 4; i++) claims.push(await (i % 2 === 0 ? log : other).claim(store, 0, 1));
        const confirmed = await Promise.allSettled(claims.map((owner) => owner.confirm()));
        expect(confirmed.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "fulfilled"]);
      }));

    it("refuses a commit before the confirmation as a broken invariant", () =>
      withLogs(subject, async (open, { name }) => {
        const owner = await (await open()).claim(name(), 0, 1);
        await expect(owner.commit(changes({ k: "early" }))).rejects.toBeInstanceOf(InvariantError);
      }));

    it("commits nothing more once it is closed", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, store] = [await open(), name()];
        const owner = await own(log, store);
        await owner.commit(changes({ k: "1" }));
        await owner.close();
        await refusesWith(owner.commit(changes({ k: "2" })), "fenced");
        expect(await loaded(await own(log, store))).toEqual({ k: "1" });
      }));

    it("commits all of many changes or none", () =>
      withLogs(subject, async (open, { name }) => {
        const [log, store] = [await open(), name()];
        const owner = await own(log, store);
        const many = new Map(Array.from({ length: 3000 }, (_, i) => [`key ${i}`, bytes(`${i}`.padStart(200))]));
        await owner.commit(many);
        await owner.commit(new Map([["key 7", null]]));
        const state = await (await own(log, store)).load();
        expect(state.size).toBe(2999);
        expect(text(state.get("key 2999") ?? bytes(""))).toBe("2999".padStart(200));
      }));

    it("is, after any commits and takeovers, what a map would be", () =>
      withLogs(subject, async (open, { name }) => {
        const log = await open();
        const key = fc.constantFrom("a", "b", "c");
        const change = fc.dictionary(key, fc.option(fc.string()), { noNullPrototype: true });
        await fc.assert(
          fc.asyncProperty(fc.array(fc.record({ takeOver: fc.boolean(), change }), { maxLength: 8 }), async (steps) => {
            const store = name();
            let owner = await own(log, store);
            const model = new Map<string, string>();
            for (const { takeOver, change } of steps) {
              if (takeOver) owner = await own(log, store);
              await owner.commit(changes(change));
              for (const [k, v] of Object.entries(change)) v === null ? model.delete(k) : model.set(k, v);
            }
            expect(await loaded(await own(log, store))).toEqual(Object.fromEntries(model));
          }),
          { numRuns: 5 },
        );
      }));
  });
};
