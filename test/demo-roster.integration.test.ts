/** The demo at real speed hears ADT: started from the command line, told of an admission by MLLP, asked by the command line and by its page. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { BoardView } from "../schemas/board.ts";
import { type AdtOf, adtText, ines } from "../schemas/hl7v2/adt.fixture.ts";
import { MllpSender } from "../streams/io/mllp/sender.ts";
import { freePort } from "../streams/roles/demo-circuit.ts";

const root = join(import.meta.dirname, "..");
const data = mkdtempSync(join(tmpdir(), "afferent-demo-"));
const config = join(data, "current.json");

let demo: ChildProcess;
let ended: Promise<number | null>;
let said = "";

beforeAll(async () => {
  const ports = ["--port", `${await freePort()}`, "--mqtt-port", `${await freePort()}`];
  demo = spawn(process.execPath, ["streams/main.ts", "demo", "--beds", "24", ...ports, "--data", data], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  });
  ended = new Promise((resolve) => demo.once("exit", resolve));
  await new Promise<void>((resolve, reject) => {
    demo.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("Ctrl-C")) resolve();
    });
    void ended.then((code) => reject(new Error(`the demo ended with ${code}`)));
  });
}, 120_000);

afterAll(() => {
  demo?.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
});

const afferent = (...args: string[]): string =>
  execFileSync(process.execPath, ["streams/main.ts", ...args, "-c", config], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });

it("who is admitted to a bed is linked to the device that stands there, confirmed by a nurse, and shown on the page", async () => {
  const [, port = ""] = /ADT +mllp:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? [];
  expect(statSync(config).mode & 0o077, "nobody else reads the token").toBe(0);
  const who = ["--as", "nurse-4", "--because", "seen"];
  afferent("roster", "bind", "pump-06", "--bed", "B14", ...who);
  const occurred = `${new Date(Date.now() - 1_000).toISOString().replaceAll(/[-:T]|\..*/g, "")}+0000`;
  const admitted: AdtOf = { event: "A01", patient: ines, location: "Step-down^^B14", occurred, controlId: "1" };
  const sender = new MllpSender({ host: "127.0.0.1", port: Number(port), answerWithinMs: 10_000 });
  const text = adtText(admitted).replaceAll("KH-NORD^MR", "SIM^MR");
  expect(await sender.send({ text, controlId: "1" }, AbortSignal.timeout(10_000))).toMatchObject({ code: "AA" });
  sender.close();
  const [, link = ""] = /^B14 +pump-06 .* asserted by ADT .* (adt\/\w+)$/m.exec(afferent("roster", "list")) ?? [];
  expect(afferent("roster", "confirm", link, ...who)).toMatch(/^confirm: .*, as nurse-4: 1 record$/m);

  const [, page = ""] = /page +(http:\/\/\S+)/.exec(said) ?? [];
  const pump = async (): Promise<unknown> => {
    const { beds } = (await (await fetch(`${page}/api/board`)).json()) as BoardView;
    const devices = beds.find(({ bed }) => bed === "B14")?.devices ?? [];
    return devices.find(({ device }) => device === "pump-06")?.confirmed;
  };
  await expect.poll(pump, { timeout: 20_000 }).toBe(true);
  expect(afferent("check")).toMatch(/^ok +roster service$[\s\S]*^ok +beds that ADT can name$[\s\S]*^no problems$/m);

  demo.kill("SIGINT");
  expect(await ended).toBe(0);
}, 120_000);
