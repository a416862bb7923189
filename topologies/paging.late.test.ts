/** What is told late: real onsets, delayed items, and those whom a delayed item reaches. */
import { describe, expect, it } from "vitest";
import { alarmAt, at, ended, policy, type PagedWard } from "../streams/sim/paged.ts";
import { ward } from "./paging.fixture.ts";

describe("what came late", () => {
  it("pages nobody; once it is known to be true now, it does with its real onset", () => {
    const w = ward();
    const late = alarmAt(-900, { timeliness: "late" });
    w.say(0, late);
    w.pass(0.5, 5);
    expect(w.rows()).toEqual([]);
    w.say(6, { ...late, timeliness: "current", revision: 1 });
    expect(w.notifications()).toMatchObject([{ what: "alarm", recipient: "amsel", onset: at(-900) }]);
  });

  it("and is over is one delayed item, which nobody has to accept", () => {
    const w = ward();
    const late = alarmAt(-900, { timeliness: "late" });
    w.say(0, late);
    w.say(1, ended(late, -600, { timeliness: "over" }));
    w.say(1, ended(late, -600, { timeliness: "over" }));
    w.pass(1.5, 700);
    expect(w.told()).toEqual(["1 delayed end high -> amsel #0/0"]);
    expect(w.pages()).toMatchObject([{ state: "over", nextAt: null }]);
  });
});

describe("a delayed item that its first recipients' system refuses", () => {
  const overLate = (bed: string | null) =>
    ended(alarmAt(-900, { timeliness: "late", bed }), -600, { timeliness: "over" });
  const fail = (w: PagedWard, second: number, nth: number, notifier: string): void =>
    w.notified(second, w.notifications()[nth], notifier, "failed");

  it("is told to the last resort, once, even after its page is long forgotten", () => {
    const w = ward();
    w.say(1, overLate("4"));
    w.pass(1.5, 3);
    w.tick(at(3_600));
    w.restart();
    fail(w, 3_601, 0, "mqtt");
    fail(w, 3_602, 0, "mqtt");
    fail(w, 3_603, 1, "mqtt"); // the last resort's own: nobody is left
    expect(w.told()).toEqual(["1 delayed end high -> amsel #0/0", "3601 delayed end high -> duty #3/0"]);
    expect(w.notifications()[1]).toMatchObject({ lastResort: true, alarms: ["high@-900"], bed: "4", onset: at(-900) });
    expect(new Set(w.notifications().map(({ identity }) => identity)).size).toBe(2);
  });

  it("by one way only, or with one of them told, is told to nobody else; nor where it was the last resort's, nor after a day", () => {
    const chargeFirst = ward(
      policy({
        chains: [{ name: "high", steps: [{ to: ["charge", "amsel"], acceptWithinMs: 9 }], continuesWith: null }],
      }),
    );
    chargeFirst.say(1, overLate("4"));
    fail(chargeFirst, 2, 0, "mqtt");
    fail(chargeFirst, 2, 1, "mqtt");
    chargeFirst.notified(3, chargeFirst.notifications()[0], "webhook", "confirmed");
    fail(chargeFirst, 4, 0, "webhook");
    expect(chargeFirst.told().length).toBe(2);

    const nobodyAtTheBed = ward();
    nobodyAtTheBed.say(1, overLate("9"));
    fail(nobodyAtTheBed, 2, 0, "mqtt");
    expect(nobodyAtTheBed.told()).toEqual(["1 delayed end high -> duty #3/0"]);

    const dayAfter = ward();
    dayAfter.say(1, overLate("4"));
    dayAfter.tick(at(26 * 3_600));
    fail(dayAfter, 26 * 3_600 + 1, 0, "mqtt");
    expect(dayAfter.told().length).toBe(1);
  });
});
