/** The circuit and its watch as processes, at the run's mosquitto, with receivers for whoever is told: what test/alert/hops lets live and die. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { freePorts } from "../../deploy/ports.ts";
import { handheldPassword, platformPassword } from "../../deploy/servers/mosquitto/platform-access.ts";
import type { Stack } from "../../deploy/stack.ts";
import { type WardFolder, wardFolder } from "../../streams/roles/alert/ward.fixture.ts";
import { forgetSession } from "../platform/broker.ts";
import { type RoleProcess, spawnRole } from "../platform/role.ts";
import { heart, policy, roster } from "./hops-ward.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

const project = join(import.meta.dirname, "..", "..");
const host = "127.0.0.1";
const secret = "the ward's shared secret";

/** A page as the circuit's interface shows it. */
export interface ShownPage {
  readonly identity: string;
  readonly device: string;
  readonly unit: string;
  readonly event: string;
  readonly state: string;
  readonly acceptedBy: string | null;
}

export interface StandingCircuit {
  /** Everybody but the porter. */
  readonly people: Receiver;
  /** Whom the watch tells. */
  readonly engineers: Receiver;
  readonly ward: WardFolder;
  /** The policy of the ward, as its file has it. */
  readonly files: { readonly "roster.json": object; readonly "policy.json": ReturnType<typeof policy> };
  circuit(): RoleProcess;
  watch(): RoleProcess;
  startCircuit(): Promise<void>;
  startWatch(): Promise<void>;
  /** Begins to listen where the porter's radio was refused. */
  startRadio(): Promise<Receiver>;
  /** Somebody's handheld, connected to the broker with a credential of its own. */
  handheld(who: string): Promise<MqttClient>;
  pages(): Promise<readonly ShownPage[]>;
  /** The circuit's or the watch's numbers, by name with labels. */
  metrics(of: "circuit" | "watch"): Promise<ReadonlyMap<string, number>>;
  /** What a stranger posts as an answer; gives status and words. */
  answer(body: string, headers?: Readonly<Record<string, string>>): Promise<readonly [number, string]>;
  /** `afferent <words>` with the circuit's configuration; gives the exit code and what it said. */
  typed(...words: readonly string[]): Promise<readonly [number | null, string]>;
  close(): Promise<void>;
}

export const standCircuit = async (stack: Stack): Promise<StandingCircuit> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-hops-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const receiver = async (port?: number): Promise<Receiver> => {
    const started = await startReceiver(port);
    closing.push(started.close);
    return started;
  };
  const people = await receiver();
  const engineers = await receiver();
  const [apiPort = 0, watchPort = 0, radioPort = 0, lostPort = 0] = Object.values(await freePorts());
  const watchAt = `http://${host}:${watchPort}`;
  const files = {
    "roster.json": roster(Date.now()),
    "policy.json": policy({
      pager: people.url,
      radio: `http://${host}:${radioPort}`,
      lostPager: `http://${host}:${lostPort}`,
      beats: `${watchAt}/beat`,
    }),
  };
  const ward = await wardFolder(files);
  closing.push(ward.remove);
  const brokerFolder = join(stack.config.data, "mosquitto");
  const broker = {
    url: stack.server("mosquitto").url,
    username: "platform",
    password: await platformPassword(brokerFolder),
  };
  const clientId = `hops-${folder.slice(-6)}`;
  const { username, password } = broker;
  closing.push(() => forgetSession(broker.url, clientId, { username, password }));
  const circuitFile = join(folder, "alert.json");
  await writeFile(
    circuitFile,
    JSON.stringify({
      production: false,
      data: join(folder, "circuit"),
      ward: ward.path,
      intake: { kind: "subscriber", ...broker, protocolVersion: 5, clientId },
      api: { host, port: apiPort },
      notifiers: {
        pager: { kind: "webhook", secret },
        radio: { kind: "webhook", secret },
        beats: { kind: "webhook", secret },
      },
      watch: { url: `${watchAt}/alive`, secret },
      demoApproval: true,
    }),
  );
  const watchFile = join(folder, "watch.json");
  await writeFile(
    watchFile,
    JSON.stringify({
      device: heart,
      broker,
      http: { host, port: watchPort },
      secret,
      acknowledgeToken: "the engineers' token",
      notifiers: { siren: { kind: "webhook", secret: "the siren's own secret" } },
      recipients: [{ id: "engineer", addresses: [{ notifier: "siren", to: engineers.url }] }],
    }),
  );
  const roles = new Map<"alert" | "watch", RoleProcess>();
  const running = (name: "alert" | "watch"): RoleProcess => {
    const role = roles.get(name);
    if (role === undefined) throw new Error(`${name} was never started`);
    return role;
  };
  const start = async (name: "alert" | "watch", file: string): Promise<void> => {
    const role = spawnRole(name, file);
    roles.set(name, role);
    closing.push(() => role.stop());
    await role.ready;
  };
  const api = `http://${host}:${apiPort}`;
  return {
    people,
    engineers,
    ward,
    files,
    circuit: () => running("alert"),
    watch: () => running("watch"),
    startCircuit: () => start("alert", circuitFile),
    startWatch: () => start("watch", watchFile),
    startRadio: () => receiver(radioPort),
    handheld: async (who) => {
      const password = await handheldPassword(brokerFolder, who);
      await stack.server("mosquitto").kill("SIGHUP");
      const client = await whenKnown(broker.url, { clientId: `of-${who}`, username: who, password });
      closing.push(() => client.endAsync(true));
      return client;
    },
    pages: async () =>
      ((await (await fetch(`${api}/alarms`)).json()) as { readonly pages: readonly ShownPage[] }).pages,
    metrics: async (of) => numbers(await (await fetch(`${of === "circuit" ? api : watchAt}/metrics`)).text()),
    answer: async (body, headers = {}) => {
      const response = await fetch(`${api}/answers`, { method: "POST", body, headers });
      return [response.status, await response.text()];
    },
    typed: (...words) => typed([...words, "--config", circuitFile]),
    close: async () => {
      for (const close of closing.splice(0).reverse()) await close();
    },
  };
};

/** A broker that was told to read its passwords anew takes a moment. */
const whenKnown = async (url: string, options: IClientOptions): Promise<MqttClient> => {
  for (let left = 20; ; left--)
    try {
      return await connectAsync(url, { ...options, reconnectPeriod: 0 }, false);
    } catch (error) {
      if (left === 0) throw error;
      await sleep(100);
    }
};

const numbers = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );

const typed = (words: readonly string[]): Promise<readonly [number | null, string]> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(project, "streams", "main.ts"), ...words], { cwd: project });
    let said = "";
    for (const output of [child.stdout, child.stderr])
      output.on("data", (part) => {
        said += String(part);
      });
    child.once("close", (code) => resolve([code, said]));
  });
