/**
 * The circuit's own disk fills up while it runs: nothing is acknowledged that is not stored, the sign of life stops (so that the watch sounds),
 * and when there is room again it goes on by itself, with the alarm that waited at the door. On a small file system in memory, which only root
 * may mount: skipped, with this line, for anybody else.
 */
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts } from "../../deploy/ports.ts";
import { Tap } from "../../streams/io/tap/tap.ts";
import { policyAt, type WardFolder, wardFolder } from "../../streams/roles/alert/ward.fixture.ts";
import { type RoleProcess, spawnRole } from "../platform/role.ts";
import { until } from "../platform/watch.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

const secret = "a secret of sixteen";
const second = 1_000;
const story = { timeout: 120_000 };

/** Of 24 MB; undefined where this user may not. */
const smallDisk = async (): Promise<string | undefined> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "afferent-test", folder], { stdio: "ignore" });
    return folder;
  } catch {
    await rm(folder, { recursive: true });
    return undefined;
  }
};

const disk = await smallDisk();

describe.skipIf(disk === undefined)("a full disk under the circuit", story, () => {
  const folder = disk ?? "";
  const ballast = join(folder, "ballast");
  const alive: number[] = [];
  let ward: WardFolder;
  let receiver: Receiver;
  let circuit: RoleProcess;
  let tap: Tap;
  let api: string;
  const closing: (() => unknown)[] = [];
  let seq = 0;

  const says = (hr: number): Promise<void> =>
    tap.accept({
      mqttTopic: "afferent/mon-01/numerics",
      payload: Buffer.from(
        JSON.stringify({
          device: "mon-01",
          boot: "b-1",
          seq: seq++,
          time: new Date().toISOString(),
          mode: "live",
          numerics: [{ name: "HR", value: hr, unit: "bpm" }],
        }),
      ),
      session: "mon-01",
      dup: false,
      qos: 1,
      retained: false,
      receivedMs: Date.now(),
    });
  const fill = async (): Promise<void> => {
    const file = await open(ballast, "w");
    try {
      for (const size of [1024 * 1024, 4096])
        for (;;) {
          const { bytesWritten } = await file.write(Buffer.alloc(size));
          if (bytesWritten < size) break;
        }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      await file.write(Buffer.alloc(4096)).catch(() => undefined);
    } finally {
      await file.close();
    }
  };
  const failing = async (): Promise<readonly string[]> => {
    const { failures } = (await (await fetch(`${api}/health`)).json()) as {
      readonly failures: readonly { readonly check: string }[];
    };
    return failures.map(({ check }) => check);
  };

  beforeAll(async () => {
    closing.push(() => {
      execFileSync("umount", [folder]);
      return rm(folder, { recursive: true });
    });
    receiver = await startReceiver();
    closing.push(receiver.close);
    const watch = createServer((request, response) => {
      request.resume().on("end", () => {
        alive.push(Date.now());
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => watch.listen(0, "127.0.0.1", resolve));
    closing.push(() => {
      watch.closeAllConnections();
      return new Promise((resolve) => watch.close(resolve));
    });
    ward = await wardFolder({ "policy.json": policyAt((id) => `${receiver.url}/${id}`) });
    closing.push(ward.remove);
    const [tapPort = 0, apiPort = 0] = Object.values(await freePorts());
    api = `http://127.0.0.1:${apiPort}`;
    const config = {
      production: false,
      data: join(folder, "circuit"),
      ward: ward.path,
      intake: { kind: "tap", host: "127.0.0.1", port: tapPort },
      api: { host: "127.0.0.1", port: apiPort },
      notifiers: { hook: { kind: "webhook", secret } },
      watch: { url: `http://127.0.0.1:${(watch.address() as AddressInfo).port}/alive`, secret },
      demoApproval: true,
    };
    const configFile = join(await mkdtemp(join(tmpdir(), "afferent-full-")), "alert.json");
    await writeFile(configFile, JSON.stringify(config));
    tap = new Tap({ url: `http://127.0.0.1:${tapPort}`, run: "test", onError: () => undefined });
    closing.push(() => tap.close());
    circuit = spawnRole("alert", configFile);
    closing.push(() => circuit.stop());
    await circuit.ready;
    await says(72);
    await until("a sign of life", () => alive.length > 0, 30 * second);
  }, story.timeout);

  afterAll(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it("stops the sign of life and acknowledges nothing; with room again it goes on, and tells what waited", async () => {
    await fill();
    const filledAt = Date.now();
    let acknowledged = 0;
    const arrest = Array.from({ length: 7 }, async (_, i) => {
      await sleep(i * second);
      await says(0);
      acknowledged++;
    });
    await until("the audit to say so", async () => (await failing()).includes("ticks"), 20 * second);
    const noticedAfter = Date.now() - filledAt;
    await sleep(11 * second);
    expect(acknowledged).toBe(0);
    const late = alive.filter((at) => at > filledAt + noticedAfter + 500);
    expect(late).toEqual([]);
    expect(receiver.arrivals.filter(({ told }) => told.event === "noSignalOrPulse")).toEqual([]);
    await expect(Promise.race([circuit.ended, sleep(100, "runs")])).resolves.toBe("runs");

    await rm(ballast);
    const roomAt = Date.now();
    await Promise.all(arrest);
    const isArrest = () => receiver.arrivals.find(({ told }) => told.event === "noSignalOrPulse");
    await until("the arrest that waited", () => isArrest() !== undefined, 20 * second);
    const toldAfter = (isArrest()?.at ?? Number.NaN) - roomAt;
    await until("all to be well", async () => (await failing()).length === 0, 20 * second);
    await until("a sign of life again", () => alive.some((at) => at > roomAt), 15 * second);
    process.stdout.write(
      `a full disk fails the audit after ${noticedAfter} ms; with room again the arrest that waited is told after ${toldAfter} ms\n`,
    );
    expect(isArrest()?.told).toMatchObject({ bed: "icu-3", value: 0, priority: "high" });
    // one that comes after it is told as ever
    expect(await failing()).toEqual([]);
  });
});
