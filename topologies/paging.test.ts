/** An alarm that nobody takes, what its page says, and what an accept does. */
import { describe, expect, it } from "vitest";
import { alarmAt, at, ended } from "../streams/sim/paged.ts";
import { ward } from "./paging.fixture.ts";

describe("an alarm that nobody takes", () => {
  it("goes to the nurse at the bed at once, and on from step to step, and to the last resort for ever", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    expect(w.told()).toEqual(["0 alarm start high -> amsel #0/0"]);
    w.pass(0.5, 400);
    expect(w.told()).toEqual([
      "0 alarm start high -> amsel #0/0",
      "30 alarm continue high -> charge #1/0",
      "90 alarm continue high -> physician #2/0",
      "150 alarm continue high -> duty #3/0",
      "270 alarm continue high -> duty #3/1",
      "390 alarm continue high -> duty #3/2",
    ]);
    expect(w.pages()).toMatchObject([
      {
        state: "escalating",
        lastResort: true,
        nextAt: at(510),
        responsibilities: [
          { recipient: "amsel", state: "noAnswer", since: at(30) },
          { recipient: "charge", state: "noAnswer", since: at(90) },
          { recipient: "physician", state: "noAnswer", since: at(150) },
          { recipient: "duty", state: "pending", since: at(390) },
        ],
      },
    ]);
  });

  it("says bed, since when that is known, value, limit, onset and how long the circuit took", () => {
    const w = ward();
    w.say(3, alarmAt(0));
    expect(w.notifications()).toMatchObject([
      {
        what: "alarm",
        phase: "start",
        unit: "ICU",
        bed: "4",
        bedSince: at(-3_600),
        bedConfirmed: true,
        device: "mon-4",
        value: 150,
        highLimit: 140,
        onset: at(0),
        receivedTime: at(0),
        at: at(3),
        addresses: [{ notifier: "mqtt", to: "amsel" }],
      },
    ]);
  });

  it("at a bed that nobody is assigned to goes to the last resort at once, and the chain goes on", () => {
    const w = ward();
    w.say(0, alarmAt(0, { bed: "9" }));
    w.pass(0.5, 125);
    expect(w.told()).toEqual([
      "0 alarm start high -> duty #3/0",
      "0 alarm start high -> charge #1/0",
      "60 alarm continue high -> physician #2/0",
      "120 alarm continue high -> duty #3/1",
    ]);
  });

  it("at night goes to those of the night", () => {
    const w = ward();
    w.say(14 * 3_600, alarmAt(14 * 3_600));
    expect(w.told()).toEqual(["50400 alarm start high -> night #0/0"]);
  });
});

describe("an accept", () => {
  it("stops the redirect, changes nothing at the bedside, and is reminded of while the condition is there", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.answer(10, "amsel", "accept");
    w.pass(10.5, 1_300);
    expect(w.told()).toEqual([
      "0 alarm start high -> amsel #0/0",
      "610 reminder continue high -> amsel #0/1",
      "1210 reminder continue high -> amsel #0/2",
    ]);
    expect(w.pages()).toMatchObject([{ state: "accepted", acceptedBy: "amsel", nextAt: at(1_810) }]);
    w.say(1_301, ended(alarmAt(0), 1_300));
    expect(w.told().slice(3)).toEqual(["1301 ended end high -> amsel #0/3"]);
    expect(w.pages()).toMatchObject([{ state: "over", overAt: at(1_301), nextAt: null }]);
  });
});
