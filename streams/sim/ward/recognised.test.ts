/** What the stages make of the simulated ward is what its stories say: the truth about each is recognised, and nothing else. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { DeviceAlarm } from "../../../schemas/records/alert.ts";
import type { Rule } from "../../../schemas/records/broadcast.ts";
import type { Quarantined } from "../../../schemas/records/quarantine.ts";
import type { DeviceState, Episode, Measurement } from "../../../schemas/records/telemetry.ts";
import { normalise } from "../../../topologies/normalise.ts";
import { parseRules } from "../../../topologies/rules.ts";
import { thresholds } from "../../../topologies/thresholds.ts";
import { logTime, receivedTime } from "../../core/time.ts";
import { readRoster, rosterRecords } from "../../io/roster-file.ts";
import { type Driven, drive } from "../drive.ts";
import { ward } from "./ward.ts";
import { adapters, startMs } from "./ward.fixture.ts";

const lastS = 340;
/** Fewer beds than a full ward: each story still has one, and two are quiet. */
const watched = ward({ beds: 15, seed: 4, startMs, waveforms: false });

const measurements: Measurement[] = [];
const states: DeviceState[] = [];
const deviceAlarms: DeviceAlarm[] = [];
const refusals: Quarantined[] = [];
const episodes: Episode[] = [];

const shippedRules = async (): Promise<readonly Rule[]> => {
  const text = await readFile(join(import.meta.dirname, "../../../topologies/rules/adult-example.json"), "utf8");
  const parsed = parseRules(text);
  if (!parsed.ok) throw new Error(parsed.problem.detail);
  return parsed.value;
};

/** Everything that normalise gives for the ward, in the order of log time. */
const normalised = (): readonly Driven<Measurement | DeviceState | { readonly kind: string }>[] => {
  const d = drive(normalise(adapters));
  const roster = readRoster(JSON.stringify(watched.roster));
  if (!roster.ok) throw new Error(roster.problem.detail);
  for (const { plane, key, body } of rosterRecords(roster.value))
    if (plane === "device") d.send(key, startMs - 1, body as never);
  let tickedS = 0;
  for (const { atMs, device, stream, mqttTopic, payload } of watched.messages()) {
    for (; startMs + tickedS * 1000 <= atMs; tickedS++) d.tick(startMs + tickedS * 1000);
    if (atMs >= startMs + lastS * 1000) break;
    d.send(device, atMs, {
      kind: "reading",
      device,
      stream,
      mqttTopic,
      payload,
      receivedTime: receivedTime(atMs),
      session: "sim",
      dup: false,
      retained: false,
      truncated: null,
    });
  }
  refusals.push(...d.outputs("quarantine").map(({ body }) => body as Quarantined));
  return d.outputs("vitals");
};

beforeAll(async () => {
  const d = drive(thresholds);
  d.send("", startMs - 1, {
    kind: "rules",
    version: 1,
    effectiveFrom: logTime(startMs - 1),
    rules: await shippedRules(),
  });
  let tickedS = 0;
  for (const { key, logTime: at, body } of normalised()) {
    for (; startMs + tickedS * 1000 <= at; tickedS++) d.tick(startMs + tickedS * 1000);
    if (body.kind === "measurement") measurements.push(body as Measurement);
    if (body.kind === "deviceState") states.push(body as DeviceState);
    if (body.kind === "deviceAlarm") deviceAlarms.push(body as DeviceAlarm);
    d.send(key, at, body as never);
  }
  episodes.push(...d.outputs("episodes").flatMap(({ body }) => (body.kind === "episode" ? [body] : [])));
}, 120_000);

const first = watched.truth.filter((t) => t.from < startMs + lastS * 1000);
const rulesOf = (device: string): Set<string> =>
  new Set(episodes.filter((e) => e.device === device).map((e) => e.rule.id));

describe("the truth about each story", () => {
  it.each(first.map((t) => [t.story, t] as const))("%s", (_story, { device, from, to, recognise }) => {
    for (const rule of recognise.episodes) expect(rulesOf(device)).toContain(rule);
    const during = measurements.filter(
      (m) => m.device === device && m.receivedTime >= from + 1_000 && m.receivedTime < (to ?? Infinity),
    );
    for (const [metric, validity] of Object.entries(recognise.validity ?? {}))
      expect(during.filter((m) => m.metric === metric).map((m) => m.validity)).toContain(validity);
    const said = states.filter((s) => s.device === device);
    if (recognise.device !== undefined) expect(said.map((s) => s.state)).toContain(recognise.device);
    if (recognise.clock !== undefined) expect(said.map((s) => s.clock)).toContain(recognise.clock);
    const alarmed = deviceAlarms.filter((a) => a.device === device);
    for (const code of recognise.deviceAlarms ?? []) expect(alarmed.map((a) => a.code)).toContain(code);
    // its onset is that of the story, however long the monitor took to alarm it
    for (const { eventTime: at, text } of alarmed) expect([text, at >= from - 2_000]).toEqual([text, true]);
    const reasons = new Set(refusals.filter((r) => r.device === device).map((r) => r.reason));
    expect(reasons).toEqual(new Set(recognise.refusals ?? []));
  });
});

describe("what no story tells", () => {
  const eventful = new Set(first.filter((t) => t.recognise.episodes.length > 0).map((t) => t.device));

  it("beds without a crossing have no episode, among them the probe off and the electrodes off", () => {
    const unexpected = episodes.filter((e) => !eventful.has(e.device)).map((e) => `${e.device} ${e.rule.id}`);
    expect(unexpected).toEqual([]);
  });

  it("quiet beds raise no alarm of their own, and each code is mapped", () => {
    const storied = new Set(first.map((t) => t.device));
    expect(deviceAlarms.filter((a) => !storied.has(a.device)).map((a) => `${a.device} ${a.text}`)).toEqual([]);
    expect(deviceAlarms.filter((a) => a.event === null)).toEqual([]);
  });

  it("asystole is alarmed by the monitor with its onset, told once, and over once it beats again", () => {
    const asystole = first.find((t) => t.story === "asystole");
    const told = deviceAlarms.filter((a) => a.device === asystole?.device && a.code === "ASYSTOLE");
    expect(told.map((a) => a.why)).toEqual(["begins", "ends"]);
    expect((told[0]?.eventTime ?? 0) - (asystole?.from ?? 0)).toBeLessThan(2_000);
    expect((told[0]?.receivedTime ?? 0) - (asystole?.from ?? 0)).toBeGreaterThanOrEqual(4_000);
  });

  it("quiet beds stream with a sound clock and nothing of theirs is refused", () => {
    const storied = new Set(watched.truth.map((t) => t.device));
    const quiet = watched.devices.filter((d) => !storied.has(d.device)).map((d) => d.device);
    expect(refusals.filter((r) => quiet.includes(r.device ?? ""))).toEqual([]);
    for (const device of quiet) {
      const last = states.findLast((s) => s.device === device);
      expect([device, last?.state]).toEqual([device, "streaming"]);
      expect(["sound", "unknown"]).toContain(last?.clock);
    }
  });

  it("what is sent again is not measured again", () => {
    const device = watched.truth.find((t) => t.story === "repeated messages")?.device;
    const rates = measurements.filter((m) => m.device === device && m.metric === "heartRate");
    expect(new Set(rates.map((m) => m.deviceTime)).size).toBe(rates.length);
    expect(rates).toHaveLength(lastS);
  });
});
