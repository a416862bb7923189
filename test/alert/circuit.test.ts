/**
 * The circuit as a process, with nothing beside it but the listener's tap and a webhook: an arrest as zeros and a monitor's own alarm reach
 * people, a SIGKILL loses and doubles nothing, answers come back, and a broken directory stops nobody.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts } from "../../deploy/ports.ts";
import { Tap } from "../../streams/io/tap/tap.ts";
import { policyAt, wardFolder, type WardFolder } from "../../streams/roles/alert/ward.fixture.ts";
import { type RoleProcess, spawnRole } from "../platform/role.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

interface Said {
  readonly hr: number;
  readonly alarms?: readonly object[];
}

const vfib = { code: "VFIB", text: "*** VFIB", priority: "high", state: "active", silence: "none" };

describe("the alert circuit, alone", () => {
  let data: string;
  let ward: WardFolder;
  let receiver: Receiver;
  let circuit: RoleProcess;
  let tap: Tap;
  let api: string;
  let configFile: string;
  let seq = 0;
  const refused: unknown[] = [];

  const start = async (): Promise<void> => {
    circuit = spawnRole("alert", configFile);
    await circuit.ready;
  };
  /** What the monitor of bed icu-3 says now; resolves when the circuit has it. */
  const says = ({ hr, alarms }: Said): Promise<void> =>
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
          ...(alarms !== undefined && { alarms }),
        }),
      ),
      session: "mon-01",
      dup: false,
      qos: 1,
      retained: false,
      receivedMs: Date.now(),
    });
  const secondsOf = async (seconds: number, said: Said): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      void says(said);
      await sleep(1_000);
    }
  };
  const toldOf = (event: string, recipient = "nurse-1") =>
    receiver.arrivals.filter(({ told }) => told.event === event && told.recipient === recipient);
  const cli = async (name: string, ...args: readonly string[]): Promise<string> => {
    const { execFile } = await import("node:child_process");
    const main = join(import.meta.dirname, "../../streams/main.ts");
    return new Promise((resolve) => {
      execFile(process.execPath, [main, name, ...args, "--config", configFile], (_error, out, err) =>
        resolve(out + err),
      );
    });
  };

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "afferent-circuit-"));
    receiver = await startReceiver();
    ward = await wardFolder({ "policy.json": policyAt((id) => `${receiver.url}/${id}`) });
    const [tapPort, apiPort] = Object.values(await freePorts());
    api = `http://127.0.0.1:${apiPort}`;
    configFile = join(data, "alert.json");
    const config = {
      production: false,
      data: join(data, "circuit"),
      ward: ward.path,
      intake: { kind: "tap", host: "127.0.0.1", port: tapPort },
      api: { host: "127.0.0.1", port: apiPort },
      notifiers: { hook: { kind: "webhook", secret: "a secret of sixteen" } },
      demoApproval: true,
    };
    await writeFile(configFile, JSON.stringify(config));
    tap = new Tap({ url: `http://127.0.0.1:${tapPort}`, run: "test", onError: (error) => refused.push(error) });
    await start();
  }, 60_000);

  afterAll(async () => {
    tap?.close();
    await circuit?.stop();
    await receiver?.close();
    await ward?.remove();
    await rm(data, { recursive: true, force: true });
  });

  it("pages an arrest of zeros, and a monitor's own alarm that began while it was killed, each once", async () => {
    await secondsOf(2, { hr: 72 });
    await secondsOf(7, { hr: 0 });
    await expect.poll(() => toldOf("noSignalOrPulse").length, { timeout: 10_000 }).toBe(1);
    expect(toldOf("noSignalOrPulse")[0]?.told).toMatchObject({
      bed: "icu-3",
      unit: "icu",
      device: "mon-01",
      value: 0,
      priority: "high",
      phase: "start",
    });

    await circuit.kill();
    const untilTold = secondsOf(4, { hr: 0, alarms: [vfib] });
    await sleep(500);
    await start();
    await untilTold;
    await expect.poll(() => toldOf("ventricularFibrillation").length, { timeout: 10_000 }).toBe(1);
    await sleep(1_500);
    expect(toldOf("noSignalOrPulse")).toHaveLength(1);
    expect(toldOf("ventricularFibrillation")).toHaveLength(1);
  }, 60_000);

  it("shows what is open and of whom an answer is expected, and takes one from the command line", async () => {
    const shown = await cli("alarms");
    expect(shown).toMatch(/HIGH {3}bed icu-3 \(icu\): no signal or no pulse/);
    expect(shown).toContain("expected: nurse-1");
    const page = toldOf("noSignalOrPulse")[0]?.told.page ?? "";
    expect(await cli("accept", page.slice(0, 8), "--as", "eve")).toContain("nobody");
    expect(await cli("accept", "ffffffff", "--as", "nurse-1")).toContain("page-unknown");
    expect(await cli("accept", page.slice(0, 8), "--as", "nurse-1")).toBe(`accept: ${page}, as nurse-1\n`);
    await expect.poll(() => cli("alarms"), { timeout: 10_000 }).toContain("accepted by nurse-1");
  }, 60_000);

  it("refuses an answer that nobody signed, and counts it", async () => {
    const page = toldOf("ventricularFibrillation")[0]?.told.page;
    const body = JSON.stringify({ page, who: "nurse-1", what: "reject" });
    const response = await fetch(`${api}/answers`, { method: "POST", body });
    expect([response.status, await response.json()]).toMatchObject([401, { refused: "unsigned" }]);
    const metrics = await (await fetch(`${api}/metrics`)).text();
    expect(metrics).toContain('afferent_answers_total{via="webhook",outcome="unsigned"} 1');
    expect(metrics).toContain('afferent_answers_total{via="command line",outcome="nobody"} 1');
  });

  it("goes on with the last good directory when the next is broken, and tells the engineer", async () => {
    await ward.swap({ "policy.json": "{" });
    await expect.poll(() => toldOf("configurationRefused", "engineer").length, { timeout: 10_000 }).toBe(1);
    await circuit.kill();
    await start();
    expect((await (await fetch(`${api}/alarms`)).json()) as object).toHaveProperty("pages");
    await ward.swap({ "policy.json": policyAt((id) => `${receiver.url}/${id}`) });
    await expect
      .poll(async () => ((await (await fetch(`${api}/status`)).json()) as { down: object[] }).down, { timeout: 10_000 })
      .toEqual([]);
  }, 60_000);

  it("asks whoever is on now when the shift changes while a page escalates", async () => {
    const apnoea = { ...vfib, code: "APNEA", text: "*** APNEA" };
    await says({ hr: 72, alarms: [apnoea] });
    await expect.poll(() => toldOf("apnoea").length, { timeout: 10_000 }).toBe(1);
    const page = toldOf("apnoea")[0]?.told.page ?? "";
    const night = JSON.stringify(policyAt((id) => `${receiver.url}/${id}`)).replaceAll('"charge"', '"night-charge"');
    await ward.swap({ "policy.json": night });
    const answered = async () => cli("reject", page.slice(0, 8), "--as", "charge");
    await expect.poll(answered, { timeout: 10_000 }).toContain("nobody");
    expect(await cli("reject", page.slice(0, 8), "--as", "nurse-1")).toContain(page);
    await expect.poll(() => toldOf("apnoea", "night-charge").length, { timeout: 10_000 }).toBe(1);
    expect(toldOf("apnoea", "charge")).toEqual([]);
  }, 60_000);

  it("lets a named person have a monitor stand by: its silence pages nobody, its alarm does, and it is shown until it is over", async () => {
    const word = ["--as", "nurse-1", "--for", "30m", "--because", "transport to CT"];
    expect(await cli("standby", "mon-99", ...word)).toContain("device-unknown");
    expect(await cli("standby", "mon-01", ...word.with(1, "eve"))).toContain("nobody");
    expect(await cli("standby", "mon-01", ...word.with(3, "half an hour"))).toContain("30m or 2h");
    await says({ hr: 72 });
    const before = toldOf("monitoringLost").length;
    expect(await cli("standby", "mon-01", ...word)).toMatch(/^standby of mon-01 until \S+Z, as nurse-1\n$/);
    await expect.poll(() => cli("alarms"), { timeout: 10_000 }).toContain("not monitored, by nurse-1: transport to CT");
    await sleep(12_000);
    const told = toldOf("monitoringLost").slice(before);
    expect(told.filter(({ told: { what } }) => what === "alarm")).toEqual([]);
    await says({ hr: 72, alarms: [{ ...vfib, code: "VTACH", text: "*** VTACH" }] });
    await expect.poll(() => toldOf("ventricularTachycardia").length, { timeout: 10_000 }).toBe(1);
    expect(await cli("standby", "mon-01", ...word.with(3, "0"))).toContain("is over");
    await expect.poll(() => cli("alarms"), { timeout: 10_000 }).not.toContain("not monitored");
  }, 60_000);

  it("remembers which modes of degradation it entered and left", async () => {
    const { modeEvents } = (await (await fetch(`${api}/status`)).json()) as {
      readonly modeEvents: readonly { readonly mode: string; readonly entered: boolean; readonly since: number }[];
    };
    const ofConfiguration = modeEvents.filter(({ mode }) => mode === "configuration");
    expect(ofConfiguration.map(({ entered }) => entered)).toEqual([false, true]);
  });
});
