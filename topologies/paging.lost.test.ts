/** Monitoring lost: one page of a unit that names every bed. */
import { describe, expect, it } from "vitest";
import { at, ended, lost } from "../streams/sim/paged.ts";
import { ward } from "./paging.fixture.ts";

describe("monitoring lost", () => {
  it("of a whole unit is one page that names every bed, told with the next tick; what comes back leaves it", () => {
    const w = ward();
    for (const bed of ["4", "10", "5"]) w.say(0.1, lost(0.1, bed));
    w.say(0.2, lost(0.2, null, "pump-1"));
    expect(w.told()).toEqual([]);
    w.tick(at(0.5));
    // nobody is at bed 10: the last resort too
    expect(w.told()).toEqual([
      "0.5 alarm start monitoringLost -> amsel #0/0",
      "0.5 alarm start monitoringLost -> birke #0/0",
      "0.5 alarm start monitoringLost -> duty #3/0",
    ]);
    expect(w.notifications()[0]?.beds).toEqual(["4", "5", "10", "no bed (pump-1)"]);
    expect(w.notifications()[0]?.text).toBe("monitoring lost: beds 4, 5, 10, no bed (pump-1)");
    for (const [bed, device] of [
      ["10", "mon-10"],
      [null, "pump-1"],
      ["5", "mon-5"],
    ] as const)
      w.say(3, ended(lost(device === "pump-1" ? 0.2 : 0.1, bed, device), 3));
    w.pass(3.5, 5);
    expect(w.notifications().length).toBe(3);
    expect(w.pages()).toMatchObject([{ text: "monitoring lost: bed 4", bed: "4", state: "escalating" }]);
    w.say(6, lost(6, "5"));
    w.say(6.1, lost(6.1, "9"));
    w.tick(at(6.5));
    expect(
      w
        .notifications()
        .slice(3)
        .map(({ recipient, beds }) => [recipient, beds]),
    ).toEqual([
      ["amsel", ["4", "5", "9"]],
      ["birke", ["4", "5", "9"]],
      ["duty", ["4", "5", "9"]],
    ]);
  });

  it("of one more bed, accepted before it was told, is told with the next tick all the same", () => {
    const w = ward();
    w.say(0.1, lost(0.1, "4"));
    w.tick(at(0.5));
    w.say(3.1, lost(3.1, "5"));
    w.answer(3.3, "amsel", "accept");
    w.restart();
    w.pass(3.5, 10);
    expect(w.told().slice(1)).toEqual([
      "3.5 alarm start monitoringLost -> amsel #0/1",
      "3.5 alarm start monitoringLost -> birke #0/0",
    ]);
    expect(w.notifications().at(-1)?.beds).toEqual(["4", "5"]);
    expect(w.pages()).toMatchObject([{ state: "escalating", acceptedBy: null }]);
  });

  it("of one more device with every tick does not keep the next step from being told", () => {
    const w = ward();
    for (let i = 0; i < 70; i++) {
      w.say(i / 2 + 0.1, lost(i / 2 + 0.1, "4", `mon-${i}`));
      w.tick(at(i / 2 + 0.5));
    }
    expect(w.told().filter((one) => one.includes("-> charge"))[0]).toBe(
      "30.5 alarm continue monitoringLost -> charge #1/0",
    );
  });

  it("for less than a tick is told as over", () => {
    const w = ward();
    w.say(0.1, lost(0.1, "4"));
    w.say(0.3, ended(lost(0.1, "4"), 0.3));
    w.pass(0.5, 60);
    expect(w.told()).toEqual(["0.3 delayed end monitoringLost -> amsel #0/0"]);
  });
});
