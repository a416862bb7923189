/**
 * The entries that every windowing program of the bench reads: a simulated ward's numerics through the real `normalise`, with log time and
 * its ticks running beside them as they would in a hospital. The same seed gives the same bytes; a file carries them between processes.
 */
import { groupOf } from "../../streams/core/checkpoint.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadAdapters } from "../../streams/io/device-adapters.ts";
import { localRegistry } from "../../streams/io/registry/local.ts";
import { openWire } from "../../streams/io/registry/wire.ts";
import { readRoster } from "../../streams/io/roster-file.ts";
import { partitionOf } from "../../streams/core/hash.ts";
import { receivedTime } from "../../streams/core/time.ts";
import { topology } from "../../streams/core/topology.ts";
import type { Wire } from "../../streams/core/wire.ts";
import type { Append, Log } from "../../streams/log/log.ts";
import { memoryLog } from "../../streams/log/memory.ts";
import { runStage } from "../../streams/log/stage-runner.ts";
import { announce } from "../../streams/roles/source.ts";
import { rosterOf } from "../../streams/sim/ward/roster.ts";
import { ward } from "../../streams/sim/ward/ward.ts";
import { raw, type RawBody, rawWaveforms, vitals } from "../../schemas/topics.ts";
import { normalise } from "../../topologies/normalise.ts";

export interface VitalsOptions {
  readonly beds: number;
  readonly seconds: number;
  readonly startMs: number;
}

const secondMs = 1_000;
const headerLength = 5;

/** Writes the ward's vitals to a file; gives how many entries of all kinds there are. */
export const writeVitals = async (file: string, options: VitalsOptions): Promise<number> => {
  let nowMs = options.startMs;
  const log = memoryLog({ now: () => nowMs });
  const stage = normalise(await loadAdapters());
  const joined = topology([stage], [rawWaveforms]);
  await log.ensure([...joined.topics, { name: "clinical.events", partitions: 2 }]);
  const registry = localRegistry(":memory:");
  const wire = await openWire(registry, joined.topics);
  const running = await runStage(stage, joined, {
    log,
    wire,
    lingerMs: 0,
    onError: (_stage, _partition, error) => {
      throw error;
    },
  });
  await playWard(log, wire, options, (atMs) => {
    nowMs = atMs;
  });
  while ((await lagOf(log, groupOf(stage), raw.name)) > 0) await sleep(5);
  await running.close();
  const records = await allOf(log);
  writeFileSync(file, packed(records));
  await log.close();
  await registry.close();
  return records.length;
};

/** Records behind the end of a topic that a group has not reported yet. */
export const lagOf = async (log: Log, group: string, topic: string): Promise<number> => {
  const at = await log.progress(group, topic);
  const bounds = await Promise.all(at.map((_, partition) => log.bounds(topic, partition)));
  return bounds.reduce((sum, { end }, partition) => sum + end - (at[partition] ?? 0), 0);
};

const playWard = async (
  log: Log,
  wire: Wire,
  { beds, seconds, startMs }: VitalsOptions,
  setNow: (atMs: number) => void,
): Promise<void> => {
  const chosen = ward({ beds, seed: 1, startMs, waveforms: false });
  const reading = readRoster(JSON.stringify(rosterOf(chosen)));
  if (!reading.ok) throw new Error(reading.problem.detail);
  const device = { ...reading.value, patients: [], consents: [] };
  await announce(device, [], { originMs: 0, speed: 1 }, { log, wire, now: () => startMs });
  const appender = await log.appender("ward");
  const append = (key: string, partition: number, body: RawBody): Append => ({
    topic: raw.name,
    partition,
    key,
    value: wire.encode(raw, { position: null, logTime: null, body }),
  });
  let tickAtMs = startMs + secondMs;
  let batch: Append[] = [];
  for (const { atMs, device: key, stream, mqttTopic, payload } of chosen.messages()) {
    while (tickAtMs <= atMs) {
      setNow(tickAtMs);
      for (let p = 0; p < raw.partitions; p++) batch.push(append("", p, { kind: "tick" }));
      await appender.append(batch);
      batch = [];
      await new Promise(setImmediate);
      tickAtMs += secondMs;
    }
    if (atMs >= startMs + seconds * secondMs) break;
    batch.push(
      append(key, partitionOf(key, raw.partitions), {
        kind: "reading",
        device: key,
        stream,
        mqttTopic,
        payload,
        receivedTime: receivedTime(atMs),
        session: "bench",
        dup: false,
        retained: false,
        truncated: null,
      }),
    );
  }
  await appender.close();
};

const allOf = async (log: Log): Promise<Append[]> => {
  const all: Append[] = [];
  for (let partition = 0; partition < vitals.partitions; partition++) {
    const { end } = await log.bounds(vitals.name, partition);
    const reader = await log.reader(vitals.name, partition, "start");
    for (let at = 0; at < end; ) {
      const records = await reader.next(0);
      at += records.length;
      for (const { key, value } of records) all.push({ topic: vitals.name, partition, key, value });
    }
    await reader.close();
  }
  return all;
};

/** Per record: partition (1 byte), key length (2), value length (4), key, value. */
const packed = (records: readonly Append[]): Buffer =>
  Buffer.concat(
    records.flatMap(({ partition, key, value }) => {
      const keyBytes = Buffer.from(key);
      const head = Buffer.alloc(7);
      head.writeUInt8(partition, 0);
      head.writeUInt16BE(keyBytes.length, 1);
      head.writeUInt32BE(value.length, 3);
      return [head, keyBytes, value];
    }),
  );

/** The file's entries, under the schema id that this wire's registry gave the topic. */
export const readVitals = (file: string, wire: Wire): Append[] => {
  const bytes = readFileSync(file);
  const header = wire
    .encode(vitals, { position: null, logTime: null, body: { kind: "tick" } })
    .subarray(0, headerLength);
  const records: Append[] = [];
  for (let at = 0; at < bytes.length; ) {
    const partition = bytes.readUInt8(at);
    const keyEnd = at + 7 + bytes.readUInt16BE(at + 1);
    const valueEnd = keyEnd + bytes.readUInt32BE(at + 3);
    const value = bytes.subarray(keyEnd, valueEnd);
    value.set(header);
    records.push({ topic: vitals.name, partition, key: bytes.toString("utf8", at + 7, keyEnd), value });
    at = valueEnd;
  }
  return records;
};
