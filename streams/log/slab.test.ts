import { expect, it } from "vitest";
import { Slab } from "./slab.ts";

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

it("copies: what is written into the original afterwards is not seen, nor do copies touch each other", () => {
  const slab = new Slab();
  const originals = Array.from({ length: 50 }, (_, i) => filled(60_000 + i, i));
  const copies = originals.map((bytes) => slab.copied(bytes));
  for (const bytes of originals) bytes.fill(255);
  expect(copies).toEqual(copies.map((_, i) => filled(60_000 + i, i)));
});

it("keeps small ones together and large ones by themselves, so that none of these holds a whole piece for its last byte", () => {
  const slab = new Slab();
  const [small, beside, large] = [
    slab.copied(filled(10, 1)),
    slab.copied(filled(20, 2)),
    slab.copied(filled(900_000, 3)),
  ];
  expect(beside.buffer).toBe(small.buffer);
  expect(large.buffer.byteLength).toBe(900_000);
  expect(slab.copied(filled(0, 0))).toHaveLength(0);
});
