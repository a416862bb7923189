import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { withLock } from "./lock.ts";

const lockFile = (): string => join(mkdtempSync(join(tmpdir(), "lock-")), "lock");

describe("a lock", () => {
  it("lets two pieces of work in one after the other, and says that the second waits", async () => {
    const file = lockFile();
    const story: string[] = [];
    const work = (name: string) => async () => {
      story.push(`${name} begins`);
      await delay(50);
      story.push(`${name} ends`);
    };
    await Promise.all([
      withLock(file, () => story.push("a waits"), work("a")),
      withLock(file, () => story.push("b waits"), work("b")),
    ]);
    expect(story).toEqual(["a begins", "b waits", "a ends", "b begins", "b ends"]);
  });

  it("is free again after work that failed", async () => {
    const file = lockFile();
    const failing = withLock(
      file,
      () => undefined,
      () => Promise.reject(new Error("no network")),
    );
    await expect(failing).rejects.toThrow("no network");
    expect(
      await withLock(
        file,
        () => undefined,
        async () => "done",
      ),
    ).toBe("done");
  });

  it("is taken over from a holder that was killed", async () => {
    const file = lockFile();
    writeFileSync(file, JSON.stringify({ pid: process.pid, started: "before this process" }));
    expect(
      await withLock(
        file,
        () => undefined,
        async () => "done",
      ),
    ).toBe("done");
  });
});
