/**
 * From the raw log to windows: a ward's messages are put straight into the raw log, and one process works them off through `normalise` and
 * `windows`. It stands ready before they come: its start-up is not counted.
 */
import { groupOf } from "../../streams/core/checkpoint.ts";
import { join } from "node:path";
import { freePorts } from "../../deploy/ports.ts";
import { openPlatform, type Platform } from "../../streams/compose.ts";
import { partitionOf } from "../../streams/core/hash.ts";
import { receivedTime } from "../../streams/core/time.ts";
import { readRoster } from "../../streams/io/roster-file.ts";
import type { Append } from "../../streams/log/log.ts";
import { announce, fixScale } from "../../streams/roles/source.ts";
import { rosterOf } from "../../streams/sim/ward/roster.ts";
import { ward } from "../../streams/sim/ward/ward.ts";
import { raw, type RawBody, vitals, windows } from "../../schemas/topics.ts";
import { type BenchStack, roleConfig } from "./bench-stack.ts";
import { cpuSeconds, startChild } from "./process-cpu.ts";
import { lagOf } from "./vitals.ts";
import { metric, until } from "./watch.ts";

export interface RawToWindows {
  /** Per CPU-second of the process. */
  readonly messages: number;
  readonly measurements: number;
}

const beds = 160;
/** Inside the windows' lateness of 5 min, or some of it would be refused as too late. */
const wardMs = 4 * 60_000;
const appendAtOnce = 2_000;
const main = join(import.meta.dirname, "../../streams/main.ts");

export const rawToWindows = async (stack: BenchStack): Promise<RawToWindows> => {
  const startMs = Date.now() - wardMs;
  const chosen = ward({ beds, seed: 1, startMs, waveforms: false });
  const roster = rosterOf(chosen);
  const { file, config } = roleConfig(stack, "windows", roster);
  const platform = await openPlatform(config, "bench");
  const { log, wire } = platform;
  const reading = readRoster(JSON.stringify(roster));
  if (!reading.ok) throw new Error(reading.problem.detail);
  const source = { log, wire, now: Date.now };
  await announce(reading.value, [], await fixScale(1, source), source);
  const port = (await freePorts()).hapi;
  const stages = ["--stages", "normalise", "windows"];
  const role = startChild(main, "process", "--config", file, "--metrics-port", String(port), ...stages);
  await role.says("afferent process");
  const behind = (stage: string): Promise<number> => {
    const of = platform.topology.stage(stage);
    return lagOf(log, groupOf(of), of.reads.name);
  };
  const caughtUp = async () => (await behind("normalise")) === 0 && (await behind("windows")) === 0;
  await until(caughtUp, "the roster");
  const records = rawRecords(platform, chosen.messages(), startMs + wardMs);
  const before = { cpu: cpuSeconds(role.pid), vitals: await stack.taken(vitals.name) };
  await appendAll(platform, records);
  await until(caughtUp, "windows");
  const spent = cpuSeconds(role.pid) - before.cpu;
  const measurements = (await stack.taken(vitals.name)) - before.vitals;
  const tooLate = await metric(port, "afferent_quarantined_total", 'reason="too-late"');
  if (tooLate > 0) throw new Error(`windows refused ${tooLate} measurements as too late: the figure would flatter`);
  if ((await windowsOf(platform)) === 0) throw new Error("no window was written");
  await role.stop();
  await platform.close();
  return { messages: (records.length - raw.partitions) / spent, measurements: measurements / spent };
};

/** The ward's numerics, and at the end a tick on each partition: it closes every window that the messages opened. */
const rawRecords = (
  { wire }: Platform,
  messages: ReturnType<ReturnType<typeof ward>["messages"]>,
  endMs: number,
): Append[] => {
  const append = (key: string, partition: number, body: RawBody): Append => ({
    topic: raw.name,
    partition,
    key,
    value: wire.encode(raw, { position: null, logTime: null, body }),
  });
  const records: Append[] = [];
  for (const { atMs, device, stream, mqttTopic, payload } of messages) {
    if (atMs > endMs) break;
    const at = { receivedTime: receivedTime(atMs), session: "bench", dup: false, retained: false, truncated: null };
    const body = { kind: "reading", device, stream, mqttTopic, payload, ...at } as const;
    records.push(append(device, partitionOf(device, raw.partitions), body));
  }
  for (let partition = 0; partition < raw.partitions; partition++)
    records.push(append("", partition, { kind: "tick" }));
  return records;
};

const appendAll = async ({ log }: Platform, records: readonly Append[]): Promise<void> => {
  const appender = await log.appender("bench");
  for (let i = 0; i < records.length; i += appendAtOnce) await appender.append(records.slice(i, i + appendAtOnce));
  await appender.close();
};

const windowsOf = async ({ log, wire }: Platform): Promise<number> => {
  let count = 0;
  for (let partition = 0; partition < windows.partitions; partition++) {
    const reader = await log.reader(windows.name, partition, "start");
    for (let records = await reader.next(300); records.length > 0; records = await reader.next(300))
      for (const { value } of records) {
        const decoded = wire.decode(windows, value);
        if (decoded.ok && decoded.value.body.kind === "windowAggregate") count++;
      }
    await reader.close();
  }
  return count;
};
