/**
 * The watch as it runs in earnest: a process of its own with its shipped limits, beside a circuit that is a process too and is killed. What it
 * has to say arrives at a receiver that shares nothing with either.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { freePorts } from "../deploy/ports.ts";
import { loadAdapters } from "../streams/io/device-adapters.ts";

const project = join(import.meta.dirname, "..");
const secret = "the ward's shared secret";
const token = "the engineers' token";

interface Heard {
  readonly what: string;
  readonly channel: string;
  readonly recipient: string;
  readonly atMs: number;
}

/** A webhook receiver that believes everybody: whether the watch signs is webhook.ts's own test. */
const receiver = async () => {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => {
      text += String(part);
    });
    request.on("end", () => {
      heard.push({ ...(JSON.parse(text) as Omit<Heard, "atMs">), atMs: performance.now() });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
};

const started = (args: readonly string[], ready: string): Promise<{ child: ChildProcess; said: () => string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
    process.once("exit", () => child.kill("SIGKILL"));
    let said = "";
    for (const output of [child.stdout, child.stderr])
      output.on("data", (part) => {
        said += String(part);
        if (said.includes(ready)) resolve({ child, said: () => said });
      });
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const startWatch = async (parts: object = {}) => {
  const folder = mkdtempSync(join(tmpdir(), "afferent-watch-"));
  const people = await receiver();
  const ports = Object.values(await freePorts());
  const [broker = 0, http = 0] = ports;
  const file = join(folder, "watch.json");
  const log = join(folder, "sounded.log");
  const config = {
    device: "heart-1",
    broker: { url: `mqtt://127.0.0.1:${broker}` },
    http: { host: "127.0.0.1", port: http },
    secret,
    acknowledgeToken: token,
    notifiers: { pager: { kind: "webhook", secret: "the pager's own secret" }, paper: { kind: "console", to: log } },
    recipients: [
      {
        id: "ce-1",
        addresses: [
          { notifier: "pager", to: people.url },
          { notifier: "paper", to: "the duty room" },
        ],
      },
    ],
    ...parts,
  };
  writeFileSync(file, JSON.stringify(config));
  const url = `http://127.0.0.1:${http}`;
  const watch = await started(["streams/main.ts", "watch", "--config", file], "afferent watch: beats as heart-1");
  closing.push(
    () => rmSync(folder, { recursive: true }),
    () => void people.server.close(),
    () => void watch.child.kill("SIGTERM"),
  );
  const startCircuit = async () => {
    const options = { port: broker, watchUrl: url, secret, aliveEveryMs: 5_000 };
    const circuit = await started(["test/watch/scripted-circuit.ts", JSON.stringify(options)], "circuit: ");
    closing.push(() => void circuit.child.kill("SIGKILL"));
    return circuit.child;
  };
  return { ...people, ...watch, url, log, startCircuit };
};

const beatsBack = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^afferent_watch_round_trip_seconds_count (\d+)$/m.exec(text)?.[1]);
};

describe("the watch as a process, with its shipped limits", () => {
  it("is silent beside a platform that lives, sounds within 30 s of its end, and says when it is well again", async () => {
    const { heard, url, startCircuit, said } = await startWatch();
    const circuit = await startCircuit();
    await expect.poll(() => beatsBack(url), { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    expect(heard).toEqual([]);
    circuit.kill("SIGKILL");
    const goneAt = performance.now();
    await expect.poll(() => heard.length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect((heard[0]?.atMs ?? Number.POSITIVE_INFINITY) - goneAt).toBeLessThan(16_000);
    await expect
      .poll(() => heard.map(({ channel }) => channel).toSorted(), { timeout: 15_000 })
      .toEqual(["alive", "beat"]);
    expect((heard[1]?.atMs ?? Number.POSITIVE_INFINITY) - goneAt).toBeLessThan(21_000);
    expect(heard.map(({ what, recipient }) => `${what} ${recipient}`)).toEqual(["alarm ce-1", "alarm ce-1"]);
    expect(said()).toContain("ALARM: alarm path: a test alarm did not come through");
    await startCircuit();
    const ended = () => heard.filter(({ what }) => what === "ended").map(({ channel }) => channel);
    await expect.poll(() => ended().toSorted(), { timeout: 40_000 }).toEqual(["alive", "beat"]);
  });

  it("is armed when it is restarted: with no circuit it sounds, by its other notifier where the first is gone", async () => {
    const { server, log, url, said } = await startWatch();
    await new Promise((resolve) => server.close(resolve));
    const from = performance.now();
    const sounded = (): string => readFileSync(log, "utf8");
    await expect.poll(sounded, { timeout: 30_000 }).toContain("to the duty room: HIGH alarm: alarm path");
    expect(performance.now() - from).toBeLessThan(30_000);
    expect(said()).toContain("notifier pager failed for ce-1: webhook: no answer from");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`${url}/acknowledge`, { method: "POST", headers, body: '{"who":"ce-1"}' });
    expect(answer.status).toBe(204);
    expect(said()).toContain("acknowledged by ce-1");
  });
});

describe("what the watch sends", () => {
  it("is what the adapter of its synthetic device reads: the beat's number is the alarm's value", async () => {
    const adapter = (await loadAdapters()).get("afferent-heartbeat");
    const payload = Buffer.from('{"device":"heart-1","boot":"b","seq":1795262927229,"time":1795262927228}');
    const decoded = adapter?.decode(payload, "alarms");
    expect(decoded).toMatchObject({
      ok: true,
      value: {
        device: "heart-1",
        sequence: 1795262927229,
        alarms: { changes: [{ event: "heartbeat", value: 1795262927229 }] },
      },
    });
  });
});
