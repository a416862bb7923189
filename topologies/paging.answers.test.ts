/** What people answer to a page, and what comes of what no notifier could deliver. */
import { describe, expect, it } from "vitest";
import { alarmAt, at, ended } from "../streams/sim/paged.ts";
import { ward } from "./paging.fixture.ts";

describe("answers", () => {
  it("a reject goes on to the next step at once, and only once", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.answer(4, "amsel", "reject");
    w.answer(5, "amsel", "reject");
    expect(w.told()).toEqual(["0 alarm start high -> amsel #0/0", "4 alarm continue high -> charge #1/0"]);
    expect(w.pages()).toMatchObject([
      { nextAt: at(64), responsibilities: [{ state: "rejected" }, { state: "pending" }] },
    ]);
  });

  it("who gives back what he had accepted is passed over", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.answer(4, "amsel", "accept");
    w.answer(9, "amsel", "reject");
    expect(w.told().at(-1)).toBe("9 alarm continue high -> charge #1/0");
    expect(w.pages()).toMatchObject([{ state: "escalating", acceptedBy: null, nextAt: at(69) }]);
  });

  it("by nobody, by a test receiver, of no page, of one that is over, by somebody who was not told: refused and counted; a good one beside them is taken", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    const [page] = w.pages();
    for (const who of ["", "  ", "stranger", "beats"]) w.answer(1, who, "accept");
    w.answer(2, "amsel", "accept", "no such page");
    w.answer(3, "charge", "reject");
    w.answer(3, "amsel", "reset");
    expect(w.pages()).toMatchObject([{ state: "escalating", acceptedBy: null }]);
    w.answer(4, "amsel", "accept");
    expect(w.pages()).toMatchObject([{ state: "accepted", acceptedBy: "amsel" }]);
    w.say(5, ended(alarmAt(0), 5));
    w.answer(6, "amsel", "accept", page?.identity);
    expect(w.refusals().map(({ reason }) => reason)).toEqual([
      "answer-by-nobody",
      "answer-by-nobody",
      "answer-by-nobody",
      "answer-by-nobody",
      "page-unknown",
      "not-told",
      "not-latched",
      "page-over",
    ]);
  });

  it("what no notifier could deliver goes on at once; what one of two did deliver does not", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.notified(2, w.notifications()[0], "mqtt", "failed");
    expect(w.told().at(-1)).toBe("2 alarm continue high -> charge #1/0");
    const charge = w.notifications()[1];
    w.notified(3, charge, "mqtt", "failed");
    w.notified(3, charge, "webhook", "confirmed");
    w.pass(3.5, 61);
    expect(w.told().length).toBe(2);
    expect(w.pages()[0]?.responsibilities).toMatchObject([{ state: "undeliverable" }, { state: "pending" }]);
  });
});
