/** One owner of a task's state in the simulated cluster, by the same protocol as log/kafka-owner.ts: claim, load up to the claim, confirm, commit. */
import type { Owner } from "../../log/log.ts";
import { assertConfirmed } from "../../log/memory-store.ts";
import { commitUnsure, fenced, unavailable } from "../../log/refusal.ts";
import type { ProcessLog } from "./process-log.ts";
import type { StatePartition } from "./state-partition.ts";

/** No state key is like this one. */
const claimKey = "\u0000claim";
const claimed = new Uint8Array([1]);
const loadMost = 8;

/** What stands up to an offset, read piece by piece while others write and the cleaner works. */
export const scan = async (
  log: ProcessLog,
  state: StatePartition,
  upTo: number,
  between: () => Promise<void> = async () => {},
): Promise<Map<string, Uint8Array>> => {
  const loaded = new Map<string, Uint8Array>();
  const { schedule } = log.broker;
  state.loading.add(log.process);
  for (let next = 0, more = true; more; ) {
    const records = await log.ask("load", () => state.read(next, 1 + schedule.pick(loadMost)));
    more = records.length > 0;
    for (const { offset, key, value } of records) {
      next = offset + 1;
      if (offset > upTo) more = false;
      else if (key === claimKey) continue;
      else if (value === null) loaded.delete(key);
      else loaded.set(key, value);
    }
    await between();
  }
  state.loading.delete(log.process);
  return loaded;
};

export class SimOwner implements Owner {
  readonly log: ProcessLog;
  readonly state: StatePartition;
  readonly store: string;
  epoch = 0;
  claimOffset = -1;
  protected confirmed = false;
  #open = true;

  constructor(log: ProcessLog, state: StatePartition, store: string) {
    this.log = log;
    this.state = state;
    this.store = store;
  }

  async claim(): Promise<void> {
    await this.log.write(
      "claim",
      () => {
        this.epoch = this.state.nextEpoch();
        this.claimOffset = this.state.append(claimKey, claimed);
      },
      () => unavailable(`claiming ${this.store}`),
    );
  }

  async load(): Promise<ReadonlyMap<string, Uint8Array>> {
    return await scan(this.log, this.state, this.claimOffset, () => this.betweenPieces());
  }

  /** Waits for nothing, unless a test makes it. */
  protected async betweenPieces(): Promise<void> {}

  async confirm(): Promise<void> {
    await this.transact(new Map([[claimKey, claimed]]));
    this.confirmed = true;
  }

  async commit(changes: ReadonlyMap<string, Uint8Array | null>): Promise<void> {
    assertConfirmed(this.confirmed || !this.#open, this.store, 0);
    await this.transact(changes);
  }

  /** All or nothing, and nothing once a newer epoch stands. Any outcome but an answer that it is done ends the owner. */
  async transact(changes: ReadonlyMap<string, Uint8Array | null>): Promise<void> {
    if (!this.#open) throw fenced(this.store, 0);
    try {
      await this.send(changes);
    } catch (error) {
      this.#open = false;
      throw error;
    }
  }

  protected send(changes: ReadonlyMap<string, Uint8Array | null>): Promise<void> {
    return this.log.write(
      "commit",
      () => {
        if (!this.state.isCurrent(this.epoch)) throw fenced(this.store, 0);
        for (const [key, value] of changes) this.state.append(key, value);
      },
      () => commitUnsure(this.store, 0, "no answer"),
    );
  }

  async close(): Promise<void> {
    this.#open = false;
  }
}
