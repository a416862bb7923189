/**
 * The roster's process is SIGKILLed again and again while ADT comes: what its sender was answered for is told, once and in order, and nothing of a
 * patient is in what it logs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { adtText, type AdtOf } from "../../../schemas/hl7v2/adt.fixture.ts";
import { events, raw } from "../../../schemas/topics.ts";
import type { AnyTopic } from "../../core/stage.ts";
import { localRegistry } from "../../io/registry/local.ts";
import { openWire } from "../../io/registry/wire.ts";
import { MllpSender } from "../../io/mllp/sender.ts";
import { eventually, readAll } from "../../log/conformance-fixtures.ts";
import { killed, linesOf } from "../../log/conformance-killed.ts";
import { sqliteLog } from "../../log/sqlite.ts";
import { freePort } from "../demo-circuit.ts";
import { authorities } from "./house.fixture.ts";
import { smallConfig } from "../../small-config.fixture.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const token = "a token of the test";
const beds = Array.from({ length: 8 }, (_, n) => `bed-${n}`);

const house = async () => {
  const data = await mkdtemp(join(tmpdir(), "afferent-roster-"));
  closing.push(() => rm(data, { recursive: true, force: true }));
  const [mllp, api] = [await freePort(), await freePort()];
  const roster = {
    version: 1,
    devices: beds.map((bed, n) => ({ device: `mon-${n}`, model: "simmon-1", serial: null, unit: "icu-1", bed })),
    beds: beds.map((bed) => ({ bed, unit: "icu-1" })),
    associations: [],
    patients: [],
    consents: [],
  };
  await writeFile(join(data, "roster.json"), JSON.stringify(roster));
  const config = smallConfig(data, {
    rosterService: {
      authorities,
      mllp: { host: "127.0.0.1", port: mllp },
      api: { host: "127.0.0.1", port: api, token },
    },
  });
  const file = join(data, "config.json");
  await writeFile(file, JSON.stringify(config));
  return { data, file, mllp, api };
};

const main = join(import.meta.dirname, "../../main.ts");
let logged = "";
const start = async (file: string): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [main, "roster", "--config", file], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LOG_LEVEL: "trace" },
  });
  closing.push(() => killed(child));
  child.stderr?.on("data", (chunk: Buffer) => {
    logged += chunk;
  });
  const lines = linesOf(child);
  await eventually(() => expect(lines.join()).toContain("afferent roster: mllp://"), 60_000);
  return child;
};

const command = async (...args: readonly string[]): Promise<string> => {
  const child = spawn(process.execPath, [main, "roster", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return `${code === 0 ? "" : `exit ${code}: `}${said}`;
};

const patients = 12;
const patient = (n: number) => ({
  number: `88${n}0042`,
  family: `Zzyzx${n}`,
  given: `Geheim${n}`,
  birth: "19600101",
  visit: `VIS${n}`,
});
const moves = (n: number): readonly AdtOf[] => {
  const at = (bed: number) => `ICU-1^1^${beds[bed % beds.length]}`;
  const minute = (m: number) => `${String(8 + Math.floor(m / 60)).padStart(2, "0")}${String(m % 60).padStart(2, "0")}`;
  const one = { patient: patient(n) };
  return [
    { ...one, event: "A01", location: at(n), occurred: minute(n), controlId: `in-${n}` },
    { ...one, event: "A02", location: at(n + 1), occurred: minute(n + 3), controlId: `to-${n}` },
    { ...one, event: "A03", location: at(n + 1), occurred: minute(n + 5), controlId: `out-${n}` },
  ];
};

describe("a roster service that is killed while ADT comes", () => {
  it("has told all that was answered for, each revision once and in order, and named nobody in its log", {
    timeout: 240_000,
  }, async () => {
    const { data, file, mllp, api } = await house();
    let child = await start(file);
    const sender = new MllpSender({ host: "127.0.0.1", port: mllp, answerWithinMs: 1_000 });
    closing.push(() => sender.close());
    const answers: string[] = [];
    const messages = Array.from({ length: patients }, (_, n) => moves(n)).flat();
    let sentCount = 0;
    const sending = (async () => {
      for (const message of messages) {
        for (let done = false; !done; ) {
          const { controlId } = message;
          await sender.send({ text: adtText(message), controlId }, AbortSignal.timeout(5_000)).then(
            ({ code }) => {
              answers.push(code);
              done = true;
            },
            () => sleep(50),
          );
        }
        sentCount++;
      }
    })();
    for (const after of [5, 15, 25]) {
      await eventually(() => expect(sentCount).toBeGreaterThan(after), 60_000);
      await killed(child);
      child = await start(file);
    }
    await sending;
    expect(new Set(answers)).toEqual(new Set(["AA"]));
    expect(answers).toHaveLength(messages.length);

    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${api}/metrics`)).text();
    await eventually(async () => expect(await metrics()).toContain("afferent_roster_waiting_records 0"), 10_000);
    const counted = await metrics();

    const listed = await command("list", "--config", file);
    expect(listed).toContain("nobody is linked");
    const last = await command("history", "mon-0", "--config", file);
    expect(last).toMatch(/revision 1: mon-0 at bed-0, pt-/);
    expect(await command("confirm", "adt/none", "--as", "nurse-4", "--because", "seen", "-c", file)).toMatch(
      /^exit 2: afferent: no such link holds, or it was voided \(link-unknown\)/,
    );
    const bind = [
      "bind",
      "mon-3",
      "--record-number",
      patient(2).number,
      "--bed",
      "bed-3",
      "--as",
      "nurse-4",
      "--because",
      "moved",
    ];
    expect(await command(...bind, "-c", file)).toMatch(/^bind: act\/.*, as nurse-4: 1 record\n$/);
    expect(await command("list", "-c", file)).toMatch(/bed-3 .*mon-3 .*confirmed by nurse-4/);
    expect(await command("bind", "mon-3", "--bed", "bed-3", "-c", file)).toContain("required option '--as <who>'");
    await killed(child);

    const log = sqliteLog({ file: join(data, "log.sqlite") });
    closing.push(() => log.close());
    const wire = await openWire(localRegistry(join(data, "schemas.sqlite")), [raw, events]);
    const revisions: string[] = [];
    for (const topic of [raw, events] as AnyTopic[])
      for (let partition = 0; partition < topic.partitions; partition++)
        for (const { value } of await readAll(log, topic.name, partition)) {
          const decoded = wire.decode(topic, value);
          const body = decoded.ok ? (decoded.value.body as unknown as Readonly<Record<string, unknown>>) : {};
          if (body["kind"] === "association") revisions.push(`${body["id"]} ${body["revision"]}`);
          if (body["kind"] === "patient") revisions.push(`${body["patientKey"]} ${body["version"]}`);
        }
    expect(new Set(revisions).size).toBe(revisions.length);
    const byId = Map.groupBy(revisions, (one) => one.split(" ")[0]);
    for (const own of byId.values())
      expect(own.map((one) => Number(one.split(" ")[1]))).toEqual(own.map((_, n) => n + 1));
    // two links and a patient each, and the one that was bound
    expect(byId.size).toBe(patients * 3 + 1);
    expect(`${logged}${counted}${listed}${last}`).not.toMatch(/Zzyzx|Geheim|88\d+0042|VIS\d/);
    expect(logged.length + counted.length).toBeGreaterThan(1_000);
  });
});
