import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { identify, isAlive, waitForEnd } from "./process-identity.ts";

let child: ChildProcess | undefined;
const sleeper = (): number => {
  child = spawn("sleep", ["60"]);
  return child.pid ?? 0;
};
afterEach(() => {
  child?.kill("SIGKILL");
});

describe("which process a pid means", () => {
  it("is the one that runs, until it has ended", async () => {
    const identity = identify(sleeper());
    if (identity === undefined) throw new Error("the sleeper was not found");
    expect(isAlive(identity)).toBe(true);
    expect(await waitForEnd(identity, 100)).toBe(false);
    child?.kill("SIGKILL");
    expect(await waitForEnd(identity, 5_000)).toBe(true);
  });

  it("is not a later process with the same pid", () => {
    const now = identify(sleeper());
    if (now === undefined) throw new Error("the sleeper was not found");
    expect(isAlive({ ...now, started: "an earlier boot/17" })).toBe(false);
  });

  it("is nobody when the process ended before it was asked", async () => {
    const pid = sleeper();
    child?.kill("SIGKILL");
    if (child !== undefined) await once(child, "exit");
    expect(identify(pid)).toBeUndefined();
  });
});
