/** A change of shift while a page escalates. */
import { describe, expect, it } from "vitest";
import { logTime } from "../streams/core/time.ts";
import { alarmAt, at, policy } from "../streams/sim/paged.ts";
import { ward } from "./paging.fixture.ts";

describe("a change of shift while a page escalates", () => {
  const [icu, ...others] = policy().units;
  const evening = policy({
    version: 2,
    effectiveFrom: logTime(at(20)),
    units: icu === undefined ? others : [{ ...icu, assignments: [{ bed: "4", to: ["birke"] }] }, ...others],
  });

  it("who comes is told of what happens from then on; the deadlines of the page stay", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.send("", at(20), evening);
    w.say(26, alarmAt(26, { identity: "again", instance: 1, value: 180 }));
    w.pass(26.5, 31);
    expect(w.told()).toEqual([
      "0 alarm start high -> amsel #0/0",
      "26 alarm start high -> birke #0/0",
      "30 alarm continue high -> charge #1/0",
    ]);
  });

  it("a reminder of what was accepted goes to who accepted, and to whoever has the bed now", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.answer(5, "amsel", "accept");
    w.send("", at(20), evening);
    w.pass(20.5, 610);
    expect(w.told().slice(1)).toEqual([
      "605 reminder continue high -> amsel #0/1",
      "605 reminder continue high -> birke #0/0",
    ]);
  });

  it("to a night that has a chain of its own begins that chain: who is on shift hears of it before the last resort", () => {
    const w = ward();
    const before = 13 * 3_600 - 15; // 15 s before 22:00 in the unit
    w.say(before, alarmAt(before));
    w.pass(before + 0.5, before + 200);
    expect(w.told()).toEqual([
      `${before} alarm start high -> amsel #0/0`,
      `${before + 30} alarm continue high -> night #0/0`,
      `${before + 90} alarm continue high -> duty #1/0`,
    ]);
  });

  it("while only the last resort is left tells those of the night beside its next repeat", () => {
    const w = ward();
    const before = 13 * 3_600 - 300; // five minutes before 22:00 in the unit
    w.say(before, alarmAt(before));
    w.pass(before + 0.5, before + 460);
    expect(w.told().slice(3)).toEqual([
      `${before + 150} alarm continue high -> duty #3/0`,
      `${before + 270} alarm continue high -> duty #3/1`,
      `${before + 390} alarm continue high -> night #0/0`,
      `${before + 390} alarm continue high -> duty #1/0`,
      `${before + 450} alarm continue high -> duty #1/1`,
    ]);
  });
});
