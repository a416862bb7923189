import { describe, expect, it } from "vitest";
import { committed } from "./kafka-fetch.ts";
import type { RawMessage } from "./kafka-protocol.ts";

const message = (offset: number, producerId = "-1", isControlRecord = false): RawMessage => ({
  offset: String(offset),
  timestamp: "0",
  key: Buffer.from("k"),
  value: Buffer.from(String(offset)),
  isControlRecord,
  batchContext: { producerId, inTransaction: producerId !== "-1" },
});
const marker = (offset: number, producerId: string): RawMessage => message(offset, producerId, true);

const kept = (messages: RawMessage[], aborted: [producerId: string, firstOffset: number][], from = 0) => {
  const abortedTransactions = aborted.map(([producerId, firstOffset]) => ({
    producerId,
    firstOffset: String(firstOffset),
  }));
  const { messages: left, next } = committed({ messages, abortedTransactions }, from);
  return { offsets: left.map(({ offset }) => Number(offset)), next };
};

describe("what of a fetch is committed", () => {
  it("drops markers and goes on behind them", () => {
    expect(kept([message(0, "1"), message(1, "1"), marker(2, "1")], [])).toEqual({ offsets: [0, 1], next: 3 });
    expect(kept([marker(2, "1")], [], 2)).toEqual({ offsets: [], next: 3 });
  });

  it("drops an aborted transaction and keeps the same producer's next one", () => {
    const messages = [
      message(0, "1"),
      marker(1, "1"),
      message(2, "1"),
      message(3, "2"),
      marker(4, "1"),
      message(5, "1"),
    ];
    expect(kept(messages, [["1", 2]]).offsets).toEqual([0, 3, 5]);
  });

  it("drops two transactions that both began before the first message, in whatever order Kafka names them", () => {
    const messages = [message(10, "2"), message(11, "1"), marker(12, "2"), marker(13, "1"), message(14)];
    const aborted: [string, number][] = [
      ["2", 7],
      ["1", 4],
    ];
    expect(kept(messages, aborted, 10).offsets).toEqual([14]);
    expect(kept(messages, aborted.reverse(), 10).offsets).toEqual([14]);
  });

  it("never delivers or goes back below what was asked for, though batches are fetched whole", () => {
    const messages = [message(0), message(1), message(2), message(3)];
    expect(kept(messages, [], 2)).toEqual({ offsets: [2, 3], next: 4 });
    expect(kept([message(0), message(1)], [], 5)).toEqual({ offsets: [], next: 5 });
  });

  it("takes gaps that compaction left", () => {
    expect(kept([message(3), message(90), message(91)], [], 1)).toEqual({ offsets: [3, 90, 91], next: 92 });
  });
});
