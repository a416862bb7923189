/**
 * The ward itself as a world: every stage of the real topology, the real wire, and what two simulated beds send for some minutes behind
 * the roster and rules that the front door announces. Made once; the order of everything after that is the schedule's. Also the alert
 * circuit's (circuit-ward.ts).
 */
import { announce } from "../../streams/roles/source.ts";
import { loadChartPolicies } from "../../streams/chart-policies.ts";
import { loadRules } from "../../streams/compose.ts";
import { realTime } from "../../streams/core/time.ts";
import type { AnyTopic } from "../../streams/core/stage.ts";
import type { Topology } from "../../streams/core/topology.ts";
import type { Wire } from "../../streams/core/wire.ts";
import { loadAdapters } from "../../streams/io/device-adapters.ts";
import { localRegistry } from "../../streams/io/registry/local.ts";
import { openWire } from "../../streams/io/registry/wire.ts";
import { readRoster } from "../../streams/io/roster-file.ts";
import type { LogRecord } from "../../streams/log/log.ts";
import { memoryLog } from "../../streams/log/memory.ts";
import { RawIntake } from "../../streams/log/raw-intake.ts";
import { ward as simulatedWard } from "../../streams/sim/ward/ward.ts";
import { events, raw, rawWaveforms } from "../../schemas/topics.ts";
import { wardTopology } from "../../topologies/ward.ts";
import type { Weather } from "./scenario.ts";
import { Lane, type World } from "./world.ts";

const startMs = Date.UTC(2026, 5, 1, 8);
const lastsMs = 150_000;
/** Minutes close and their last windows are told. */
const drainMs = 100_000;
const everyTickMs = 5_000;
const clockUncertaintyMs = 2_000;
/** What a front door writes, whoever reads it. */
const sourceTopics = [raw, rawWaveforms, events];

const weather: Weather = {
  steps: 2_500,
  workers: 3,
  crash: 0.003,
  pause: 0.003,
  expel: 0.003,
  compact: 0.02,
  network: { ackLost: 0.02, landsLate: 0.01, lost: 0.01, latestMs: 1500 },
};

export interface Made {
  readonly topology: Topology;
  readonly wire: Wire;
  readonly records: readonly (readonly [AnyTopic, number, readonly LogRecord[]])[];
}

/** What the sources of a ward append, taken from the log that they appended it to; `topics` are those that sources write. */
export const make = async (topology: Topology, topics: readonly AnyTopic[]): Promise<Made> => {
  const wire = await openWire(localRegistry(":memory:"), [...new Set([...topology.topics, ...sourceTopics])]);
  let nowMs = startMs - 1_000;
  const log = memoryLog({ now: () => nowMs });
  await log.ensure([...topology.topics, ...sourceTopics].map(({ name, partitions }) => ({ name, partitions })));
  const ward = simulatedWard({ beds: 2, seed: 1, startMs });
  const roster = readRoster(JSON.stringify(ward.roster));
  if (!roster.ok) throw new Error(roster.problem.detail);
  const rules = await loadRules({
    rules: ["topologies/rules/adult-example.json"],
    allowPlainRules: false,
    demoApproval: true,
  });
  await announce(roster.value, rules, realTime, { log, wire, now: () => nowMs });
  const appender = await log.appender("source");
  const intakeOf = (topic: typeof raw | typeof rawWaveforms): RawIntake =>
    new RawIntake({
      topic,
      appender,
      wire,
      scale: realTime,
      now: () => nowMs,
      onError: (error) => {
        throw error;
      },
    });
  const [vitals, waves] = [intakeOf(raw), intakeOf(rawWaveforms)];
  const tick = async (): Promise<void> => {
    for (const topic of [raw, rawWaveforms])
      for (let partition = 0; partition < topic.partitions; partition++) {
        const value = wire.encode(topic, { position: null, logTime: null, body: { kind: "tick" } });
        await appender.append([{ topic: topic.name, partition, key: "", value }]);
      }
  };
  let nextTickMs = startMs + everyTickMs;
  for (const { atMs, device, stream, mqttTopic, payload } of ward.messages()) {
    for (; nextTickMs <= Math.min(atMs, startMs + lastsMs); nextTickMs += everyTickMs) {
      nowMs = nextTickMs;
      await tick();
    }
    if (atMs > startMs + lastsMs) break;
    nowMs = atMs;
    const intake = stream === "waveforms" ? waves : vitals;
    await intake.accept({ mqttTopic, payload, session: device, dup: false, retained: false, qos: 1 });
  }
  for (; nextTickMs <= startMs + lastsMs + drainMs; nextTickMs += everyTickMs) {
    nowMs = nextTickMs;
    await tick();
  }
  const records: Made["records"][number][] = [];
  for (const topic of topics)
    for (let partition = 0; partition < topic.partitions; partition++) {
      const reader = await log.reader(topic.name, partition, "start");
      const all: LogRecord[] = [];
      for (let some = await reader.next(0); some.length > 0; some = await reader.next(0)) all.push(...some);
      records.push([topic, partition, all]);
    }
  return { topology, wire, records };
};

let made: Promise<Made> | undefined;

const makeReal = async (): Promise<Made> =>
  make(
    wardTopology(await loadAdapters(), {
      ...(await loadChartPolicies(
        {
          precedence: "topologies/precedence/adult-example.json",
          scores: "topologies/scores/adult-example.json",
          demoApproval: true,
        },
        0,
      )),
      destinations: [{ name: "ehr", finalAtEnd: true }],
      acceptDemoApprovals: true,
      clockUncertaintyMs,
    }),
    [raw, rawWaveforms, events],
  );

export const worldOf = ({ topology, wire, records }: Made): World => ({
  topology,
  wire,
  weather,
  lanes: records.map(([topic, partition, all]) => new Lane(topic, partition, all)),
});

export const realWard = async (): Promise<World> => {
  made ??= makeReal();
  return worldOf(await made);
};
