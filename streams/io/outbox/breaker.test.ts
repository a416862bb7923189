import { describe, expect, it } from "vitest";
import { Breaker, type DestinationState } from "./breaker.ts";
import { never, VirtualTime } from "./outbox.fixture.ts";

const breakerOf = (time = new VirtualTime()) => {
  const states: DestinationState[] = [];
  const breaker = new Breaker({
    failuresMost: 3,
    pauses: { firstMs: 1_000, mostMs: 60_000 },
    waiting: time,
    onState: (state) => states.push(state),
    onAnswer: () => undefined,
  });
  const fail = async (asked: number | null = null) => (await breaker.admit(600_000, never))?.failed(asked);
  const answer = async () => (await breaker.admit(600_000, never))?.answered();
  return { breaker, states, time, fail, answer };
};

describe("a destination's circuit breaker", () => {
  it("opens after so many failures in a row, and an answer in between starts the count again", async () => {
    const { breaker, fail, answer } = breakerOf();
    for (const step of [fail, fail, answer, fail, fail]) await step();
    expect(breaker.state).toBe("up");
    await fail();
    expect(breaker.state).toBe("down");
  });

  it("lets one probe through at a time, in the order in which they asked, with pauses that grow", async () => {
    const { breaker, states, time, fail } = breakerOf();
    for (let n = 0; n < 3; n++) await fail();
    const order: string[] = [];
    const admittedAt: number[] = [];
    const ask = async (name: string, well: boolean): Promise<void> => {
      const pass = await breaker.admit(600_000, never);
      order.push(name);
      admittedAt.push(time.now());
      await time.sleep(100, never);
      if (well) pass?.answered();
      else pass?.failed(null);
    };
    await Promise.all([ask("first", false), ask("second", false), ask("third", true), ask("fourth", true)]);
    expect(order).toEqual(["first", "second", "third", "fourth"]);
    // 750, 1,500 and 3,000 ms: three quarters of the doubled pause, for chance is a half here
    expect(admittedAt).toEqual([750, 2_350, 5_450, 5_550]);
    expect(states).toEqual(["up", "down", "probing", "down", "probing", "down", "probing", "up"]);
  });

  it("holds at once, and for as long as it is asked to", async () => {
    const { breaker, time, fail } = breakerOf();
    await fail(30_000);
    expect(breaker.state).toBe("down");
    await breaker.admit(60_000, never);
    expect(time.now()).toBe(30_000);
  });

  it("gives nobody a pass in vain: whoever waits longer than his patience is told", async () => {
    const { breaker, time, fail } = breakerOf();
    await fail(30_000);
    expect(await breaker.admit(10_000, never)).toBeNull();
    expect(time.now()).toBe(10_000);
    expect(breaker.state).toBe("down");
  });

  it("lets the next one through without waiting once the destination was heard", async () => {
    const { breaker, time, fail } = breakerOf();
    await fail(30_000);
    const asked = breaker.admit(60_000, never);
    breaker.heard();
    expect(await asked).not.toBeNull();
    expect(time.now()).toBeLessThan(30_000);
  });

  it("is not opened again by a straggler that fails while another probes, but an answer is an answer", async () => {
    const { breaker, fail } = breakerOf();
    const [late, later] = [await breaker.admit(0, never), await breaker.admit(0, never)];
    for (let n = 0; n < 3; n++) await fail();
    const probe = await breaker.admit(60_000, never);
    late?.failed(null);
    expect(breaker.state).toBe("probing");
    later?.answered();
    expect(breaker.state).toBe("up");
    probe?.failed(null);
    expect(breaker.state).toBe("up");
  });

  it("ends waiting when the destination is closed", async () => {
    const { breaker, fail } = breakerOf();
    await fail(30_000);
    const closing = new AbortController();
    const asked = breaker.admit(60_000, closing.signal);
    closing.abort(new Error("closed"));
    await expect(asked).rejects.toThrow("closed");
  });
});
