import { describe, expect, it } from "vitest";
import type { Page } from "../../../schemas/records/alert.ts";
import { logTime } from "../../core/time.ts";
import { type Audited, audit } from "./audit.ts";

const now = 1_800_000_000_000;
const well: Audited = {
  nowMs: now,
  logNowMs: now,
  pages: [],
  lastTickMs: now - 700,
  intakeConnected: true,
  oldestHigh: [],
  down: [],
  gone: [],
  notifiers: ["pager", "hook"],
};
const due = (msAgo: number): Page => ({ identity: "p-1", nextAt: logTime(now - msAgo) }) as Page;
const checks = (changed: Partial<Audited>): string[] => audit({ ...well, ...changed }).map(({ check }) => check);

describe("the audit", () => {
  it("passes where all is well", () => {
    expect(audit(well)).toEqual([]);
  });

  it.each<[string, Partial<Audited>, string[]]>([
    ["a page that is due", { pages: [due(9_000)] }, []],
    ["a page that nobody was told of in time", { pages: [due(11_000)] }, ["escalation"]],
    ["a page that waits for nobody", { pages: [{ identity: "p-2", nextAt: null } as Page] }, []],
    ["no tick since the start", { lastTickMs: null }, ["ticks"]],
    ["ticks that have stopped", { lastTickMs: now - 5_001 }, ["ticks"]],
    ["a broker that is away", { intakeConnected: false }, ["intake"]],
    ["a high one that waits", { oldestHigh: [{ notifier: "hook", to: "a", sinceMs: now - 10_001 }] }, ["outbox"]],
    [
      "a high one that waits for what is known to be down, while another way is there",
      { oldestHigh: [{ notifier: "hook", to: "a", sinceMs: now - 60_000 }], down: [{ notifier: "hook", to: "a" }] },
      [],
    ],
    [
      "a dead address of each notifier, while others are told by them",
      {
        down: [
          { notifier: "hook", to: "a" },
          { notifier: "pager", to: "b" },
        ],
      },
      [],
    ],
    ["one notifier gone of two", { gone: ["hook"] }, []],
    ["nothing that gets through", { gone: ["hook", "beats", "pager"] }, ["notifiers"]],
  ])("with %s", (_, changed, expected) => {
    expect(checks(changed)).toEqual(expected);
  });
});
