/**
 * Workers come and go on a real Kafka at 100,000 keys: nothing is lost or counted twice, and no partition stands still for more than 10 s,
 * counted from when Kafka gives up on a killed worker (6 s after its last heartbeat).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { partitionOf } from "../../streams/core/hash.ts";
import { HighWaterMarks } from "../../streams/core/position.ts";
import type { Wire } from "../../streams/core/wire.ts";
import { eventually, readAll } from "../../streams/log/conformance-fixtures.ts";
import { kafkaLog } from "../../streams/log/kafka.ts";
import type { Append, Log } from "../../streams/log/log.ts";
import { sharedStack } from "../stack.ts";
import { counted, counting, countingTopology, counts, openCountingWire } from "./counting.ts";

const keys = 100_000;
const sessionMs = 6_000;
const longestPauseMs = 10_000;

const startWorker = async (broker: string, schemas: string): Promise<ChildProcess> => {
  const worker = spawn(process.execPath, [join(import.meta.dirname, "worker.ts"), broker, schemas], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(worker.stdout as NonNullable<ChildProcess["stdout"]>, "data");
  return worker;
};

const kill = async (worker: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill(signal);
  await once(worker, "exit");
};

const entry = (wire: Wire, key: string): Append => ({
  topic: counted.name,
  partition: partitionOf(key, counted.partitions),
  key,
  value: wire.encode(counted, { position: null, logTime: null, body: { kind: "seen", key, n: 0 } }),
});

interface Count {
  readonly key: string;
  readonly n: number;
  readonly from: number;
  readonly stampMs: number;
}

/** Every count, repeats left out. */
const countsIn = async (log: Log, wire: Wire): Promise<Count[]> => {
  const found: Count[] = [];
  for (let p = 0; p < counts.partitions; p++) {
    const marks = new HighWaterMarks();
    for (const { value, stampMs } of await readAll(log, counts.name, p)) {
      const decoded = wire.decode(counts, value);
      if (!decoded.ok) throw new Error(decoded.problem.detail);
      const { position, body } = decoded.value;
      if (position === null || !marks.admit(position) || body.kind !== "seen") continue;
      found.push({ key: body.key, n: body.n, from: position.partition, stampMs });
    }
  }
  return found;
};

/** The longest time without a count of an input partition, from a moment on. */
const longestPause = (found: readonly Count[], partition: number, fromMs: number): number => {
  const stamps = found.flatMap(({ from, stampMs }) => (from === partition && stampMs >= fromMs ? [stampMs] : []));
  stamps.sort((a, b) => a - b);
  return Math.max(...stamps.map((stamp, i) => stamp - (stamps[i - 1] ?? fromMs)));
};

it(`a killed and an added worker, at ${keys} keys`, { timeout: 170_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "takeover-"));
  const broker = sharedStack().server("kafka").url;
  const log = kafkaLog({ brokers: [broker], clientId: "takeover" });
  await log.ensure(countingTopology.topics.map(({ name, partitions }) => ({ name, partitions })));
  const schemas = join(folder, "schemas.sqlite");
  const wire = await openCountingWire(schemas);
  const appender = await log.appender("takeover");
  const workers = [await startWorker(broker, schemas), await startWorker(broker, schemas)];
  let sent = 0;
  const drained = () =>
    eventually(async () => {
      const ends = await Promise.all([0, 1].map(async (p) => (await log.bounds(counted.name, p)).end));
      expect(await log.progress(counting.name, counted.name)).toEqual(ends);
    }, 60_000);
  try {
    for (let from = 0; from < keys; from += 1_000) {
      await appender.append(Array.from({ length: 1_000 }, (_, i) => entry(wire, `key-${from + i}`)));
      sent += 1_000;
    }
    await drained();

    let running = true;
    const sending = (async () => {
      for (; running; sent += 20, await sleep(50))
        await appender.append(Array.from({ length: 20 }, (_, i) => entry(wire, `key-${(sent + i * 7) % keys}`)));
    })();
    await sleep(1_000);
    const killedMs = Date.now();
    await kill(workers.shift() as ChildProcess, "SIGKILL");
    await sleep(sessionMs + 7_000);
    const joinedMs = Date.now();
    workers.push(await startWorker(broker, schemas));
    await sleep(8_000);
    running = false;
    await sending;
    await drained();

    const found = await countsIn(log, wire);
    expect(found).toHaveLength(sent);
    const most = new Map<string, number>();
    for (const { key, n } of found) {
      expect(n).toBe((most.get(key) ?? 0) + 1);
      most.set(key, n);
    }
    const afterKill = [0, 1].map((p) => longestPause(found, p, killedMs) - sessionMs);
    const afterJoin = [0, 1].map((p) => longestPause(found, p, joinedMs));
    process.stdout.write(
      `takeover at ${keys} keys: ${Math.max(...afterKill)} ms after the loss was detected; ${Math.max(...afterJoin)} ms when a worker joined\n`,
    );
    expect(Math.max(...afterKill)).toBeLessThan(longestPauseMs);
    expect(Math.max(...afterJoin)).toBeLessThan(longestPauseMs);
  } finally {
    await Promise.all(workers.map((worker) => kill(worker, "SIGKILL")));
    await log.close();
    await rm(folder, { recursive: true, force: true });
  }
});
