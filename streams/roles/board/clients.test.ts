import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openClients } from "./clients.ts";
import { association, measurement, noon } from "./entries-fixture.ts";
import { BoardModel } from "./model.ts";

/** A response whose reader takes everything, or nothing. */
class Reader extends EventEmitter {
  readonly written: string[] = [];
  writableLength = 0;
  destroyed = false;
  readonly reads: boolean;

  constructor(reads: boolean) {
    super();
    this.reads = reads;
  }

  write(text: string): boolean {
    this.written.push(text);
    if (!this.reads) this.writableLength += text.length;
    return this.reads;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }

  get response(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}

describe("pages that are open", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const ward = (): BoardModel => {
    const model = new BoardModel({ wardName: "ICU", wantedSpeed: 1, startMs: noon, stages: [] });
    model.fold(association(), noon);
    return model;
  };

  it("get a board at once and each second, and their own bed's samples only", () => {
    const model = ward();
    const clients = openClients(model, Date.now, () => {});
    const [mine, other] = [new Reader(true), new Reader(true)];
    clients.add(mine.response, "bed-07");
    clients.add(other.response, "bed-08");
    model.fold(measurement(noon, 72), noon);
    vi.advanceTimersByTime(3_000);
    const count = (reader: Reader, name: string): number =>
      reader.written.filter((text) => text.includes(`event: ${name}\n`)).length;
    expect(count(mine, "board")).toBe(4);
    expect(count(mine, "samples")).toBe(1);
    expect(count(other, "samples")).toBe(0);
    clients.close();
    expect(mine.destroyed).toBe(true);
  });

  it("are dropped when they don't read, and what waits for them stays bounded", () => {
    const model = ward();
    for (let i = 0; i < 300; i++) model.fold(association({ id: `a-${i}`, device: `d-${i}`, bed: `b-${i}` }), noon);
    const onDropped = vi.fn();
    const clients = openClients(model, Date.now, onDropped);
    const stuck = new Reader(false);
    const quick = new Reader(true);
    clients.add(stuck.response, "");
    clients.add(quick.response, "");
    vi.advanceTimersByTime(120_000);
    expect(onDropped).toHaveBeenCalledTimes(1);
    expect(stuck.destroyed).toBe(true);
    expect(stuck.writableLength).toBeLessThan(3 << 20);
    expect(clients.size).toBe(1);
    expect(quick.written.length).toBeGreaterThan(100);
    clients.close();
  });

  it("are at most 64", () => {
    const clients = openClients(ward(), Date.now, () => {});
    const accepted = Array.from({ length: 70 }, () => clients.add(new Reader(true).response, ""));
    expect(accepted.filter(Boolean)).toHaveLength(64);
    clients.close();
  });
});
