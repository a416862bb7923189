/** The Log over a real Kafka: the conformance suite, what a stop of 30 s costs, and a killed broker. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ServerHandle } from "../deploy/handle.ts";
import { freePorts } from "../deploy/ports.ts";
import { OperatingError } from "../streams/core/failure.ts";
import { logConformance } from "../streams/log/conformance.ts";
import { otherProcess } from "../streams/log/conformance-killed.ts";
import {
  append,
  bytes,
  eventually,
  numbers,
  readAll,
  record,
  text,
  values,
} from "../streams/log/conformance-fixtures.ts";
import type { Appender, Log, Owner, PartitionHandler } from "../streams/log/log.ts";
import { Kafka, logLevel } from "kafkajs";
import { kafkaLog } from "../streams/log/kafka.ts";
import { sharedStack } from "./stack.ts";

const server = (): ServerHandle => sharedStack().server("kafka");
const brokers = (): string[] => [server().url];

const elsewhere = (story: string) =>
  otherProcess(
    `import { kafkaLog } from ${JSON.stringify(new URL("../streams/log/kafka.ts", import.meta.url).href)};`,
    `kafkaLog({ brokers: ${JSON.stringify(brokers())}, clientId: "elsewhere" })`,
    story,
  );

logConformance(
  "Kafka",
  () => Object.assign(async () => kafkaLog({ brokers: brokers(), clientId: "conformance" }), { elsewhere }),
  { durable: true, patienceMs: 15_000 },
);

const open = (): Log => kafkaLog({ brokers: brokers(), clientId: "test" });

/** A small task as the engine has them: claims, loads its next offset, copies each record with its position, commits. */
const copying =
  (log: Log, store: string, to: string, failures: string[]) =>
  (partition: number): PartitionHandler => {
    let owner: Owner | undefined;
    let appender: Appender | undefined;
    const close = async (): Promise<void> => {
      await appender?.close();
      await owner?.close();
    };
    return {
      open: async () => {
        await close();
        owner = await log.claim(store, partition, 2);
        const next = (await owner.load()).get("next");
        await owner.confirm();
        appender = await log.appender(store);
        return next === undefined ? 0 : Number(text(next));
      },
      process: async (records) => {
        try {
          await appender?.append(records.map(({ offset, value }) => record(to, partition, `${offset} ${text(value)}`)));
          await owner?.commit(new Map([["next", bytes(String((records.at(-1)?.offset ?? 0) + 1))]]));
        } catch (error) {
          failures.push(error instanceof OperatingError ? error.code : String(error));
          throw error;
        }
      },
      close,
    };
  };

/** Appends one number after the other; an unsure one again, as a source does. */
const source = async (
  log: Log,
  topic: string,
  running: () => boolean,
): Promise<{ sent: string[]; refused: string[] }> => {
  const appender = await log.appender("source");
  const [sent, refused]: [string[], string[]] = [[], []];
  for (let i = 0; running(); ) {
    try {
      await appender.append([record(topic, i % 2, String(i))]);
      sent.push(String(i++));
      await sleep(10);
    } catch (error) {
      refused.push(error instanceof OperatingError ? error.code : String(error));
      await sleep(100);
    }
  }
  await appender.close();
  return { sent, refused };
};

describe("a Kafka that is away for a while", { timeout: 180_000 }, () => {
  const outages: { what: string; outage: () => Promise<void> }[] = [
    {
      what: "stopped for 30 s",
      outage: async () => {
        await server().stop();
        await sleep(30_000);
        await server().start();
      },
    },
    {
      what: "killed",
      outage: async () => {
        await server().kill("SIGKILL");
        // The kernel may give its port back a moment after the process is gone.
        await eventually(() => server().start(), 30_000);
      },
    },
    {
      what: "hanging for 15 s",
      outage: async () => {
        await server().kill("SIGSTOP");
        await sleep(15_000);
        await server().kill("SIGCONT");
      },
    },
  ];

  it.each(outages)("loses nothing and recovers by itself when it is $what", async ({ what, outage }) => {
    const [log, name] = [open(), `outage.${what.replaceAll(" ", "-")}`];
    const [input, output] = [`${name}.in`, `${name}.out`];
    await log.ensure([
      { name: input, partitions: 2 },
      { name: output, partitions: 2 },
    ]);
    const failures: string[] = [];
    const subscription = await log.subscribe(name, input, copying(log, name, output, failures));
    let running = true;
    const sending = source(log, input, () => running);
    await sleep(2_000);
    await outage();
    const atReturn = await log.bounds(output, 0);
    await eventually(async () => expect((await log.bounds(output, 0)).end).toBeGreaterThan(atReturn.end), 15_000);
    await sleep(1_000);
    running = false;
    const { sent, refused } = await sending;
    expect(refused.filter((code) => code !== "log-unavailable")).toEqual([]);
    expect(failures.filter((code) => !["log-unavailable", "commit-unsure", "fenced"].includes(code))).toEqual([]);
    for (const partition of [0, 1]) {
      const raw = await readAll(log, input, partition);
      const stored = new Set(values(raw));
      expect(sent.filter((value) => Number(value) % 2 === partition && !stored.has(value))).toEqual([]);
      await eventually(async () => {
        const copied = [...new Set(values(await readAll(log, output, partition)))];
        expect(copied).toEqual(raw.map(({ offset, value }) => `${offset} ${text(value)}`));
      }, 30_000);
    }
    await subscription.close();
    await subscription.done;
    await log.close();
  });
});

describe("Kafka's own ways", { timeout: 60_000 }, () => {
  it("aborts what a killed owner left open, and keeps its records out of states and readers", async () => {
    const log = open();
    const first = await log.claim("torn", 0, 1);
    await first.confirm();
    await first.commit(new Map([["k", bytes("whole")]]));
    await first.close();
    const dying = new Kafka({ brokers: brokers(), logLevel: logLevel.NOTHING }).producer({
      transactionalId: "torn/0",
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { initialRetryTime: 2, retries: 40 },
    });
    await dying.connect();
    const transaction = await dying.transaction();
    await transaction.send({ topic: "state.torn", messages: [{ key: "k", value: "half", partition: 0 }] });
    const next = await log.claim("torn", 0, 1);
    expect(text((await next.load()).get("k") ?? bytes(""))).toBe("whole");
    await next.confirm();
    await next.commit(new Map([["k", bytes("after")]]));
    const stored = (await readAll(log, "state.torn", 0)).filter(({ key }) => key === "k");
    expect(values(stored)).toEqual(["whole", "after"]);
    await dying.disconnect();
    await log.close();
  });

  it("refuses a topic that another process created with other partitions at the same moment", async () => {
    const [one, two] = [open(), open()];
    const results = await Promise.allSettled([
      one.ensure([{ name: "raced", partitions: 2 }]),
      two.ensure([{ name: "raced", partitions: 3 }]),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((result) => result.status === "rejected")?.reason).toMatchObject({
      code: "partition-count-changed",
    });
    await Promise.all([one.close(), two.close()]);
  });

  it("creates topics that the log stamps", async () => {
    const log = open();
    await log.ensure([{ name: "stamped", partitions: 1 }]);
    const before = Date.now();
    await append(log, numbers("stamped", 0, 0, 3));
    for (const { stampMs } of await readAll(log, "stamped", 0)) {
      expect(stampMs).toBeGreaterThanOrEqual(before - 5);
      expect(stampMs).toBeLessThanOrEqual(Date.now() + 5);
    }
    const admin = new Kafka({ brokers: brokers(), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: "stamped", configNames: ["message.timestamp.type"] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe("LogAppendTime");
    await admin.disconnect();
    await log.close();
  });

  it("says log-unavailable where no Kafka is", async () => {
    const [port] = Object.values(await freePorts());
    const log = kafkaLog({ brokers: [`127.0.0.1:${port}`], clientId: "nowhere" });
    await expect(log.ensure([{ name: "x", partitions: 1 }])).rejects.toMatchObject({
      code: "log-unavailable",
      retry: true,
    });
    await expect(log.claim("x", 0, 1)).rejects.toMatchObject({ code: "log-unavailable" });
    await log.close();
  });
});
