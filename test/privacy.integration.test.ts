/**
 * Names and record numbers stay where they belong (clinical.md 18): with a simulated ward of people whose names nobody has, rubbish from devices
 * and from a faulty source of the clinical plane, no log line, no metric, no page and no listing of what was refused holds any of them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clinicalQuarantine, decisions, events, telemetryQuarantine, tasks } from "../schemas/topics.ts";
import { partitionOf } from "../streams/core/hash.ts";
import { logTime } from "../streams/core/time.ts";
import { loadRoster } from "../streams/compose.ts";
import { whyOf, linesOf } from "../streams/roles/why.ts";
import { publishWard } from "../streams/sim/publish.ts";
import { ward } from "../streams/sim/ward/ward.ts";
import { entriesOf, until } from "./platform/watch.ts";
import { type RunningPlatform, startPlatform } from "./platform.ts";

const roles = ["listen", "process", "store", "promote", "board"] as const;
const wardMinutes = 4;
const speed = 20;
const startMs = Date.UTC(2026, 10, 21, 14);

describe("names and record numbers", { timeout: 240_000 }, () => {
  const simulated = ward({ beds: 8, seed: 3, startMs });
  let platform: RunningPlatform;
  /** Of everybody: what must be found nowhere. */
  let secrets: readonly string[];
  let levelBefore: string | undefined;

  beforeAll(async () => {
    levelBefore = process.env["LOG_LEVEL"];
    process.env["LOG_LEVEL"] = "trace";
    platform = await startPlatform({ roster: simulated.roster, speed, startMs });
    const { patients } = await loadRoster(platform.config.roster);
    secrets = patients.flatMap(({ familyName, givenName, identifierValue, birthDate }) =>
      [familyName, givenName, identifierValue, birthDate].filter((one) => one !== null),
    );
    await platform.start("board");
    await platform.begin();
    await faultySource(patients[0]?.patientKey ?? "");
    await publishWard(
      {
        startMs,
        *messages() {
          for (const message of simulated.messages()) {
            if (message.atMs > startMs + wardMinutes * 60_000) return;
            yield message;
          }
        },
      },
      { url: platform.mqttUrl, speed, protocolVersion: 4 },
    );
    const rubbish = await connectAsync(platform.mqttUrl);
    await rubbish.publishAsync("afferent/mon-01/numerics", "{ no json", { qos: 1 });
    await rubbish.publishAsync("afferent/nobody-1/numerics", "{}", { qos: 1 });
    await rubbish.endAsync();
    await platform.settle();
    await until(
      "something to be refused",
      async () => (await entriesOf(platform.log, platform.wire, telemetryQuarantine)).length > 0,
    );
  }, 240_000);

  afterAll(async () => {
    if (levelBefore === undefined) delete process.env["LOG_LEVEL"];
    else process.env["LOG_LEVEL"] = levelBefore;
    await platform?.stop();
  });

  /** A patient's record under another's key, as a faulty feed would append it: refused whole. */
  const faultySource = async (key: string): Promise<void> => {
    const { patients } = await loadRoster(platform.config.roster);
    const [, other] = patients;
    if (other === undefined) throw new Error("a ward of one");
    const appender = await platform.log.appender("faulty");
    const value = platform.wire.encode(events, {
      position: null,
      logTime: logTime(startMs),
      body: { kind: "patient", ...other },
    });
    await appender.append([{ topic: events.name, partition: partitionOf(key, events.partitions), key, value }]);
    await appender.close();
  };

  const found = (text: string): readonly string[] => secrets.filter((secret) => text.includes(secret));
  const fetched = async (path: string): Promise<string> => {
    const url = /http:\/\/\S+/.exec(platform.role("board").said())?.[0].replace(/\/$/, "") ?? "";
    return (await fetch(`${url}${path}`)).text();
  };

  it("are there to be found: in the clinical plane, at the gates and after", async () => {
    expect(secrets.length).toBeGreaterThanOrEqual(8 * 4);
    const known = await entriesOf(platform.log, platform.wire, events);
    expect(found(JSON.stringify(known.map(({ body }) => body))).length).toBeGreaterThan(8);
  });

  it.each(roles)("stand in no line that %s logs, at its most talkative", async (role) => {
    expect(platform.role(role).said().length).toBeGreaterThan(0);
    expect(found(platform.role(role).said())).toEqual([]);
  });

  it.each(roles)("stand in no metric of %s", async (role) => {
    const metrics = await platform.metrics(role);
    expect(metrics.size).toBeGreaterThan(0);
    expect(found([...metrics.keys()].join("\n"))).toEqual([]);
  });

  it("stand in no listing of what was refused, in either plane, nor in what people are asked to do", async () => {
    const { log, wire } = platform;
    await until(
      "the faulty source to be refused",
      async () => (await entriesOf(log, wire, clinicalQuarantine)).length > 0,
    );
    const refused = [
      ...(await entriesOf(log, wire, telemetryQuarantine)),
      ...(await entriesOf(log, wire, clinicalQuarantine)),
    ];
    const listed = refused.map(({ key, body }) => ({ key, ...body, value: "" }));
    expect(listed.length).toBeGreaterThan(2);
    expect(found(JSON.stringify(listed))).toEqual([]);
    expect(found(JSON.stringify((await entriesOf(log, wire, tasks)).map(({ body }) => body)))).toEqual([]);
  });

  it("stand nowhere on the page, nor in the answer to why", async () => {
    await sleep(1_500);
    const board = await fetched("/api/board");
    expect(board).toContain("B01");
    expect(found(board)).toEqual([]);
    const judged = await entriesOf(platform.log, platform.wire, decisions);
    const identity = judged.flatMap(({ body }) => (body.kind === "decision" ? [body.identity] : []))[0] ?? "";
    const { log, wire } = platform;
    const answer = linesOf(await whyOf({ id: identity }, { log, wire, modelOf: () => null })).join("\n");
    expect(answer).toContain("clinical.decisions");
    expect(found(answer)).toEqual([]);
  });
});
