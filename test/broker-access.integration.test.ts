/** At the broker, only the platform's own user speaks on the platform's topics; devices keep all the others. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freePorts } from "../deploy/ports.ts";
import { mosquitto } from "../deploy/servers/mosquitto/mosquitto.ts";
import { platformPassword } from "../deploy/servers/mosquitto/platform-access.ts";

const beats = "afferent-platform/beat-01/alarms";
let folder = "";
let url = "";
let broker: ChildProcess;
const clients: MqttClient[] = [];

const connected = async (clientId: string, who: { username?: string; password?: string } = {}): Promise<MqttClient> => {
  const client = await connectAsync(url, { clientId, reconnectPeriod: 0, ...who }, false);
  clients.push(client);
  return client;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "afferent-broker-"));
  const ports = await freePorts();
  const place = { ports, folder } as Parameters<typeof mosquitto.command>[0];
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
  await mosquitto.prepare({ ports: await freePorts(), folder } as Parameters<typeof mosquitto.command>[0]);
  expect(await platformPassword(folder)).toBe(before);
});
