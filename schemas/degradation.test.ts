/** The table of partial degradation is whole, and which modes are in force while parts are down. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bannerOf, changesBetween, gravenessOf, type Health, type HopName, modesOf } from "./degradation.ts";
import { modes } from "./degradation-table.ts";

const notifiers = ["pager", "mail"];
const idsOf = (down: readonly HopName[]): string[] => modesOf({ down, notifiers }).map(({ mode }) => mode.id);

describe("the table of partial degradation", () => {
  it("has every part once, and says for each what holds, what does not, who is called and what to do", () => {
    expect(new Set(modes.map(({ id }) => id)).size).toBe(modes.length);
    for (const { holds, lost, calls, todo } of modes)
      for (const said of [holds, lost, calls, todo]) expect(said.length).toBeGreaterThan(0);
  });

  it("tells clinicians of every mode in which somebody may not be alarmed", () => {
    for (const { id, priority, banner } of modes) if (priority === "high") expect(banner, id).not.toBeNull();
  });

  it("calls somebody at the bedside for every mode in which alarms reach nobody", () => {
    const nobodyTold = modes.filter(({ banner }) => banner?.includes("watch every monitored bed"));
    expect(nobodyTold.map(({ id }) => id)).toEqual([
      "broker",
      "listener",
      "circuit",
      "notifiers",
      "policy",
      "network",
      "disk",
    ]);
    for (const { calls, id } of nobodyTold) expect(calls, id).toContain("chargeNurse");
  });
});

describe("how grave it is that a part is down", () => {
  it.each([
    ["broker", "high"],
    ["notifier/pager", "medium"],
    ["network/ICU 2", "high"],
    ["watch", "medium"],
    ["kafka", "low"],
    ["policy", "high"],
    ["something that nobody has weighed", "high"],
    ["notifierish", "high"],
  ] as const)("%s: %s", (hop, priority) => expect(gravenessOf(hop)).toBe(priority));
});

describe("modes in force", () => {
  it("are none while all is well", () => {
    expect(idsOf([])).toEqual([]);
    expect(bannerOf(modesOf({ down: [], notifiers }))).toBeNull();
  });

  it("stand the gravest first, whatever went first", () => {
    expect(idsOf(["questdb", "notifier/mail", "broker"])).toEqual(["broker", "notifier", "questdb"]);
  });

  it("name which notifier, and become another mode when the last one goes", () => {
    const one = modesOf({ down: ["notifier/mail"], notifiers });
    expect(one.map(({ mode, which }) => [mode.id, which])).toEqual([["notifier", ["mail"]]]);
    expect(bannerOf(one)?.text).toMatch(/^mail is down/);
    expect(idsOf(["notifier/mail", "notifier/pager"])).toEqual(["notifiers"]);
  });

  it("say the worst thing first on the banner, and nothing of what changes nothing for clinicians", () => {
    const banner = bannerOf(modesOf({ down: ["questdb", "kafka", "network/ICU 2"], notifiers }));
    expect(banner?.priority).toBe("high");
    expect(banner?.text).toMatch(/^ICU 2: NO ALARMS .* The board and the record are behind/);
    expect(bannerOf(modesOf({ down: ["questdb", "registry"], notifiers }))).toBeNull();
  });

  it("are entered and left one by one", () => {
    const before = modesOf({ down: ["kafka", "network/ICU 1"], notifiers });
    const after = modesOf({ down: ["network/ICU 1", "network/ICU 2"], notifiers });
    expect(changesBetween(before, after).map(({ mode, which, entered }) => [mode.id, which, entered])).toEqual([
      ["kafka", null, false],
      ["network", "ICU 2", true],
    ]);
  });

  const hop: fc.Arbitrary<HopName> = fc.constantFrom<HopName>(
    "broker",
    "kafka",
    "disk",
    "notifier/pager",
    "notifier/mail",
    "network/ICU 1",
    "network/ICU 2",
  );
  const health: fc.Arbitrary<Health> = fc.record({ down: fc.uniqueArray(hop), notifiers: fc.constant(notifiers) });

  it("always account for everything that is down, in any order of its going", () => {
    fc.assert(
      fc.property(health, ({ down }) => {
        const inForce = modesOf({ down, notifiers });
        const named = inForce.flatMap(({ mode, which }) =>
          mode.id === "notifiers"
            ? notifiers.map((name) => `notifier/${name}`)
            : which.length === 0
              ? [mode.id]
              : which.map((name) => `${mode.id}/${name}`),
        );
        expect(named.toSorted()).toEqual([...down].toSorted());
        expect(modesOf({ down: [...down].reverse(), notifiers })).toEqual(inForce);
      }),
    );
  });

  it("change back as they changed", () => {
    fc.assert(
      fc.property(health, health, (one, other) => {
        const [from, to] = [modesOf(one), modesOf(other)];
        const there = changesBetween(from, to).map(({ mode, which, entered }) => [mode.id, which, entered].join());
        const back = changesBetween(to, from).map(({ mode, which, entered }) => [mode.id, which, !entered].join());
        expect(back.toSorted()).toEqual(there.toSorted());
        expect(changesBetween(from, from)).toEqual([]);
      }),
    );
  });
});
