import { describe, expect, it } from "vitest";
import type { Page } from "../../../schemas/records/alert.ts";
import { logTime } from "../../core/time.ts";
import { asystole } from "./notification.fixture.ts";
import { openOutboxDatabase } from "./outbox.ts";
import { Pages } from "./pages.ts";
import { reviseOld } from "./revise.ts";

const open = (state: Page["state"], laterMs: number, caughtUp = true) => {
  const pages = new Pages(openOutboxDatabase(":memory:"));
  const overAt = state === "over" ? logTime(asystole.at + 5_000) : null;
  pages.put({ kind: "page", identity: "page-1", revision: 1, state, overAt } as Page);
  return reviseOld({ pages, logNow: () => asystole.at + laterMs, caughtUp: () => caughtUp });
};

describe("a notification that waited while nobody could be told", () => {
  it("goes out as it is within a minute, and as long as its page stands", () => {
    expect(open("over", 60_000)(asystole, 0)).toBe(asystole);
    expect(open("escalating", 4 * 3_600_000)(asystole, 0)).toBe(asystole);
  });

  it("is told as a delayed item, with its real onset and end and a name of its own, where its page is over", () => {
    const told = open("over", 61_000)(asystole, 0);
    expect(told).toMatchObject({ what: "delayed", onset: asystole.onset, end: asystole.at + 5_000 });
    expect(told?.identity).not.toBe(asystole.identity);
    expect(open("over", 90_000)(asystole, 0)?.identity).toBe(told?.identity);
  });

  it("waits until the stages have worked through what came meanwhile", () => {
    expect(open("over", 61_000, false)(asystole, 0)).toBeNull();
  });
});
