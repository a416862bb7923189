/** What a source fixes and announces: the scale of time once and for all, and the roster without a silent change. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { describeTopology } from "../compose.ts";
import { OperatingError } from "../core/failure.ts";
import type { Wire } from "../core/wire.ts";
import { localRegistry } from "../io/registry/local.ts";
import { openWire } from "../io/registry/wire.ts";
import { readRoster, type Roster } from "../io/roster-file.ts";
import { readAll } from "../log/conformance-fixtures.ts";
import type { Append, TrimmableLog } from "../log/log.ts";
import { memoryLog } from "../log/memory.ts";
import { ward } from "../sim/ward/ward.ts";
import { events, raw, rawWaveforms } from "../../schemas/topics.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import { parseRules } from "../../topologies/rules.ts";
import { announce, fixScale, knownScale, type SourceOptions, wasAnnounced } from "./source.ts";

const startMs = Date.UTC(2026, 5, 1, 8);
let nowMs = startMs;
let log: TrimmableLog;
let wire: Wire;
let source: SourceOptions;

const rosterOf = (change: (roster: Roster) => Roster = (r) => r): Roster => {
  const reading = readRoster(JSON.stringify(ward({ beds: 2, seed: 1, startMs }).roster));
  if (!reading.ok) throw new Error(reading.problem.detail);
  return change(reading.value);
};
const kindsIn = async (partition: number): Promise<string[]> =>
  (await readAll(log, raw.name, partition)).map(({ value }) => {
    const decoded = wire.decode(raw, value);
    return decoded.ok ? decoded.value.body.kind : decoded.problem.reason;
  });

beforeEach(async () => {
  nowMs = startMs;
  log = memoryLog({ now: () => nowMs });
  const { topics } = await describeTopology({ destinations: [], demoApproval: true });
  await log.ensure(topics.map(({ name, partitions }) => ({ name, partitions })));
  wire = await openWire(localRegistry(":memory:"), topics);
  source = { log, wire, now: () => nowMs };
});

describe("the scale of a log's time", () => {
  it("is fixed once, and known to whoever asks though the log's beginning was trimmed", async () => {
    const scale = await fixScale(10, source);
    expect(scale).toEqual({ originMs: startMs, speed: 10 });
    await announce(rosterOf(), [], scale, source);
    for (let p = 0; p < raw.partitions; p++) await log.trim(raw.name, p, 1);
    nowMs += 5_000;
    expect(await fixScale(10, source)).toEqual(scale);
    expect(await knownScale(10, source)).toEqual(scale);
    expect((await log.bounds(raw.name, 0)).start).toBe(1);
    await expect(fixScale(2, source)).rejects.toMatchObject({ code: "speed-differs" });
  });

  it("is the first record of every raw partition, even if the first start died in between", async () => {
    let left = 3;
    const dying: TrimmableLog = {
      ...bound(log),
      appender: async (name) => {
        const appender = await log.appender(name);
        return {
          append: async (records: readonly Append[]) => {
            if (left-- === 0) throw new OperatingError("log-unavailable", "dies", { retry: true });
            await appender.append(records);
          },
          close: () => appender.close(),
        };
      },
    };
    await expect(fixScale(10, { ...source, log: dying })).rejects.toThrow("dies");
    nowMs += 60_000;
    expect(await fixScale(10, source)).toEqual({ originMs: startMs, speed: 10 });
    for (let p = 0; p < raw.partitions; p++) expect(await kindsIn(p)).toEqual(["origin"]);
    expect((await log.bounds(rawWaveforms.name, 1)).end).toBe(1);
  });

  it("is not guessed for a log that somebody else wrote", async () => {
    const value = wire.encode(raw, { position: null, logTime: null, body: { kind: "tick" } });
    await (await log.appender("other")).append([{ topic: raw.name, partition: 2, key: "", value }]);
    await expect(fixScale(1, source)).rejects.toMatchObject({ code: "scale-unknown" });
  });
});

describe("a roster that is announced again", () => {
  it("appends nothing where nothing changed", async () => {
    const scale = await fixScale(1, source);
    expect((await announce(rosterOf(), [], scale, source)).records).toBeGreaterThan(0);
    expect(await announce(rosterOf(), [], scale, source)).toEqual({ records: 0, rules: false });
  });

  it("is refused with the place where a consent is left out, and appends nothing", async () => {
    const scale = await fixScale(1, source);
    await announce(rosterOf(), [], scale, source);
    const ends = async () => Promise.all([0, 1].map(async (p) => (await log.bounds(events.name, p)).end));
    const before = await ends();
    const without = rosterOf((r) => ({ ...r, consents: r.consents.slice(1) }));
    await expect(announce(without, [], scale, source)).rejects.toMatchObject({
      code: "roster-invalid",
      message: expect.stringMatching(/consents: .* is in force and no longer here/),
    });
    expect(await ends()).toEqual(before);
  });
});

describe("rules that are announced again", () => {
  const rule = (change: Partial<Rule>): Rule => ({ ...(exampleRules()[0] as Rule), ...change });

  it("say something else only under a higher version; an approval may come later", async () => {
    const scale = await fixScale(1, source);
    expect(await wasAnnounced(source)).toBe(false);
    await announce(rosterOf(), [rule({})], scale, source);
    expect(await wasAnnounced(source)).toBe(true);
    const approval = { by: "Dr. Ada Brandt", at: startMs, demo: false };
    await announce(rosterOf(), [rule({ approval })], scale, source);
    await expect(announce(rosterOf(), [rule({ approval, limit: 1 })], scale, source)).rejects.toMatchObject({
      code: "rules-invalid",
    });
    const { version } = rule({});
    expect((await announce(rosterOf(), [rule({ limit: 1, version: version + 1 })], scale, source)).rules).toBe(true);
  });
});

const exampleRules = (): readonly Rule[] => {
  const text = readFileSync(join(import.meta.dirname, "../../topologies/rules/adult-example.json"), "utf8");
  const parsed = parseRules(text, { allowPlain: false });
  if (!parsed.ok) throw new Error(parsed.problem.detail);
  return parsed.value;
};

/** A log's methods as a plain object, so that one of them can be replaced. */
const bound = (of: TrimmableLog): TrimmableLog => ({
  ensure: (...a) => of.ensure(...a),
  appender: (...a) => of.appender(...a),
  reader: (...a) => of.reader(...a),
  bounds: (...a) => of.bounds(...a),
  firstSince: (...a) => of.firstSince(...a),
  subscribe: (...a) => of.subscribe(...a),
  claim: (...a) => of.claim(...a),
  snapshot: (...a) => of.snapshot(...a),
  progress: (...a) => of.progress(...a),
  report: (...a) => of.report(...a),
  trim: (...a) => of.trim(...a),
  close: () => of.close(),
});
