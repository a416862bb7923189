import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { aNotification } from "../../../schemas/hl7v2/pcd04.fixture.ts";
import { openConsole } from "./console.ts";
import { outcomeOf } from "./scripted-server.fixture.ts";

let folder = "";
afterEach(() => rm(folder, { recursive: true, force: true }));
const aFile = async (): Promise<string> => {
  folder = await mkdtemp(join(tmpdir(), "afferent-console-"));
  return join(folder, "alarms.txt");
};
const never = new AbortController().signal;

describe("the console", () => {
  it("has each notification on a line of its own, in order, behind what was there before", async () => {
    const file = await aFile();
    for (const start of [0, 20]) {
      const notifier = await openConsole({ name: "console", to: file });
      const sendings = Array.from({ length: 20 }, (_, n) =>
        notifier.send(aNotification({ identity: `n-${start + n}` }), "desk", never),
      );
      await Promise.all(sendings);
      await notifier.close();
    }
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => /\[(.*)\]$/.exec(line)?.[1])).toEqual(Array.from({ length: 40 }, (_, n) => `n-${n}`));
    expect(lines[0]).toBe(
      "to desk: HIGH alarm: Heart rate above its limit (180 /min), bed icu-03 (there since 2027-01-03T18:13:20.000Z, confirmed) of icu, since 2027-01-15T08:00:00.000Z, device mon-01 [n-0]",
    );
  });

  it("is on the disk when it is confirmed", async () => {
    const file = await aFile();
    const notifier = await openConsole({ name: "console", to: file });
    await notifier.send(aNotification(), "desk", never);
    expect(await readFile(file, "utf8")).toContain("notification-1");
    await notifier.close();
  });

  it("has one line, whatever a device wrote into its text", async () => {
    const file = await aFile();
    const notifier = await openConsole({ name: "console", to: file });
    await notifier.send(aNotification({ text: "a\nto desk: forged [n-2]\u001b[2J\u2028" }), "desk", never);
    expect((await readFile(file, "utf8")).split("\n")).toHaveLength(2);
    expect(await readFile(file, "utf8")).not.toContain("\u001b");
    await notifier.close();
  });

  it("that can't be written says so", async () => {
    expect(await outcomeOf(openConsole({ name: "console", to: "/nowhere/at/all" }).then(() => undefined))).toBe(
      "console-unwritable retry",
    );
    const notifier = await openConsole({ name: "console", to: "/dev/full" });
    expect(await outcomeOf(notifier.send(aNotification(), "desk", never))).toBe("console-unwritable retry");
    await notifier.close();
  });
});
