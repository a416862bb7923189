/**
 * One simulated day of the small ward: workers that share six stages, and seeded chance that kills, freezes and expels them, loses and
 * delays what they send and compacts their state under them. Then everything is healed, must drain, and is held against the oracle.
 */
import { lifeOf, storeOf } from "../../streams/core/checkpoint.ts";
import { InvariantError } from "../../streams/core/failure.ts";
import type { AnyStage } from "../../streams/core/stage.ts";
import type { TaskCounts } from "../../streams/core/task.ts";
import type { Topology } from "../../streams/core/topology.ts";
import type { Wire } from "../../streams/core/wire.ts";
import type { RunnerOptions } from "../../streams/log/runner-options.ts";
import { runStage } from "../../streams/log/stage-runner.ts";
import { Broker } from "../../streams/sim/cluster/broker.ts";
import { type Network, ProcessLog } from "../../streams/sim/cluster/process-log.ts";
import { Schedule, type SimProcess } from "../../streams/sim/cluster/schedule.ts";
import { random } from "../../streams/sim/random.ts";
import { type Version, whatIsWrong } from "./oracle.ts";
import { smallWard } from "./small-ward.ts";
import type { World } from "./world.ts";

/** How rough it gets. Probabilities are per step of the schedule, those of the network per write. */
export interface Weather {
  readonly steps: number;
  readonly workers: number;
  readonly crash: number;
  readonly pause: number;
  readonly expel: number;
  readonly compact: number;
  readonly network: Network;
}

/** Tests plant faults here; the honest cluster has none. */
export interface Planted {
  readonly weather?: Partial<Weather>;
  /** Another world than the small ward. */
  world?(seed: number): World;
  log?(broker: Broker, process: SimProcess, network: Network): ProcessLog;
  wire?(honest: Wire, schedule: Schedule): Wire;
  /** What the nth process that is started runs. */
  stages?(honest: readonly AnyStage[], nth: number): readonly AnyStage[];
  readonly topology?: Topology;
  /** Something more that happens by chance, asked at each step. */
  also?(broker: Broker, schedule: Schedule): void;
}

export interface Verdict {
  readonly wrong: string | null;
  readonly trace: string;
  readonly steps: number;
  readonly entries: number;
  /** How often a task was claimed. */
  readonly claims: number;
  /** Entries that readers dropped because they had had them. */
  readonly repeats: number;
}

const longestSilenceMs = 500;
const longestPauseMs = 900;
const healedStepsMost = 60_000;
const exitsMost = 50;
const tricklePerStep = 0.05;

export const run = async (
  seed: number,
  planted: Planted = {},
  world = planted.world?.(seed) ?? smallWard(seed),
): Promise<Verdict> => {
  const weather = { ...world.weather, ...planted.weather };
  Error.stackTraceLimit = 0; // thousands of refusals a second, nobody reads where they came from
  const schedule = new Schedule(random(seed, "schedule"));
  const broker = new Broker(schedule);
  const ward = new Ward(world, weather, planted, broker);
  const verdict = (wrong: string | null): Verdict => ({
    wrong,
    trace: schedule.trace,
    steps: schedule.steps,
    entries: sum([...broker.topics.values()].flat().map(({ end }) => end)),
    claims: sum([...broker.stores.values()].flat().map(({ epoch }) => epoch)),
    repeats: sum([...ward.counts].map(({ repeats }) => repeats)),
  });
  for (const { name, partitions } of world.topology.topics) broker.ensure(name, partitions);
  for (let i = 0; i < weather.workers; i++) ward.start();
  for (let i = 0; i < weather.steps && ward.broken === null; i++) {
    if (i === world.deploy?.atStep) ward.deploy();
    ward.maybe();
    await schedule.step();
  }
  ward.heal();
  const until = schedule.steps + healedStepsMost;
  while (ward.broken === null && schedule.steps < until) {
    ward.trickle();
    if (!(await schedule.step()) && ward.inputsLeft() === 0) break;
  }
  if (ward.broken !== null) return verdict(ward.broken);
  if (schedule.steps >= until) return verdict("does not come to rest");
  return verdict(
    whatIsWrong({
      topology: world.topology,
      wire: world.wire,
      history: (topic, partition) => broker.partition(topic, partition).history,
      versions: (stage, partition) => versionsOf(world, broker, stage, partition),
    }),
  );
};

/** Which version stepped what, by what the older one's store says of its end. */
const versionsOf = (world: World, broker: Broker, stage: AnyStage, partition: number): readonly Version[] => {
  const newer = world.deploy?.topology.stage(stage.name);
  if (newer === undefined || newer.version === stage.version) return [{ stage, from: 0 }];
  const state = broker.stores.get(storeOf(stage))?.[partition];
  const ended = state === undefined ? null : lifeOf(state.current()).superseded;
  return ended === null
    ? [{ stage, from: 0 }]
    : [
        { stage, from: 0 },
        { stage: newer, from: ended.at },
      ];
};

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

class Ward {
  readonly #weather: Weather;
  readonly #planted: Planted;
  readonly #broker: Broker;
  readonly #schedule: Schedule;
  readonly #wire: Wire;
  readonly #world: World;
  readonly #network: Network;
  /** How many there were to begin with. */
  readonly #inputs: number;
  readonly #builds: Topology[];
  readonly #buildOf = new Map<SimProcess, number>();
  #processes: SimProcess[] = [];
  #started = 0;
  #exits = 0;
  /** What the tasks counted, those of dead processes too. */
  readonly counts = new Set<Readonly<TaskCounts>>();
  /** What no fault excuses. */
  broken: string | null = null;

  constructor(world: World, weather: Weather, planted: Planted, broker: Broker) {
    this.#world = world;
    this.#weather = weather;
    this.#planted = planted;
    this.#broker = broker;
    this.#schedule = broker.schedule;
    this.#wire = planted.wire?.(world.wire, broker.schedule) ?? world.wire;
    this.#inputs = this.inputsLeft();
    this.#builds = [world.topology];
    this.#network = { ...weather.network };
  }

  /** Workers of the newer build join those of the older one. */
  deploy(): void {
    const { deploy } = this.#world;
    if (deploy !== undefined) this.#builds.push(deploy.topology);
    this.#startMissing();
  }

  start(build = 0): void {
    const process: SimProcess = { id: this.#started++, alive: true, paused: false };
    this.#processes.push(process);
    this.#buildOf.set(process, build);
    const log =
      this.#planted.log?.(this.#broker, process, this.#network) ?? new ProcessLog(this.#broker, process, this.#network);
    const built = this.#builds[build] ?? this.#world.topology;
    const own = this.#planted.stages?.(built.stages, process.id) ?? built.stages;
    const topology = this.#planted.topology ?? built;
    for (const stage of own) {
      const options: RunnerOptions = {
        log,
        wire: this.#wire,
        lingerMs: 0,
        timer: log.timer,
        onProgress: (_stage, _partition, _next, counts) => this.counts.add(counts),
        onError: (_stage, _partition, error) => this.#told(error),
      };
      runStage(stage, topology, options)
        .then(({ done }) => done)
        .catch((error: unknown) => this.#exit(process, error));
    }
  }

  /** What chance brings before the next step. */
  maybe(): void {
    const { crash, pause, expel, compact, steps } = this.#weather;
    const schedule = this.#schedule;
    for (let due = this.#inputs / steps; due > 0; due--) if (schedule.chance(due)) this.#feed();
    if (schedule.chance(crash)) this.#kill(this.#anyone());
    if (schedule.chance(pause)) this.#pause(this.#anyone());
    if (schedule.chance(expel)) this.#expel(this.#anyone());
    if (schedule.chance(compact)) this.#compact();
    this.#planted.also?.(this.#broker, schedule);
  }

  /** No more faults: everybody lives, the network is kind, all input is in or comes. */
  heal(): void {
    Object.assign(this.#network, { ackLost: 0, landsLate: 0, lost: 0 });
    while (this.#world.deploy === undefined && this.inputsLeft() > 0) this.#feed();
    for (const process of this.#processes) if (process.paused) this.#schedule.resume(process);
    this.#startMissing();
  }

  /** As many workers of each build as there should be. */
  #startMissing(): void {
    for (const build of this.#builds.keys()) while (this.#alive(build) < this.#weather.workers) this.start(build);
  }

  #alive(build: number): number {
    return this.#processes.filter((process) => this.#buildOf.get(process) === build).length;
  }

  #anyone(): SimProcess | undefined {
    return this.#processes[this.#schedule.pick(this.#processes.length)];
  }

  /** A deploy goes on after the faults, and needs that time goes on. */
  trickle(): void {
    if (this.inputsLeft() > 0 && this.#schedule.chance(tricklePerStep)) this.#feed();
  }

  inputsLeft(): number {
    return sum(this.#world.lanes.map(({ left }) => left));
  }

  #feed(): void {
    const open = this.#world.lanes.filter(({ left }) => left > 0);
    const lane = open[this.#schedule.pick(open.length)];
    const input = lane?.next();
    if (lane === undefined || input === undefined) return;
    const { key, value, stampMs } = input;
    this.#broker.append([{ topic: lane.topic.name, partition: lane.partition, key, value }], stampMs);
  }

  #kill(process: SimProcess | undefined): void {
    if (process === undefined) return;
    process.alive = false;
    this.#processes = this.#processes.filter((other) => other !== process);
    const schedule = this.#schedule;
    schedule.after(null, schedule.pick(longestSilenceMs), "expelled", () => this.#broker.expel(process));
    schedule.after(null, schedule.pick(longestSilenceMs), "started", () => this.#startMissing());
  }

  #pause(process: SimProcess | undefined): void {
    if (process === undefined || process.paused) return;
    process.paused = true;
    const schedule = this.#schedule;
    const silentMs = schedule.pick(longestPauseMs);
    schedule.after(null, silentMs, "resumed", () => schedule.resume(process));
    if (silentMs > longestSilenceMs / 2)
      schedule.after(null, longestSilenceMs / 2, "expelled", () => this.#broker.expel(process));
  }

  #expel(process: SimProcess | undefined): void {
    if (process !== undefined) this.#broker.expel(process);
  }

  #compact(): void {
    const states = [...this.#broker.stores.values()].flat();
    states[this.#schedule.pick(states.length)]?.compact(() => this.#schedule.chance(0.5));
  }

  #told(error: unknown): void {
    if (error instanceof InvariantError) this.broken = `invariant: ${error.message}`;
  }

  /** A subscription that can't go on ends its process; whoever watches starts another. */
  #exit(process: SimProcess, error: unknown): void {
    this.#told(error);
    if (!process.alive) return;
    if (++this.#exits > exitsMost) this.broken ??= `gives up: ${String(error)}`;
    else this.#kill(process);
  }
}
