/** What a group is told of its progress, where the broker is slow or refuses: the newest stays the last word. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { KafkaProgress } from "./kafka-progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A member whose first commit fails late; what was committed since, in order. */
const progressOf = (failsAfterMs: number) => {
  const committed: number[] = [];
  let asked = 0;
  const member = {
    async commit([first]: readonly { readonly offset: number }[]): Promise<boolean> {
      if (asked++ === 0) {
        await new Promise((resolve) => setTimeout(resolve, failsAfterMs));
        throw new Error("no answer");
      }
      committed.push(first?.offset ?? Number.NaN);
      return true;
    },
  };
  const client = { onLine: () => undefined };
  return { committed, progress: new KafkaProgress(client as never, {} as never, () => member as never) };
};

it("an offset that could not be committed is committed later, though nothing new is reported", async () => {
  const { progress, committed } = progressOf(0);
  progress.report("group", "topic", 0, 10);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(committed).toEqual([10]);
  await progress.close();
});

it("a commit that fails late never goes behind a newer one", async () => {
  const { progress, committed } = progressOf(1_500);
  progress.report("group", "topic", 0, 10);
  await vi.advanceTimersByTimeAsync(1_200);
  progress.report("group", "topic", 0, 20);
  await vi.advanceTimersByTimeAsync(10_000);
  await progress.close();
  expect(committed).toEqual([20]);
});
