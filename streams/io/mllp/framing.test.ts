import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Deframed, Deframer, framed } from "./framing.ts";

const message = fc
  .string({ unit: "grapheme", maxLength: 200 })
  .map((text) => text.replaceAll("\u000b", "").replaceAll("\u001c", ""));

/** Cut at each of these places. */
const pieces = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, n) => bytes.subarray(at[n], end));
};

const reasonOf = (one: Deframed | undefined): string | undefined =>
  one !== undefined && "problem" in one ? one.problem.reason : undefined;

describe("MLLP frames", () => {
  it("come out whole and in order, in whatever pieces they arrive", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 12 }), (messages, cuts) => {
        const deframer = new Deframer(10_000);
        const bytes = Buffer.concat(messages.map(framed));
        const found = pieces(bytes, cuts).flatMap((piece) => deframer.push(piece));
        expect(found).toEqual(messages.map((one) => ({ message: one })));
        expect(deframer.isWithin).toBe(false);
      }),
    );
  });

  it("never give more than they hold: whatever bytes come, nothing follows a problem", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (chunks) => {
        const deframer = new Deframer(20);
        const found = chunks.flatMap((chunk) => deframer.push(chunk));
        const first = found.findIndex((one) => "problem" in one);
        expect(first === -1 || first === found.length - 1).toBe(true);
        for (const one of found) if ("message" in one) expect(Buffer.byteLength(one.message)).toBeLessThanOrEqual(60);
      }),
    );
  });

  it.each([
    ["bytes outside a block", Buffer.from("HTTP/1.1 400"), "mllp-garbage"],
    ["a second start", Buffer.of(0x0b, 0x41, 0x0b), "mllp-garbage"],
    ["an end without its CR", Buffer.of(0x0b, 0x41, 0x1c, 0x41), "mllp-garbage"],
    ["a message that does not end", Buffer.of(0x0b, ...Array<number>(11).fill(0x41)), "mllp-too-long"],
  ])("name %s", (_what, bytes, reason) => {
    const deframer = new Deframer(10);
    expect(reasonOf(deframer.push(bytes)[0])).toBe(reason);
    expect(deframer.push(framed("MSH"))).toEqual([]);
  });

  it("may have line ends between them", () => {
    const deframer = new Deframer(10);
    expect(deframer.push(Buffer.concat([framed("a"), Buffer.from("\r\n"), framed("b")]))).toEqual([
      { message: "a" },
      { message: "b" },
    ]);
  });
});
