import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { OperatingError } from "../../core/failure.ts";
import { Hops } from "./hops.ts";
import type { Word } from "./words.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const open = (failures = 0) => {
  const said: string[] = [];
  let left = failures;
  const text = (word: Word): string => (word.kind === "hop" ? `${word.hop} ${word.up ? "up" : "down"}` : "?");
  const hops = new Hops({
    words: {
      say: async (words) => {
        if (left-- > 0) throw new OperatingError("log-unavailable", "away", { retry: true });
        said.push(...words.map(({ unit, word }) => `${unit}: ${text(word)}`));
      },
      close: async () => undefined,
    },
    now: () => 1_000,
    onChange: () => undefined,
    onError: () => undefined,
  });
  closing.push(() => hops.close());
  return { hops, said };
};

describe("a part of the alarm path", () => {
  it("is told once when it goes and once when it is back", async () => {
    const { hops, said } = open();
    for (let i = 0; i < 3; i++) hops.down("broker", "gone");
    await expect.poll(() => said).toEqual(["platform: broker down"]);
    expect(hops.all()).toMatchObject([{ hop: "broker", up: false }]);
    for (let i = 0; i < 3; i++) hops.up("broker", "back");
    await expect.poll(() => said).toEqual(["platform: broker down", "platform: broker up"]);
    expect(hops.all()).toEqual([]);
  });

  it("that is back within its grace is no news, but that it is there is said once after a start", async () => {
    const { hops, said } = open();
    hops.down("broker", "gone", 60);
    hops.up("broker", "back");
    hops.down("broker", "gone again", 40);
    hops.up("broker", "back again");
    await sleep(100);
    expect(said).toEqual(["platform: broker up"]);
  });

  it("is told again until the log has it", async () => {
    const { hops, said } = open(1);
    hops.down("kafka", "gone");
    await expect.poll(() => said, { timeout: 2_000 }).toEqual(["platform: kafka down"]);
  });
});
