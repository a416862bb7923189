/** The front door as a role: which one a configuration is for, and that it ends when it can't go on. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { openPlatform, type Platform } from "../compose.ts";
import { checkConfig, type Config } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import type { Appender, Log } from "../log/log.ts";
import { ward } from "../sim/ward/ward.ts";
import { raw } from "../../schemas/topics.ts";
import { emptyRoster, smallConfig } from "../small-config.fixture.ts";
import { checkRole, openFrontDoor } from "./intake.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const listener = { kind: "listener", host: "127.0.0.1", port: 0 };
const subscriber = { kind: "subscriber", url: "mqtt://127.0.0.1:1", protocolVersion: 5, clientId: "ingest" };

const configOf = (data: string, intake: object): Config => checkConfig(smallConfig(data, { intake }), "of a test");

describe("a configuration's intake", () => {
  it.each([
    ["listen", listener, undefined],
    ["ingest", subscriber, undefined],
    ["ingest", listener, "ingest: the configuration's intake is a listener at 127.0.0.1:0; start listen instead"],
    [
      "listen",
      subscriber,
      "listen: the configuration's intake is a subscriber at mqtt://127.0.0.1:1; start ingest instead",
    ],
  ] as const)("%s, %o: %s", (role, intake, refusal) => {
    const check = (): void => checkRole(role, configOf("data", intake));
    if (refusal === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: "wrong-intake", message: refusal, retry: false }));
  });

  it("takes everything under the platform's root from a broker, unless told otherwise", () => {
    const { intake } = configOf("data", subscriber);
    expect(intake).toMatchObject({ topics: ["afferent/#"] });
    expect(configOf("data", { ...subscriber, topics: ["#"] }).intake).toMatchObject({ topics: ["#"] });
  });
});

/** A platform whose raw log refuses what `refuses` names. */
const platformThat = async (refuses: (appender: string) => boolean): Promise<Platform> => {
  const data = await mkdtemp(join(tmpdir(), "afferent-door-"));
  closing.push(() => rm(data, { recursive: true, force: true }));
  await writeFile(join(data, "roster.json"), JSON.stringify(emptyRoster));
  const platform = await openPlatform(configOf(data, listener), "listen");
  closing.push(platform.close);
  const appender = async (name: string): Promise<Appender> => {
    const real = await platform.log.appender(name);
    const append: Appender["append"] = (records) =>
      refuses(name)
        ? Promise.reject(new OperatingError("record-too-large", "no", { retry: false }))
        : real.append(records);
    return { append, close: () => real.close() };
  };
  const log = new Proxy(platform.log, {
    get(target, property) {
      if (property === "appender") return appender;
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) satisfies Log;
  return { ...platform, log };
};

describe("a front door whose raw log refuses what it would refuse again", () => {
  it("ends with the log's own code, and has acknowledged nothing of it", async () => {
    const platform = await platformThat((appender) => appender.startsWith("intake."));
    const door = await openFrontDoor(platform);
    closing.push(door.close);
    const client = await connectAsync(`mqtt://127.0.0.1:${door.port}`, { reconnectPeriod: 0 });
    client.on("error", () => undefined);
    let acknowledged = false;
    client.publishAsync("afferent/mon-1/numerics", "{}", { qos: 1 }).then(
      () => (acknowledged = true),
      () => undefined,
    );
    await expect(door.done).rejects.toMatchObject({ code: "record-too-large" });
    await client.endAsync(true);
    expect(acknowledged).toBe(false);
  });

  it("and one that is not refused goes on, and counts what it took", async () => {
    const platform = await platformThat(() => false);
    const door = await openFrontDoor(platform);
    closing.push(door.close);
    const client = await connectAsync(`mqtt://127.0.0.1:${door.port}`, { reconnectPeriod: 0 });
    closing.push(() => client.endAsync(true));
    await client.publishAsync("afferent/mon-1/numerics", "{}", { qos: 1 });
    await client.publishAsync("afferent/mon-1/waveforms", "{}", { qos: 1 });
    const metrics = await platform.metrics.metrics();
    expect(metrics).toContain("afferent_received_messages_total 2");
    expect(metrics).toContain('afferent_shed_messages_total{topic="telemetry.raw"} 0');
    expect(metrics).toContain('afferent_intake_pending_messages{topic="telemetry.raw.waveforms"} 0');
  });
});

describe("a roster that changes while the front door is open", () => {
  /** A ward of one bed; revised, its association says `to`. */
  const rosterThat = (ends: boolean): string => {
    const { roster } = ward({ beds: 1, seed: 1, startMs: 1_800_000_000_000 });
    const [first, ...others] = roster.associations;
    if (!ends || first === undefined) return JSON.stringify(emptyRoster);
    const ended = { ...first, revision: first.revision + 1, to: new Date(1_800_000_600_000).toISOString() };
    return JSON.stringify({ ...roster, associations: [ended, ...others] });
  };
  const openAssociations = async ({ log, wire }: Platform): Promise<(number | null)[]> => {
    const ends: (number | null)[] = [];
    for (let partition = 0; partition < raw.partitions; partition++) {
      const reader = await log.reader(raw.name, partition, "start");
      for (const record of await reader.next(50)) {
        const decoded = wire.decode(raw, record.value);
        if (decoded.ok && decoded.value.body.kind === "association") ends.push(decoded.value.body.to);
      }
      await reader.close();
    }
    return ends;
  };

  it("is in the log within two seconds; one that is refused is said, and mended by the next", async () => {
    const platform = await platformThat(() => false);
    const { roster } = platform.config;
    await writeFile(roster, rosterThat(false));
    const door = await openFrontDoor(platform);
    closing.push(door.close);
    const before = await openAssociations(platform);
    expect(before.every((to) => to === null)).toBe(true);

    await writeFile(roster, "{}");
    await expect.poll(() => platform.metrics.metrics(), { timeout: 3_000 }).toContain("afferent_roster_refused 1");
    expect(await openAssociations(platform)).toEqual(before);

    await writeFile(roster, rosterThat(true));
    await expect.poll(() => openAssociations(platform), { timeout: 3_000 }).toContain(1_800_000_600_000);
    expect(await platform.metrics.metrics()).toContain("afferent_roster_refused 0");
  });
});

describe("a front door that starts again with a roster that is refused", () => {
  it("goes on with what was announced before, and says so", async () => {
    const platform = await platformThat(() => false);
    const { roster } = platform.config;
    await writeFile(roster, JSON.stringify(ward({ beds: 1, seed: 1, startMs: Date.now() }).roster));
    await (await openFrontDoor(platform)).close();
    await writeFile(roster, "{}");
    platform.metrics.clear();
    const door = await openFrontDoor(platform);
    closing.push(door.close);
    expect(await platform.metrics.metrics()).toContain("afferent_roster_refused 1");
  });

  it("does not open where nothing was ever announced", async () => {
    const platform = await platformThat(() => false);
    await writeFile(platform.config.roster, "{}");
    await expect(openFrontDoor(platform)).rejects.toMatchObject({ code: "roster-invalid" });
  });
});
