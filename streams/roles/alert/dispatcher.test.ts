/** The dispatcher: lanes, failures, what a restart finds. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Notification } from "../../../schemas/records/alert.ts";
import { OperatingError } from "../../core/failure.ts";
import { logTime } from "../../core/time.ts";
import { Dispatcher, type DispatcherOptions } from "./dispatcher.ts";
import { type DispatchLimits, usualLimits } from "./lane.ts";
import { asystole, scriptedNotifier } from "./notification.fixture.ts";
import { openOutboxDatabase, Outbox, type Unreported } from "./outbox.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const limits: DispatchLimits = {
  ...usualLimits,
  atOnce: 2,
  attemptMs: 60,
  giveUpMs: { high: 300, medium: 600, low: 900 },
  firstPauseMs: 10,
  longestPauseMs: 40,
};

const newFile = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-outbox-"));
  closing.push(() => rm(folder, { recursive: true }));
  return join(folder, "outbox.sqlite");
};

const open = async (options: Partial<DispatcherOptions> = {}, file?: string) => {
  const db = openOutboxDatabase(file ?? (await newFile()));
  const outbox = new Outbox(db);
  const [pager, hook] = [scriptedNotifier("pager"), scriptedNotifier("hook")];
  const reported: Unreported[] = [];
  /** Each change of what the attempts at a notifier's addresses showed. */
  const standing: string[] = [];
  const dispatcher = new Dispatcher({
    outbox,
    notifiers: new Map([
      ["pager", pager],
      ["hook", hook],
    ]),
    now: Date.now,
    limits,
    report: async (outcomes) => {
      reported.push(...outcomes);
    },
    onOutcome: () => undefined,
    onTried: ({ notifier }, { confirmed, down }) => {
      const said = `${notifier} ${confirmed ? "up" : down ? "down" : "failing"}`;
      if (standing.at(-1) !== said) standing.push(said);
    },
    onError: () => undefined,
    ...options,
  });
  const close = async (): Promise<void> => {
    await dispatcher.close();
    db.close();
  };
  let closed = false;
  const once = async (): Promise<void> => {
    if (!closed) await close();
    closed = true;
  };
  closing.push(once);
  const keep = (...notifications: readonly Notification[]): void => {
    outbox.transaction(() => outbox.keep(notifications, Date.now()));
    dispatcher.wake();
  };
  return { outbox, dispatcher, pager, hook, reported, standing, keep, close: once };
};

const numbered = (n: number, of: Partial<Notification> = {}): Notification => ({
  ...asystole,
  identity: `n-${n}`,
  at: logTime(asystole.at + n),
  ...of,
});
const identities = (sent: readonly { readonly notification: Notification }[]): string[] =>
  sent.map(({ notification }) => notification.identity);

describe("the dispatcher", () => {
  it("sends each address once and tells what became of it", async () => {
    const { keep, dispatcher, pager, hook, reported } = await open();
    const addresses = [
      { notifier: "pager", to: "nurse-1" },
      { notifier: "hook", to: "https://desk" },
    ];
    dispatcher.start();
    keep(numbered(1, { addresses }));
    keep(numbered(1, { addresses }));
    await expect.poll(() => reported.length).toBe(2);
    await sleep(50);
    expect([pager.sent.length, hook.sent.length]).toEqual([1, 1]);
    expect(reported.map(({ notifier, outcome }) => `${notifier} ${outcome}`).toSorted()).toEqual([
      "hook confirmed",
      "pager confirmed",
    ]);
  });

  it("sends high before medium before low, and what is over after all that is now, the newest first", async () => {
    const { outbox, dispatcher, pager } = await open({ limits: { ...limits, atOnce: 1 } });
    const stored = [
      numbered(1, { priority: "low" }),
      numbered(2, { what: "delayed" }),
      numbered(3, { what: "delayed" }),
      numbered(4, { priority: "medium" }),
      numbered(5),
      numbered(6),
    ];
    outbox.transaction(() => outbox.keep(stored, Date.now()));
    dispatcher.start();
    await expect.poll(() => pager.sent.length).toBe(6);
    expect(identities(pager.sent)).toEqual(["n-5", "n-6", "n-4", "n-1", "n-3", "n-2"]);
  });

  it("is delayed by no address that hangs, not even one of the same notifier", async () => {
    const { keep, dispatcher, pager, hook, reported, standing } = await open();
    pager.becomes("hangs");
    dispatcher.start();
    for (let n = 0; n < 40; n++)
      keep(
        numbered(n, {
          addresses: [
            { notifier: "pager", to: "nurse-1" },
            { notifier: "hook", to: "desk" },
          ],
        }),
      );
    const began = performance.now();
    await expect.poll(() => hook.sent.length, { interval: 5 }).toBe(40);
    expect(performance.now() - began).toBeLessThan(600); // behind the one that hangs it would be 1,200
    await expect.poll(() => reported.length, { timeout: 3_000 }).toBe(80);
    const hung = reported.filter(({ notifier }) => notifier === "pager");
    expect(hung.every(({ outcome }) => outcome === "failed")).toBe(true);
    const ofPager = (): string[] => standing.filter((said) => said.startsWith("pager"));
    expect([ofPager()[0], ofPager().at(-1)]).toEqual(["pager failing", "pager down"]);
    expect(dispatcher.down()).toEqual([{ notifier: "pager", to: "nurse-1" }]);

    pager.becomes("confirms");
    keep(numbered(100));
    await expect.poll(() => ofPager().at(-1)).toBe("pager up");
    expect(dispatcher.down()).toEqual([]);
  });

  it("gives up at once what is refused for good, and what nobody has an address for", async () => {
    const { keep, dispatcher, pager, reported } = await open();
    pager.becomes("refuses");
    dispatcher.start();
    keep(numbered(1), numbered(2, { addresses: [] }), numbered(3, { addresses: [{ notifier: "dove", to: "roof" }] }));
    await expect.poll(() => reported.length).toBe(3);
    expect(pager.sent.length).toBe(1);
    expect(reported.map(({ outcome, detail }) => `${outcome}: ${detail}`).toSorted()).toEqual([
      "failed: no notifier is called dove",
      "failed: no notifier is called none",
      "failed: refuses",
    ]);
  });

  it("calls nothing down that answers, though it says no", async () => {
    const { keep, dispatcher, pager, reported, standing } = await open();
    pager.becomes("refuses");
    dispatcher.start();
    keep(...Array.from({ length: 5 }, (_, n) => numbered(n)));
    await expect.poll(() => reported.length).toBe(5);
    expect(reported.every(({ outcome }) => outcome === "failed")).toBe(true);
    expect([dispatcher.down(), standing]).toEqual([[], []]);
  });

  it("tries again with the same identity while that may help", async () => {
    const { keep, dispatcher, pager, reported } = await open();
    pager.becomes("is away");
    dispatcher.start();
    keep(numbered(1));
    await expect.poll(() => pager.sent.length).toBeGreaterThan(1);
    pager.becomes("confirms");
    await expect.poll(() => reported.length).toBe(1);
    expect(new Set(identities(pager.sent))).toEqual(new Set(["n-1"]));
    expect(reported).toMatchObject([{ outcome: "confirmed" }]);
  });

  it("never gives up a delayed item as soon as an alarm: nobody else is told in its place", async () => {
    const { keep, dispatcher, pager, reported } = await open();
    pager.becomes("is away");
    dispatcher.start();
    keep(numbered(1, { what: "delayed" }), numbered(2));
    await expect.poll(() => reported.length, { timeout: 2_000 }).toBe(1);
    expect(reported).toMatchObject([{ notification: { identity: "n-2" }, outcome: "failed" }]);
    pager.becomes("confirms");
    await expect.poll(() => reported.length, { timeout: 2_000 }).toBe(2);
  });

  it("holds no more in memory than it has under way", async () => {
    const { keep, dispatcher, pager, outbox } = await open();
    pager.becomes("hangs");
    dispatcher.start();
    keep(...Array.from({ length: 5_000 }, (_, n) => numbered(n, { priority: "low" })));
    await sleep(30);
    expect(pager.sent.length).toBeLessThanOrEqual(limits.atOnce);
    expect(outbox.waiting().low).toBe(5_000);
  });
});

describe("a dispatcher whose database fails for a moment", () => {
  it("goes on, loses no outcome, and tells everybody", async () => {
    const errors: unknown[] = [];
    const { keep, dispatcher, pager, outbox, reported } = await open({ onError: (error) => errors.push(error) });
    pager.becomes("is away");
    const methods = ["lanes", "next", "settle", "again", "unreported", "reported", "waitingSince"] as const;
    const full = methods.map((name) =>
      vi.spyOn(outbox, name).mockImplementationOnce(() => {
        throw new Error(`${name}: database is locked`);
      }),
    );
    dispatcher.start();
    keep(numbered(1), numbered(2, { addresses: [{ notifier: "hook", to: "desk" }] }));
    await sleep(700);
    pager.becomes("confirms");
    const told = (): string[] => reported.map(({ notification }) => notification.identity).toSorted();
    await expect.poll(() => new Set(told()), { timeout: 4_000 }).toEqual(new Set(["n-1", "n-2"]));
    expect(reported.every(({ outcome }) => outcome === "confirmed" || outcome === "failed")).toBe(true);
    await expect.poll(() => outbox.unreported(9)).toEqual([]);
    expect(errors.map(String).toSorted()).toEqual(
      methods.map((name) => `Error: ${name}: database is locked`).toSorted(),
    );
    for (const one of full) expect(one).toHaveBeenCalled();
  });

  it("prunes at the next hour what it could not prune at this one", async () => {
    const errors: unknown[] = [];
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const { dispatcher, outbox } = await open({ onError: (error) => errors.push(error) });
      const prune = vi.spyOn(outbox, "prune").mockImplementationOnce(() => {
        throw new Error("disk is full");
      });
      dispatcher.start();
      vi.advanceTimersByTime(2 * 3_600_000);
      expect(prune).toHaveBeenCalledTimes(2);
      expect(errors.map(String)).toEqual(["Error: disk is full"]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a dispatcher that starts again", () => {
  it("sends what was under way with the same identity, and nothing that was confirmed", async () => {
    const file = await newFile();
    const before = await open({}, file);
    before.dispatcher.start();
    before.keep(numbered(1));
    await expect.poll(() => before.reported.length).toBe(1);
    before.pager.becomes("hangs");
    before.keep(numbered(2));
    await expect.poll(() => before.pager.sent.length).toBe(2);
    await before.close();

    const after = await open({}, file);
    after.dispatcher.start();
    await expect.poll(() => after.reported.length).toBe(1);
    expect(identities(after.pager.sent)).toEqual(["n-2"]);
    after.keep(numbered(1), numbered(2));
    await sleep(50);
    expect(after.pager.sent.length).toBe(1);
  });

  it("tells the log what it could not tell before", async () => {
    const file = await newFile();
    const away = async (): Promise<void> => {
      throw new OperatingError("log-unavailable", "away", { retry: true });
    };
    const before = await open({ report: away }, file);
    before.dispatcher.start();
    before.keep(numbered(1));
    await expect.poll(() => before.outbox.unreported(9).length).toBe(1);
    await before.close();
    const after = await open({}, file);
    after.dispatcher.start();
    await expect
      .poll(() => after.reported)
      .toMatchObject([{ outcome: "confirmed", notification: { identity: "n-1" } }]);
    expect(after.pager.sent).toEqual([]);
  });
});
