/** Exactly once, by simulation: the real runner and task on a cluster of which everything may die, be late or be repeated. */
import { describe, expect, it } from "vitest";
import { circuitWard } from "./circuit-ward.ts";
import { faults } from "./faults.ts";
import { realWard } from "./real-ward.ts";
import { run, type Verdict } from "./scenario.ts";
import { deployingWard } from "./small-ward.ts";

const seeds = 500;
const most = 5_000;
/** Whatever a cluster lives through, only more of it. */
const stormy = {
  weather: {
    crash: 0.01,
    pause: 0.012,
    expel: 0.03,
    compact: 0.15,
    network: { ackLost: 0.03, landsLate: 0.04, lost: 0.02, latestMs: 1500 },
  },
};

const badOnes = async (from: number, many: number, planted = {}): Promise<string[]> => {
  const bad: string[] = [];
  for (let seed = from; seed < from + many; seed++) {
    const { wrong } = await run(seed, planted);
    if (wrong !== null) bad.push(`seed ${seed}: ${wrong}`);
  }
  return bad;
};

describe("a simulated cluster under the honest protocol", () => {
  it(`loses nothing, repeats nothing, invents nothing and drains, under ${seeds} seeds`, async () => {
    expect(await badOnes(1, seeds)).toEqual([]);
  }, 120_000);

  it("does so in a storm of takeovers, late sends and compaction too", async () => {
    expect(await badOnes(10_001, 100, stormy)).toEqual([]);
  }, 120_000);

  it("does so with the ward's own stages, schemas and a simulated ward's messages", async () => {
    const bad: string[] = [];
    for (let seed = 1; seed <= 12; seed++) {
      const { wrong } = await run(seed, {}, await realWard());
      if (wrong !== null) bad.push(`seed ${seed}: ${wrong}`);
    }
    expect(bad).toEqual([]);
  }, 120_000);

  it("does so with the alert circuit's stages, an escalation policy and people who answer", async () => {
    const bad: string[] = [];
    for (let seed = 1; seed <= 12; seed++) {
      const { wrong } = await run(seed, {}, await circuitWard());
      if (wrong !== null) bad.push(`seed ${seed}: ${wrong}`);
    }
    expect(bad).toEqual([]);
  }, 120_000);

  it("does so while a newer build takes over from an older one, entry for entry", async () => {
    const bad: string[] = [];
    for (let seed = 1; seed <= 40; seed++) {
      const { wrong } = await run(seed, {}, deployingWard(seed));
      if (wrong !== null) bad.push(`seed ${seed}: ${wrong}`);
    }
    expect(bad).toEqual([]);
  }, 120_000);

  it("runs the same way from the same seed, and another way from another", async () => {
    const [once, again, other] = [await run(7), await run(7), await run(8)];
    expect(again).toEqual(once);
    expect(other.trace).not.toBe(once.trace);
  });

  it("is rough: most seeds see owners replaced, commits fenced and entries repeated", async () => {
    let [repeats, claims] = [0, 0];
    for (let seed = 1; seed <= 20; seed++) {
      const verdict = await run(seed);
      repeats += verdict.repeats;
      claims += verdict.claims;
    }
    expect(repeats).toBeGreaterThan(20 * 10);
    expect(claims).toBeGreaterThan(20 * 20);
  });
});

describe("a planted fault", () => {
  const found: string[] = [];
  it.each(Object.entries(faults))(
    "is found: %s",
    async (name, fault) => {
      let seed = 0;
      let verdict: Verdict;
      do verdict = await run(++seed, fault);
      while (verdict.wrong === null && seed < most);
      expect(verdict.wrong).not.toBeNull();
      found.push(`${name.padEnd(58)} seed ${seed}`);
      if (found.length === Object.keys(faults).length) process.stdout.write(`${found.join("\n")}\n`);
    },
    300_000,
  );
});
