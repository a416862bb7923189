/**
 * At the broker, only the platform's own user speaks on the platform's topics, each handheld hears and answers for its own name alone, and
 * devices keep all the others.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePorts } from "../deploy/ports.ts";
import { mosquitto } from "../deploy/servers/mosquitto/mosquitto.ts";
import { displaysUser, handheldPassword, platformPassword } from "../deploy/servers/mosquitto/platform-access.ts";

const beats = "afferent-platform/beat-01/alarms";
let folder = "";
let url = "";
let broker: ChildProcess;
let place: Parameters<typeof mosquitto.command>[0];
const clients: MqttClient[] = [];

const connected = async (clientId: string, who: { username?: string; password?: string } = {}): Promise<MqttClient> => {
  const client = await connectAsync(url, { clientId, reconnectPeriod: 0, ...who }, false);
  clients.push(client);
  return client;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "afferent-broker-"));
  const ports = await freePorts();
  place = { ports, folder } as typeof place;
  url = mosquitto.url(ports);
  await mosquitto.prepare(place);
  const { file, args } = mosquitto.command(place);
  broker = spawn(file, args, { stdio: "ignore" });
  await vi.waitFor(async () => expect(await mosquitto.healthy(ports, 500)).toBe(true), { timeout: 10_000 });
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)));
  broker.kill();
  await once(broker, "exit");
  await rm(folder, { recursive: true });
});

it("a device's forged heartbeat reaches nobody, the platform's own does, and a device's own topics stay its own", async () => {
  const password = await platformPassword(folder);
  const platform = await connected("circuit", { username: "platform", password });
  const heard: string[] = [];
  platform.on("message", (topic, payload) => heard.push(`${topic} ${payload}`));
  await platform.subscribeAsync(["afferent/#", "afferent-platform/#"], { qos: 1 });
  const device = await connected("mon-01");
  await device.publishAsync(beats, "forged", { qos: 1 });
  await device.publishAsync("afferent/mon-01/alarms", "asystole", { qos: 1 });
  await platform.publishAsync(beats, "beat", { qos: 1 });
  await expect.poll(() => heard).toContain(`${beats} beat`);
  expect(heard).toEqual(["afferent/mon-01/alarms asystole", `${beats} beat`]);
});

it("its name without its password is nobody's", async () => {
  await expect(connected("forger", { username: "platform", password: "guess" })).rejects.toThrow("Not authorized");
});

it("its password outlives a restart of the stack", async () => {
  const before = await platformPassword(folder);
  await mosquitto.prepare(place);
  expect(await platformPassword(folder)).toBe(before);
});

describe("a handheld", () => {
  const heardBy = async (client: MqttClient, ...filters: readonly string[]): Promise<readonly string[]> => {
    const heard: string[] = [];
    client.on("message", (topic, payload) => heard.push(`${topic} ${payload}`));
    await client.subscribeAsync([...filters], { qos: 1 });
    return heard;
  };
  /** As the circuit; and a handheld whose credential the running broker learns of. */
  const both = async (who: string) => {
    const platform = await connected(`platform-${who}`, {
      username: "platform",
      password: await platformPassword(folder),
    });
    const password = await handheldPassword(folder, who);
    broker.kill("SIGHUP");
    const handheld = await vi.waitFor(() => connected(`of-${who}`, { username: who, password }), { timeout: 5_000 });
    return { platform, handheld };
  };

  it("answers on its own topic; on another's, and from nobody, an answer never reaches the circuit", async () => {
    const { platform, handheld } = await both("nurse-1");
    const answers = await heardBy(platform, "afferent-answers/+");
    const device = await connected("mon-02");
    await device.publishAsync("afferent-answers/nurse-1", "by a device", { qos: 1 });
    await handheld.publishAsync("afferent-answers/nurse-2", "for nurse-2", { qos: 1 });
    await handheld.publishAsync("afferent-answers/nurse-1", "by nurse-1", { qos: 1 });
    await expect.poll(() => answers).toContain("afferent-answers/nurse-1 by nurse-1");
    expect(answers).toEqual(["afferent-answers/nurse-1 by nurse-1"]);
  });

  it("is told what is for it, and the banner; a device is told neither, whatever it subscribes to", async () => {
    const { platform, handheld } = await both("nurse-3");
    const device = await heardBy(await connected("mon-03"), "#", "afferent-display/nurse-3", "afferent-display/banner");
    const own = await heardBy(handheld, "afferent-display/+");
    const secrets = JSON.parse(await readFile(join(folder, "secrets.json"), "utf8")) as Record<string, string>;
    const wall = await connected("wall", { username: displaysUser, password: secrets[displaysUser] ?? "" });
    const all = await heardBy(wall, "afferent-display/#");
    await platform.publishAsync("afferent-display/nurse-4", "for nurse-4", { qos: 1 });
    await handheld.publishAsync("afferent-display/nurse-4", "forged", { qos: 1 });
    await platform.publishAsync("afferent-display/nurse-3", "for nurse-3", { qos: 1 });
    await platform.publishAsync("afferent-display/banner", "banner", { qos: 1 });
    await platform.publishAsync("afferent/mon-03/numerics", "72", { qos: 1 });
    await expect.poll(() => device).toContain("afferent/mon-03/numerics 72");
    expect(device.filter((heard) => heard.startsWith("afferent-display"))).toEqual([]);
    await expect.poll(() => own).toEqual(["afferent-display/nurse-3 for nurse-3", "afferent-display/banner banner"]);
    await expect.poll(() => all).toHaveLength(3);
    expect(all.join()).not.toContain("forged");
  });

  it("with a guessed password is nobody, and none can be called like the platform", async () => {
    const forged = connected("forged", { username: "nurse-1", password: "guess" });
    await expect(forged).rejects.toThrow("Not authorized");
    for (const name of ["platform", "displays", "banner", "a/b", "+", ""])
      await expect(handheldPassword(folder, name)).rejects.toMatchObject({ code: "handheld-name-refused" });
  });
});
