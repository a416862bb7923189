/** The standard world: the small ward of pipeline.ts with a day of readings whose clocks are right, late, out of order or mad. */
import { partitionOf } from "../../streams/core/hash.ts";
import type { AnyTopic } from "../../streams/core/stage.ts";
import type { Wire } from "../../streams/core/wire.ts";
import { random } from "../../streams/sim/random.ts";
import { devices, newerPipeline, pipeline, type Reading, readings } from "./pipeline.ts";
import type { Weather } from "./scenario.ts";
import { PassingWire } from "./wire.ts";
import { Lane, type World } from "./world.ts";

const standard: Weather = {
  steps: 360,
  workers: 3,
  crash: 0.008,
  pause: 0.006,
  expel: 0.006,
  compact: 0.03,
  network: { ackLost: 0.02, landsLate: 0.01, lost: 0.01, latestMs: 1500 },
};

export const smallWard = (seed: number): World => {
  const wire = new PassingWire();
  return { topology: pipeline, wire, lanes: script(seed, wire), weather: standard };
};

/** The same while a newer build is rolled out beside the older one; afterwards ticks go on, for a cut-over lies ahead by a licence. */
export const deployingWard = (seed: number): World => {
  const wire = new PassingWire();
  return {
    topology: pipeline,
    wire,
    lanes: script(seed, wire, ticksAfterDeploy),
    weather: { ...standard, workers: 2, steps: 500 },
    deploy: { topology: newerPipeline, atStep: 150 },
  };
};

interface Item {
  readonly stampMs: number;
  readonly key: string;
  readonly body: Reading | { readonly kind: "tick" };
}

/** Readings of each raw partition. */
const many = 8;
const dayMs = 60_000;
const tickMs = 20_000;
const drainMs = 40_000;
const ticksAfterDeploy = 60;

/** Readings with clocks that are right, late, out of order, or mad, and ticks until every window is closed. */
const script = (seed: number, wire: Wire, ticksMore = 0): Lane[] => {
  const chance = random(seed, "readings");
  const lanes: readonly (readonly [AnyTopic, number, readonly string[]])[] = [
    [readings, 0, keysOf(0)],
    [readings, 1, keysOf(1)],
    [devices, 0, ["x1", "x2"]],
  ];
  return lanes.map(([topic, partition, keys]) => {
    const items = Array.from({ length: many }, (): Item => {
      const stampMs = Math.floor(chance.next() * dayMs);
      const off = chance.next();
      const lateMs = off < 0.6 ? chance.next() * 500 : off < 0.9 ? chance.next() * 15_000 : off < 0.97 ? 60_000 : -3e11;
      const body: Reading = {
        kind: "reading",
        at: Math.floor(stampMs - lateMs),
        value: Math.floor(chance.next() * 99),
      };
      return { stampMs, key: keys[Math.floor(chance.next() * keys.length)] ?? "x1", body };
    });
    const ticks = Array.from({ length: Math.ceil((dayMs + drainMs) / tickMs) + ticksMore }, (_, i): Item => {
      return { stampMs: (i + 1) * tickMs, key: "", body: { kind: "tick" } };
    });
    const inputs = [...items, ...ticks]
      .sort((a, b) => a.stampMs - b.stampMs)
      .map(({ body, ...item }) => ({ ...item, value: wire.encode(topic, { position: null, logTime: null, body }) }));
    return new Lane(topic, partition, inputs);
  });
};

const keysOf = (partition: number): string[] =>
  Array.from({ length: 12 }, (_, i) => `d${i}`).filter((key) => partitionOf(key, readings.partitions) === partition);
