import { describe, expect, it } from "vitest";
import { policy } from "../roles/alert/ward.fixture.ts";
import { readPolicy } from "./policy-file.ts";

const notifiers = new Set(["hook"]);
const read = (value: unknown): string => {
  const reading = readPolicy(JSON.stringify(value), notifiers);
  return reading.ok ? "ok" : reading.problem.detail;
};
const [every, platform] = policy.units;
const [bedside, engineers] = policy.chains;
const withUnit = (changed: object): object => ({ ...policy, units: [{ ...every, ...changed }, platform] });
const schedule = (fromMinute: number, toMinute: number, priorities = ["high", "medium", "low"]): object => ({
  priorities,
  fromMinute,
  toMinute,
  chain: "bedside",
});

describe("a policy", () => {
  it("that names somebody for every minute, priority and bed is taken", () => {
    expect(read(policy)).toBe("ok");
  });

  it.each([
    ["over midnight", [schedule(420, 1_140), schedule(1_140, 420)], "ok"],
    [
      "a day and a night with a gap",
      [schedule(420, 1_140), schedule(1_200, 420)],
      "high alarm from minute 1140 to 1200",
    ],
    [
      "a priority at night",
      [schedule(0, 0, ["high", "medium"]), schedule(420, 1_140, ["low"])],
      "low alarm from minute 0 to 420",
    ],
    ["nothing at all", [], "high alarm from minute 0 to 1440"],
  ])("with %s", (_, schedules, expected) => {
    expect(read(withUnit({ schedules }))).toContain(expected);
  });

  it.each([
    ["a zone", { zone: "Europe/Berlin", utcOffsetMinutes: undefined }, "ok"],
    [
      "a zone that is none",
      { zone: "Europe/Berln", utcOffsetMinutes: undefined },
      "units[0] (*).zone: Europe/Berln is no",
    ],
    [
      "a zone and an offset",
      { zone: "Europe/Berlin", utcOffsetMinutes: 60 },
      "either its zone or its utcOffsetMinutes",
    ],
    ["neither", { zone: undefined, utcOffsetMinutes: undefined }, "either its zone or its utcOffsetMinutes"],
  ])("whose unit names %s", (_, clock, expected) => {
    expect(read(withUnit(clock))).toContain(expected);
  });

  it("of a zone says when its clocks are set", () => {
    const reading = readPolicy(
      JSON.stringify(withUnit({ zone: "Europe/Berlin", utcOffsetMinutes: undefined })),
      notifiers,
      Date.UTC(2027, 6, 1),
    );
    const [unit] = reading.ok ? reading.value.units : [];
    expect(unit?.utcOffsetMinutes).toBe(60);
    expect(unit?.offsets[0]).toEqual({ from: Date.parse("2027-03-28T01:00:00Z"), minutes: 120 });
    expect(unit).not.toHaveProperty("zone");
  });

  it("whose chains come back to themselves is refused: nobody would ever be the last", () => {
    const chains = [
      { ...bedside, continuesWith: "engineers" },
      { ...engineers, continuesWith: "bedside" },
    ];
    expect(read({ ...policy, chains })).toContain("chains[0] (bedside): comes back to itself");
  });

  it.each([
    [
      "a chain that is not there",
      withUnit({ schedules: [{ ...schedule(0, 0), chain: "nobody's" }] }),
      "no chain is called nobody's",
    ],
    [
      "a step to nobody",
      { ...policy, chains: [{ name: "bedside", steps: [{ to: ["ghost"], acceptWithinMs: 60_000 }] }, engineers] },
      "no recipient is called ghost",
    ],
    [
      "a last resort that receives tests only",
      withUnit({ lastResort: { to: ["beats"], repeatMs: 30_000 } }),
      "beats receives tests only",
    ],
    [
      "a last resort at the bed",
      withUnit({ lastResort: { to: ["@bed"], repeatMs: 30_000 } }),
      "@bed cannot stand here",
    ],
    [
      "a high alarm that waits two minutes",
      { ...policy, chains: [{ name: "bedside", steps: [{ to: ["charge"], acceptWithinMs: 120_000 }] }, engineers] },
      "goes on after 60 s at most",
    ],
    ["units named one by one", { ...policy, units: [platform] }, "there is no unit *"],
    [
      "somebody twice",
      { ...policy, recipients: [...policy.recipients, policy.recipients[0]] },
      "nurse-1 is there before",
    ],
    ["a field that nobody knows", { ...policy, remark: "" }, "Unrecognized key"],
    [
      "an assignment to nobody",
      withUnit({ assignments: [{ bed: "icu-3", to: ["ghost"] }] }),
      "no recipient is called ghost",
    ],
  ])("with %s is refused", (_, value, expected) => {
    expect(read(value)).toContain(expected);
  });

  it("says everything that is wrong at once", () => {
    const detail = read(withUnit({ schedules: [], lastResort: { to: ["ghost"], repeatMs: 30_000 } }));
    expect(detail.split("\n").length).toBe(4);
  });
});
