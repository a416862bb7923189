/**
 * Planted faults: protocols that look right and are not, each of which the simulator must find. C1 to C11 are the counterexamples that
 * shaped the protocol (docs/design.md), the others are what an implementation gets wrong most easily. None of it exists outside tests.
 */
import { checkpointKey, licenceKey, lifeOf, supersededKey } from "../../streams/core/checkpoint.ts";
import type { Body, Envelope } from "../../streams/core/topic.ts";
import type { AnyStage, Entry, State } from "../../streams/core/stage.ts";
import type { LogTime } from "../../streams/core/time.ts";
import type { Wire } from "../../streams/core/wire.ts";
import type { Append, Appender, Log, Reader } from "../../streams/log/log.ts";
import { type Broker, TopicPartition } from "../../streams/sim/cluster/broker.ts";
import { scan, SimOwner } from "../../streams/sim/cluster/owner.ts";
import { type Network, ProcessLog } from "../../streams/sim/cluster/process-log.ts";
import type { SimProcess } from "../../streams/sim/cluster/schedule.ts";
import type { StatePartition } from "../../streams/sim/cluster/state-partition.ts";
import { pipeline, values, widthMs } from "./pipeline.ts";
import type { Planted, Weather } from "./scenario.ts";
import { deployingWard } from "./small-ward.ts";

type Changes = ReadonlyMap<string, Uint8Array | null>;
const json = (bytes: Uint8Array | null | undefined): never =>
  JSON.parse(new TextDecoder().decode(bytes ?? undefined)) as never;
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const owned = (Owner: typeof SimOwner, weather: Partial<Weather> = {}): Planted => ({
  weather,
  log: (broker, process, network) =>
    new (class extends ProcessLog {
      protected override ownerOf(state: StatePartition, store: string): SimOwner {
        return new Owner(this, state, store);
      }
    })(broker, process, network),
});

const logged = (Log: new (broker: Broker, process: SimProcess, network: Network) => ProcessLog): Planted => ({
  log: (broker, process, network) => new Log(broker, process, network),
});

/** Writes without a transaction and without a fence. */
class Unfenced extends SimOwner {
  protected override async send(changes: Changes): Promise<void> {
    await this.put(changes);
  }

  protected put(changes: Iterable<readonly [string, Uint8Array | null]>): Promise<void> {
    return this.log.write(
      "state",
      () => {
        for (const [key, value] of changes) this.state.append(key, value);
      },
      () => new Error("no answer"),
    );
  }
}

/** C1. Each state and the checkpoint land by themselves: a zombie's checkpoint comes to stand beside its successor's states. */
class OneByOne extends Unfenced {
  protected override async send(changes: Changes): Promise<void> {
    for (const change of changes) await this.put([change]);
  }
}

/** C2. States are kept per owner, and the newest owner's wins, though an older one has come further. */
class NewestOwner extends Unfenced {
  protected override send(changes: Changes): Promise<void> {
    const kept = [...changes].map(([key, value]): [string, Uint8Array] => [
      `${key}\u0001${String(this.epoch).padStart(6, "0")}`,
      value ?? new Uint8Array(),
    ]);
    return super.send(new Map(kept));
  }

  override async load(): Promise<ReadonlyMap<string, Uint8Array>> {
    const stored = [...(await scan(this.log, this.state, this.claimOffset))].sort(([a], [b]) => (a < b ? -1 : 1));
    const newest = new Map<string, Uint8Array>();
    for (const [name, value] of stored) {
      const [key = ""] = name.split("\u0001");
      const before = newest.get(key);
      if (key === checkpointKey && before !== undefined && next(before) > next(value)) continue;
      if (value.length > 0) newest.set(key, value);
      else newest.delete(key);
    }
    return newest;
  }
}
const next = (checkpoint: Uint8Array): number => (json(checkpoint) as { next: number }).next;

/** C3. An emptied key is deleted before a checkpoint has passed what emptied it. */
class DeletesFirst extends SimOwner {
  protected override async send(changes: Changes): Promise<void> {
    const gone = [...changes].filter(([, value]) => value === null);
    if (gone.length > 0) await super.send(new Map(gone));
    await super.send(new Map([...changes].filter(([, value]) => value !== null)));
  }
}

/** C4. Loads before it claims: the owner before goes on writing, and the cleaner removes what it superseded, while this one reads. */
class LoadsFirst extends SimOwner {
  override async claim(): Promise<void> {
    this.claimOffset = await this.log.ask("end", () => this.state.end - 1);
  }

  override async confirm(): Promise<void> {
    await super.claim();
    this.confirmed = true;
  }
}

/** C5. A commit without an answer is sent again and the owner goes on; the first one may land over what came later. */
class SendsAgain extends SimOwner {
  protected override async send(changes: Changes): Promise<void> {
    for (let attempt = 0; ; attempt++)
      try {
        return await super.send(changes);
      } catch (error) {
        if (attempt > 3 || (error as { code?: string }).code !== "commit-unsure") throw error;
      }
  }
}

/** States first, the checkpoint in a transaction of its own. */
class StatesFirst extends SimOwner {
  protected override async send(changes: Changes): Promise<void> {
    const states = [...changes].filter(([key]) => key !== checkpointKey);
    if (states.length > 0) await super.send(new Map(states));
    await super.send(new Map([...changes].filter(([key]) => key === checkpointKey)));
  }
}

const hadCell = "\u0002had";
const withoutHad = (state: State<unknown>): State<unknown> => ({
  get: (cell) => state.get(cell),
  set: (cell, value) => state.set(cell, value),
  delete: (cell) => state.delete(cell),
  cells: () => [...state.cells()].filter(([name]) => name !== hadCell),
  get dueAt() {
    return state.dueAt;
  },
  set dueAt(at) {
    state.dueAt = at;
  },
});

/** C6. A replay skips what a key has had already, and what follows in the same entry gets positions that mean something else. */
const skipping = (stage: AnyStage): AnyStage => ({
  ...stage,
  step(state: State<unknown>, entry: Entry<Body>, ...rest: [never, never]) {
    if (((state.get(hadCell) as number | undefined) ?? -1) >= entry.offset) return;
    stage.step(withoutHad(state), entry, ...rest);
    state.set(hadCell, entry.offset);
  },
  ...(stage.due !== undefined && {
    due: (state: State<unknown>, ...rest: [LogTime, string, never, never]) => stage.due?.(withoutHad(state), ...rest),
  }),
});
/** Owners started later have other code under the same version, and begin wherever the checkpoint stands. */
const changed = (stage: AnyStage): AnyStage =>
  stage.name !== "streaks"
    ? stage
    : {
        ...stage,
        step(state: State<unknown>, entry: Entry<Body & { value: number }>, ...rest: [never, never]) {
          stage.step(state, { ...entry, body: { ...entry.body, value: entry.body.value + 1 } }, ...rest);
        },
      };

/** C7. The newer version begins where the older one's checkpoint stands: what a zombie of the old code has emitted beyond it is torn. */
class CutsAtCheckpoint extends SimOwner {
  protected override send(changes: Changes): Promise<void> {
    const superseded = changes.get(supersededKey);
    if (!superseded) return super.send(changes);
    const { next: at } = lifeOf(this.state.current());
    return super.send(new Map([...changes, [supersededKey, bytes({ ...(json(superseded) as object), at })]]));
  }
}

/** C8. Owners started later write to one partition more. */
const wider = (stage: AnyStage): AnyStage =>
  stage.name.endsWith("label")
    ? { ...stage, writes: { ...stage.writes, values: { ...values, partitions: values.partitions + 1 } } }
    : stage;

/** C9. Nobody looks whether the log still holds what the checkpoint needs. */
class TrustsRetention extends ProcessLog {
  override async bounds(...of: Parameters<Log["bounds"]>): ReturnType<Log["bounds"]> {
    return { ...(await super.bounds(...of)), start: 0 };
  }

  override reader(topic: string, partition: number, from: number | "start" | "end"): Promise<Reader> {
    const { start } = this.broker.partition(topic, partition);
    return super.reader(topic, partition, typeof from === "number" ? Math.max(from, start) : from);
  }
}
const trims = (broker: Broker): void => {
  const { schedule } = broker;
  if (!schedule.chance(0.01)) return;
  const partitions = broker.topics.get("values") ?? [];
  const one = partitions[schedule.pick(partitions.length)];
  if (one !== undefined) one.start = Math.max(one.start, one.end - 4);
};

/** Reads positions without some of their parts. */
const forgetful = (forgotten: object): Planted => ({
  wire: (honest) =>
    decoding(honest, (entry) => ({ ...entry, position: entry.position && { ...entry.position, ...forgotten } })),
  topology: {
    ...pipeline,
    upstreams: (topic) => [...new Set(pipeline.upstreams(topic).map((name) => renamed(name, forgotten)))],
  },
});
const renamed = (name: string, forgotten: object): string => {
  const [writer = "", place = ""] = name.split(":");
  return `${"writer" in forgotten ? "" : writer}:${"topic" in forgotten ? `/${place.split("/")[1]}` : place}`;
};
const decoding = (honest: Wire, change: (entry: Envelope<Body>) => Envelope<Body>): Wire => ({
  encode: (...of) => honest.encode(...of),
  learn: (id) => honest.learn(id),
  decode: (...of) => {
    const decoded = honest.decode(...of);
    return (decoded.ok ? { ok: true, value: change(decoded.value as Envelope<Body>) } : decoded) as never;
  },
});

const slowLoads = 0.2;
const slowLoadMs = 300;
/** Before everything is healed: what never comes to rest proves nothing. */
const slowUntilStep = 2_500;

/** C11. Steps after the load without asking once more whether it is still the owner. */
class NeverConfirms extends SimOwner {
  /** Now and then a load takes so long that its group gives up on it, and somebody else has taken over, stored something and seen it compacted. */
  protected override async betweenPieces(): Promise<void> {
    const { broker, process } = this.log;
    const { schedule } = broker;
    if (schedule.steps > slowUntilStep || !schedule.chance(slowLoads)) return;
    broker.expel(process);
    await new Promise<void>((resolve) => schedule.after(process, schedule.pick(slowLoadMs), "a slow load", resolve));
  }

  override async confirm(): Promise<void> {
    this.confirmed = true;
  }

  /** A licence asks the store once more before anything is stepped, which finds what the claim did not: so that is left out too. */
  protected override async send(changes: Changes): Promise<void> {
    if ([...changes.keys()].some((key) => key !== licenceKey)) await super.send(changes);
  }
}

/** Its claim fences nobody. */
class NeverClaims extends SimOwner {
  protected override send(changes: Changes): Promise<void> {
    return this.log.write(
      "commit",
      () => {
        for (const [key, value] of changes) this.state.append(key, value);
      },
      () => new Error("no answer"),
    );
  }
}

/** Stores the checkpoint, then sends the outputs. */
class OutputsLast extends ProcessLog {
  readonly #waiting = new Map<string, Append[]>();

  override async appender(name: string): Promise<Appender> {
    return {
      append: async (records) => void this.#waiting.getOrInsertComputed(name, () => []).push(...records),
      close: async () => void this.#waiting.delete(name),
    };
  }

  protected override ownerOf(state: StatePartition, store: string): SimOwner {
    const honest = super.ownerOf(state, store);
    const commit = honest.commit.bind(honest);
    honest.commit = async (changes) => {
      await commit(changes);
      const outputs = this.#waiting.get(store) ?? [];
      this.#waiting.delete(store);
      await (await super.appender(store)).append(outputs);
    };
    return honest;
  }
}

/** The high-water marks are stored in a transaction after the one that stores the state. */
class MarksApart extends SimOwner {
  protected override async send(changes: Changes): Promise<void> {
    const stored = changes.get(checkpointKey);
    if (stored === undefined || stored === null) return super.send(changes);
    const { marks, ...checkpoint } = json(stored) as { marks: unknown };
    await super.send(new Map([...changes, [checkpointKey, bytes(checkpoint)]]));
    await super.send(new Map([["\u0003marks", bytes(marks)]]));
  }

  override async load(): Promise<ReadonlyMap<string, Uint8Array>> {
    const stored = await scan(this.log, this.state, this.claimOffset);
    const [checkpoint, marks] = [stored.get(checkpointKey), stored.get("\u0003marks")];
    stored.delete("\u0003marks");
    if (checkpoint !== undefined)
      stored.set(
        checkpointKey,
        bytes({ ...(json(checkpoint) as object), marks: marks === undefined ? [] : json(marks) }),
      );
    return stored;
  }
}

/** A tick says what the clock says where it is read. */
const wallClock = (honest: Wire): Wire => {
  let clock = 0;
  return decoding(honest, (entry) => {
    clock = Math.max(clock, entry.logTime ?? 0);
    return entry.body.kind === "tick" && entry.logTime !== null ? { ...entry, logTime: clock as LogTime } : entry;
  });
};

/** Sends the second half of a batch before the first is answered. */
class TwoInFlight extends ProcessLog {
  override async send(request: readonly Append[]): Promise<void> {
    const half = Math.ceil(request.length / 2);
    await Promise.all([super.send(request.slice(0, half)), super.send(request.slice(half))]);
  }
}

/** Drops what comes after its window was told, and says nothing. */
const dropsLate = (stage: AnyStage): AnyStage =>
  stage.name !== "minutes"
    ? stage
    : {
        ...stage,
        step(state: State<unknown>, entry: Entry<Body & { at: number }>, ...rest: [never, never]) {
          if (entry.logTime <= Math.floor(entry.body.at / widthMs) * widthMs + 2 * widthMs)
            stage.step(state, entry, ...rest);
        },
      };

const contested: Partial<Weather> = { expel: 0.03, pause: 0.01, compact: 0.15 };
const all = (change: (stage: AnyStage) => AnyStage): Planted => ({ stages: (honest) => honest.map(change) });
const fromThe = (first: number, change: (stage: AnyStage) => AnyStage): Planted => ({
  stages: (honest, nth) => (nth < first ? honest : honest.map(change)),
});

export const faults: Readonly<Record<string, Planted>> = {
  "C1 a zombie's checkpoint beside its successor's state": owned(OneByOne, contested),
  "C2 the newest owner's state over the highest position": owned(NewestOwner, contested),
  "C3 an emptied key deleted before a checkpoint passed it": owned(DeletesFirst),
  "C4 compaction while state is loaded before the claim": owned(LoadsFirst, contested),
  "C5 a state write that lands late over a newer one": owned(SendsAgain, {
    network: { ackLost: 0.02, landsLate: 0.05, lost: 0.01, latestMs: 400 },
  }),
  "C6 a replay that skips keys and reuses positions": { ...owned(StatesFirst), ...all(skipping) },
  "a changed stage under its old version": fromThe(3, changed),
  "C7 a cut-over at the checkpoint: other code replays": {
    ...owned(CutsAtCheckpoint, { expel: 0.03, pause: 0.02 }),
    world: deployingWard,
  },
  "C8 a downstream topic gains a partition": {
    ...fromThe(3, wider),
    also: ({ topics }) => {
      const stands = topics.get("values") ?? [];
      if (stands.length === values.partitions)
        topics.set("values", [...stands, new TopicPartition("values", stands.length)]);
    },
  },
  "C9 retention passes a checkpoint": { ...logged(TrustsRetention), also: trims },
  "C10 positions without their topic, nor what holds it": forgetful({ writer: "", topic: "" }),
  "C11 no second claim after the load": owned(NeverConfirms, { compact: 0.5, expel: 0.02, pause: 0.02, steps: 3000 }),
  "no claim": owned(NeverClaims, contested),
  "the checkpoint before the outputs": logged(OutputsLast),
  "high-water marks apart from the state": owned(MarksApart, contested),
  "ticks from the wall clock": { wire: wallClock },
  "two requests in flight": logged(TwoInFlight),
  "late data dropped": all(dropsLate),
  "positions without their writer": forgetful({ writer: "" }),
};
