import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assign, type GroupMember } from "./kafka-share.ts";

const shares = (members: GroupMember[], partitions: number): Record<string, readonly number[]> =>
  Object.fromEntries(assign(members, partitions));

describe("who gets which partitions", () => {
  it("gives all to the only member, and first leaves a moving partition to nobody", () => {
    expect(shares([{ id: "a", owned: [] }], 4)).toEqual({ a: [0, 1, 2, 3] });
    const joined = [
      { id: "a", owned: [0, 1, 2, 3] },
      { id: "b", owned: [] },
    ];
    expect(shares(joined, 4)).toEqual({ a: [0, 1], b: [] });
    const letGo = [
      { id: "a", owned: [0, 1] },
      { id: "b", owned: [] },
    ];
    expect(shares(letGo, 4)).toEqual({ a: [0, 1], b: [2, 3] });
  });

  it("leaves a balanced group as it is, and a dead member's partitions go to those who have least", () => {
    const three = [
      { id: "c", owned: [4] },
      { id: "a", owned: [3, 0] },
      { id: "b", owned: [1, 2] },
    ];
    expect(shares(three, 5)).toEqual({ a: [0, 3], b: [1, 2], c: [4] });
    expect(shares(three.slice(0, 2), 5)).toEqual({ a: [0, 3, 2], c: [4, 1] });
  });

  it("never gives a partition twice or to one while another works on it, and settles into a fair share of all", () => {
    const member = fc.array(fc.nat({ max: 9 }), { maxLength: 10 });
    fc.assert(
      fc.property(
        fc.array(member, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 10 }),
        (owned, partitions) => {
          let members: GroupMember[] = owned.map((list, i) => ({ id: `m${i}`, owned: list }));
          for (let generation = 0; generation < 3; generation++) {
            const given = assign(members, partitions);
            const all = [...given.values()].flat();
            expect(new Set(all).size).toBe(all.length);
            for (const [id, list] of given)
              for (const p of list) {
                const others = members.filter((one) => one.id !== id && one.owned.includes(p));
                const mine = members.find((one) => one.id === id)?.owned.includes(p);
                expect(mine || others.length === 0).toBe(true);
              }
            members = members.map(({ id }) => ({ id, owned: given.get(id) ?? [] }));
          }
          const sizes = members.map((one) => one.owned.length);
          expect(sizes.reduce((a, b) => a + b)).toBe(partitions);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
