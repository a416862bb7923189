import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { connect, connectAsync } from "mqtt";
import { afterAll, describe, expect, it } from "vitest";
import { portNames, portVariable, readStackConfig, type StackConfig } from "../deploy/config.ts";
import { freePorts, isFree } from "../deploy/ports.ts";
import { isAlive } from "../deploy/process-identity.ts";
import { roleLines, startRoles, stopRoles } from "../deploy/roles.ts";
import { serverNames } from "../deploy/server.ts";
import { healthLine, type Stack, startStack } from "../deploy/stack.ts";
import { runningServers } from "../deploy/state.ts";
import { adtText, type AdtOf, ines, otto } from "../schemas/hl7v2/adt.fixture.ts";
import { MllpSender } from "../streams/io/mllp/sender.ts";
import type { ShownRoster } from "../streams/roles/roster/api.ts";
import { emptyStack } from "./platform/fresh-stack.ts";
import { sharedStack } from "./stack.ts";

const folders: string[] = [];
const ownConfig = async (): Promise<StackConfig> => {
  const data = mkdtempSync(join(tmpdir(), "stack-"));
  folders.push(data);
  return { ...readStackConfig(), data, ports: await freePorts() };
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe("the full stack", () => {
  it("has every server answer over its own protocol, in one line each", async () => {
    const { servers } = sharedStack();
    expect(servers.map(({ name }) => name).toSorted()).toEqual([...serverNames].toSorted());
    for (const server of servers)
      expect(await healthLine(server)).toMatch(
        new RegExp(`^${server.name} +healthy +${server.url} +ready after [\\d.]+ s +pid ${server.pid}$`),
      );
  });
});

describe("HAPI FHIR", () => {
  const put = (id: string, resource: object): Promise<Response> =>
    fetch(`${sharedStack().server("hapi").url}/Patient/${id}`, {
      method: "PUT",
      headers: { "content-type": "application/fhir+json" },
      body: JSON.stringify({ resourceType: "Patient", id, ...resource }),
    });

  it("still has every write that it acknowledged before it was killed", async () => {
    const hapi = sharedStack().server("hapi");
    const acknowledged: string[] = [];
    const writing = [0, 1, 2].map(async (writer) => {
      for (let n = 0; ; n += 1) {
        const id = `kept-${writer}-${n}`;
        if ((await put(id, { gender: "unknown" })).status !== 201) throw new Error(`${id} was refused`);
        acknowledged.push(id);
        if (acknowledged.length === 30) await hapi.kill("SIGKILL");
      }
    });
    await Promise.allSettled(writing);
    expect(acknowledged.length).toBeGreaterThanOrEqual(30);
    await hapi.start();
    for (const id of acknowledged) expect([id, (await fetch(`${hapi.url}/Patient/${id}`)).status]).toEqual([id, 200]);
  });

  it("refuses what is not valid R4", async () => {
    const refusal = await put("invalid", { gender: "often" });
    expect(refusal.status).toBe(422);
    expect(await refusal.text()).toContain("often");
  });
});

describe("Apicurio", () => {
  const register = async (subject: string, fields: readonly object[]): Promise<{ status: number; id: number }> => {
    const schema = JSON.stringify({ type: "record", name: "Reading", namespace: "test", fields });
    const response = await fetch(`${sharedStack().server("apicurio").url}/subjects/${subject}/versions`, {
      method: "POST",
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify({ schema }),
    });
    return { status: response.status, id: ((await response.json()) as { id: number }).id };
  };
  const device = { name: "device", type: "string" };

  it("gives a schema the same id after it was killed, at once after it answered", async () => {
    const apicurio = sharedStack().server("apicurio");
    await register("before-value", [{ name: "other", type: "long" }]);
    const before = await register("killed-value", [device]);
    await apicurio.kill("SIGKILL");
    await apicurio.start();
    expect(await register("killed-value", [device])).toEqual(before);
    const kept = await fetch(`${apicurio.url}/schemas/ids/${before.id}`);
    expect(await kept.text()).toContain("device");
  });

  it("refuses a schema that could not read what any earlier one wrote", async () => {
    const subject = "compatible-value";
    const unit = { name: "unit", type: "string" };
    expect((await register(subject, [device])).status).toBe(200);
    expect((await register(subject, [device, { ...unit, default: "1" }])).status).toBe(200);
    expect((await register(subject, [device, unit])).status, "reads the second, not the first").toBe(409);
  });
});

describe("mosquitto", () => {
  it("keeps thousands of acknowledged messages for a subscriber that is away, over a restart", async () => {
    const mosquitto = sharedStack().server("mosquitto");
    const session = { clientId: "away", clean: false, protocolVersion: 4, reconnectPeriod: 0 } as const;
    const subscriber = await connectAsync(mosquitto.url, session);
    await subscriber.subscribeAsync("kept/#", { qos: 1 });
    await subscriber.endAsync();

    const count = 5_000; // its defaults keep 1,000
    const publisher = await connectAsync(mosquitto.url, { protocolVersion: 5 });
    const sends = Array.from({ length: count }, (_, n) => publisher.publishAsync(`kept/${n}`, String(n), { qos: 1 }));
    await Promise.all(sends);
    await publisher.endAsync();
    await mosquitto.stop();
    await mosquitto.start();

    const got = new Set<string>();
    const again = connect(mosquitto.url, session);
    again.on("message", (_topic, payload) => got.add(payload.toString()));
    await expect.poll(() => got.size, { timeout: 20_000 }).toBe(count);
    await again.endAsync();
  });
});

describe("Kafka", () => {
  it("takes a payload of 1 MiB with its envelope, and no topic that nobody declared", async () => {
    const client = new Kafka({ brokers: [sharedStack().server("kafka").url], logLevel: logLevel.NOTHING });
    const [admin, producer] = [client.admin(), client.producer({ retry: { retries: 1 } })];
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic: "large" }], waitForLeaders: true });
    const send = (topic: string, bytes: number) =>
      producer.send({ topic, acks: -1, messages: [{ value: Buffer.alloc(bytes, 1) }] });
    await expect(send("large", 1024 * 1024 + 64 * 1024)).resolves.toHaveLength(1);
    await expect(send("large", 3 * 1024 * 1024)).rejects.toThrow(/large/i);
    await expect(send("undeclared", 10)).rejects.toThrow();
    expect(await admin.listTopics()).not.toContain("undeclared");
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });
});

describe("QuestDB", () => {
  it("still has the rows that it acknowledged before it was killed", async () => {
    const questdb = sharedStack().server("questdb");
    const exec = async (query: string): Promise<string> =>
      (await fetch(`${questdb.url}/exec?${new URLSearchParams({ query })}`)).text();
    await exec("create table kept (ts timestamp, n long) timestamp(ts) partition by day wal");
    await exec("insert into kept select timestamp_sequence(0, 1000000), x from long_sequence(1000)");
    await questdb.kill("SIGKILL");
    await questdb.start();
    await expect.poll(() => exec("select count() from kept"), { timeout: 10_000 }).toContain("[[1000]]");
    await exec("drop table kept");
  });
});

describe("starting and ending", () => {
  const cli = (config: StackConfig, ...args: string[]) =>
    spawnSync(process.execPath, ["deploy/cli.ts", ...args], {
      encoding: "utf8",
      env: {
        ...process.env,
        AFFERENT_STACK_DATA: config.data,
        ...Object.fromEntries(portNames.map((name) => [portVariable(name), String(config.ports[name])])),
      },
    });

  it("from one shell and from another: `down` ends exactly what `up` started", async () => {
    const config = await ownConfig();
    const up = cli(config, "up", "mosquitto", "kafka");
    expect(up.stdout + up.stderr).toMatch(/^mosquitto +healthy/m);
    expect(up.stdout + up.stderr).toMatch(/^kafka +healthy/m);
    const started = runningServers(config);
    expect(started).toHaveLength(2);
    expect(cli(config, "status").status, "not all run").toBe(1);

    const down = cli(config, "down");
    expect([down.status, down.stdout.trim()]).toEqual([0, "stopped kafka, mosquitto"]);
    expect(started.filter(isAlive)).toEqual([]);
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(config.data);
    expect(await isFree(config.ports.kafka)).toBe(true);
    expect(cli(config, "down").stdout.trim()).toBe("nothing was running");
  });

  it("leaves alone a process that has the pid of a server which ended long ago", async () => {
    const config = await ownConfig();
    const notOurs = { name: "kafka", pid: process.pid, started: "in an earlier life" };
    writeFileSync(join(config.data, "stack.json"), JSON.stringify({ ports: config.ports, servers: [notOurs] }));
    expect(cli(config, "down").stdout.trim()).toBe("nothing was running");
  });

  it("names the server that fails and its log, shows the log's end, and leaves nothing running", async () => {
    const config = await ownConfig();
    mkdirSync(join(config.data, "kafka", "log"), { recursive: true });
    writeFileSync(join(config.data, "kafka", "log", "meta.properties"), "version=rubbish\n");
    const starting = startStack({ config, servers: ["mosquitto", "kafka"] });
    await expect(starting).rejects.toMatchObject({ code: "server-not-ready" });
    const { message } = (await starting.catch((error: unknown) => error)) as Error;
    const log = join(config.data, "logs", "kafka.log");
    expect(message).toContain(`kafka ended before it was ready: see ${log}`);
    expect(message).toContain(readFileSync(log, "utf8").trimEnd().split("\n").at(-1));
    expect(runningServers(config)).toEqual([]);
  });

  it("says which port somebody else holds", async () => {
    const config = await ownConfig();
    const taken = { ...config, ports: { ...config.ports, mosquitto: sharedStack().server("mosquitto").port } };
    await expect(startStack({ config: taken, servers: ["mosquitto"] })).rejects.toThrow(
      `mosquitto: port ${taken.ports.mosquitto} is taken`,
    );
  });
});

describe("the roster service of the full stack", () => {
  const project = join(import.meta.dirname, "..");
  /** The run's servers, with a folder and an ADT port of its own, as if `make up` had started them there. */
  const ownStack = async (): Promise<Stack> => {
    const [shared, own] = [sharedStack(), await ownConfig()];
    const data = join(own.data, "stack");
    mkdirSync(join(data, "mosquitto"), { recursive: true });
    return { ...shared, config: { ...shared.config, data, ports: { ...shared.config.ports, adt: own.ports.adt } } };
  };
  const options = (stack: Stack) => ({ stack, beds: 24, seed: 1, boardPort: 1, only: ["roster"], onLine: () => {} });
  const afferent = (config: string, ...args: string[]): string =>
    execFileSync(process.execPath, ["streams/main.ts", ...args, "-c", config], {
      cwd: project,
      encoding: "utf8",
      timeout: 60_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
  /** HL7's way to write an instant. */
  const dtm = (ms: number): string => `${new Date(ms).toISOString().replaceAll(/[-:T]|\..*/g, "")}+0000`;

  it("hears ADT: who is admitted to a bed is linked to the device that a nurse put there, and told in the log", async () => {
    const stack = await ownStack();
    await emptyStack(stack);
    const { adt, config } = await startRoles(options(stack));
    try {
      const because = ["--as", "nurse-4", "--because", "out of the store"];
      // the one device of the ward that the roster file links to nobody
      expect(afferent(config, "roster", "bind", "pump-06", "--bed", "B14", ...because)).toMatch(/^place: /);
      const [, host = "", port] = /^mllp:\/\/(.+):(\d+)$/.exec(adt) ?? [];
      const sender = new MllpSender({ host, port: Number(port), answerWithinMs: 10_000 });
      const admitted: AdtOf = {
        event: "A01",
        patient: ines,
        location: "Step-down^^B14",
        occurred: dtm(Date.now() - 1_000),
        controlId: "1",
      };
      const send = async (text: string, controlId: string): Promise<void> => {
        const message = { text: text.replaceAll("KH-NORD^MR", "SIM^MR"), controlId };
        expect(await sender.send(message, AbortSignal.timeout(10_000))).toMatchObject({ code: "AA" });
      };
      await send(adtText(admitted), "1");

      const { links } = JSON.parse(afferent(config, "roster", "list", "--json")) as ShownRoster;
      expect(links).toMatchObject([{ device: "pump-06", bed: "B14", confirmedBy: null, toMs: null }]);
      const [link] = links;
      const told = (topic: string, key: string): { readonly body: object } =>
        JSON.parse(afferent(config, "tap", topic, "--key", key, "--from", "start", "--limit", "1"));
      expect(JSON.stringify(told("telemetry.raw", "pump-06"))).toContain(`"id":"${link?.id}"`);
      expect(JSON.stringify(told("clinical.events", link?.patientKey ?? ""))).toContain('"familyName":"Quellmann"');

      const [line] = await roleLines(stack.config);
      expect(line).toMatchObject({
        running: true,
        line: expect.stringMatching(/^roster +running +pid \d+ +0 records wait for the log$/),
      });
      const nowhere = adtText({ ...admitted, location: "^^B15", controlId: "2", patient: otto });
      await send(nowhere, "2");
      const since = "[-\\d]{10}T[:\\d]{8}";
      expect(afferent(config, "roster", "list")).toMatch(
        new RegExp(`^OFF +location-ambiguous \\(1\\) since ${since}Z: name the place in rosterService.locations`),
      );
      const [off] = await roleLines(stack.config);
      expect(off?.line).toMatch(new RegExp(`location-ambiguous since ${since}\\.\\d{3}Z$`));

      const targets = JSON.parse(
        readFileSync(join(stack.config.data, "prometheus", "targets", "roles.json"), "utf8"),
      ) as readonly { readonly targets: readonly string[]; readonly labels: object }[];
      expect(targets.map(({ labels }) => labels)).toEqual([{ job: "afferent-roster" }]);
      const metrics = await (await fetch(`http://${targets[0]?.targets[0]}/metrics`)).text();
      expect(metrics).toContain('afferent_roster_messages_total{event="A01",outcome="applied"} 1');
      for (const file of [config, join(stack.config.data, "roster", "kept.json")])
        expect([file, statSync(file).mode & 0o077], "nobody else reads the token").toEqual([file, 0]);
      const again = await startRoles(options(stack));
      expect(again.adt, "what runs is left as it is").toBe(adt);
      sender.close();
    } finally {
      await stopRoles(stack.config);
    }
    expect(await isFree(stack.config.ports.adt)).toBe(true);
  });

  it("says which port somebody else holds before anything is started", async () => {
    const stack = await ownStack();
    const taken = { ...stack.config, ports: { ...stack.config.ports, adt: stack.server("mosquitto").port } };
    await expect(startRoles(options({ ...stack, config: taken }))).rejects.toMatchObject({
      code: "port-taken",
      message: expect.stringContaining("AFFERENT_PORT_ADT"),
    });
    expect(await roleLines(taken)).toEqual([]);
  });
});
