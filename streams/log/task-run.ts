/**
 * One ownership of a task, from its claim to its close: loads and confirms, finds out where its version stands in its life (log/cut-over.ts),
 * steps batches, and stores outputs first, then state and checkpoint in one transaction.
 */
import { checkpointOf, groupOf, type Life, lifeOf, mayBeginAnywhere, storeOf } from "../core/checkpoint.ts";
import { OperatingError } from "../core/failure.ts";
import type { AnyStage } from "../core/stage.ts";
import { Task } from "../core/task.ts";
import type { Topology } from "../core/topology.ts";
import { begin, giveWay, goesLive, Licence, rebuildUpTo, supersededBy } from "./cut-over.ts";
import { decodeAll } from "./decode.ts";
import type { Appender, LogRecord, Owner } from "./log.ts";
import { refuseLostInput, refuseLostUpstream, refuseOtherInput, refuseOtherUpstreams } from "./lost-input.ts";
import { encodeOutputs } from "./outputs.ts";
import type { RunnerOptions } from "./runner-options.ts";
import { realTimer } from "./signal.ts";

const largestBatch = 5_000;
/** A close waits this long for the step under way, so that what it owns can be given back cleanly. */
const closeMsMax = 2_000;
const rebuiltPollMs = 500;

export const notOpen = (stage: AnyStage, partition: number): OperatingError =>
  new OperatingError("task-not-open", `${storeOf(stage)}/${partition}: records came while it was closed`, {
    retry: true,
  });

export class TaskRun {
  readonly #stage: AnyStage;
  readonly #partition: number;
  readonly #options: RunnerOptions;
  readonly #task: Task;
  readonly #upstreams: readonly string[];
  readonly #closed = Promise.withResolvers<void>();
  #owner: Owner | undefined;
  #appender: Appender | undefined;
  #life: Life | undefined;
  #licence: Licence | undefined;
  #isClosed = false;
  /** Settles when nothing is under way; a step that failed leaves its ownership unclean. */
  #working: Promise<unknown> = Promise.resolve();
  #clean = true;
  /** While it is rebuilt by replay: how far it may step, its outputs thrown away. */
  #rebuiltUpTo = 0;

  constructor(stage: AnyStage, partition: number, topology: Topology, options: RunnerOptions) {
    this.#stage = stage;
    this.#partition = partition;
    this.#options = options;
    this.#upstreams = topology.upstreams(stage.reads.name);
    this.#task = new Task(stage, partition, this.#upstreams);
  }

  /** The offset to read from. */
  async open(): Promise<number> {
    const { log } = this.#options;
    const { reads } = this.#stage;
    const owner = await log.claim(storeOf(this.#stage), this.#partition, reads.partitions);
    this.#owner = owner;
    if (this.#isClosed) return await this.#tooLate();
    let stored = await owner.load();
    await owner.confirm();
    let life = lifeOf(stored);
    const isNew = this.#stage.version > 1 && !life.begun && !life.rebuilding && life.superseded === null;
    if (isNew) {
      stored = await begin(log, this.#stage, this.#partition, owner);
      life = lifeOf(stored);
    }
    life = {
      ...life,
      superseded: life.superseded ?? (await giveWay(log, this.#stage, this.#partition, owner, life)),
    };
    this.#life = life;
    this.#licence = new Licence(life);
    if (this.#isOver(life.next)) await this.#stand();
    this.#task.restore(stored);
    refuseOtherInput(this.#stage, stored);
    refuseOtherUpstreams(this.#stage, stored, this.#upstreams);
    await refuseLostInput(log, reads.name, this.#partition, this.#task.next, mayBeginAnywhere(stored));
    await refuseLostUpstream(log, `${this.#stage.name}/${this.#partition}`, checkpointOf(stored)?.marks ?? []);
    this.#appender = await log.appender(`${storeOf(this.#stage)}/${this.#partition}`);
    if (this.#isClosed) return await this.#tooLate();
    return this.#task.next;
  }

  /** Closed while it opened: closes what has been opened since. */
  async #tooLate(): Promise<never> {
    await this.#appender?.close();
    await this.#owner?.close();
    throw notOpen(this.#stage, this.#partition);
  }

  async process(records: readonly LogRecord[]): Promise<void> {
    const { log } = this.#options;
    for (let i = 0; i < records.length; ) {
      if (this.#isOver(this.#task.next)) await this.#stand();
      const upTo = this.#life?.rebuilding
        ? await this.#rebuildUpTo()
        : (this.#life?.superseded?.at ?? Number.POSITIVE_INFINITY);
      const batch = records.slice(i, i + largestBatch).filter(({ offset }) => offset < upTo);
      i += batch.length;
      // an offset that the log skips can lie at the cut-over itself
      if (batch.length === 0) this.#task.skipTo(upTo);
      else await this.#work(this.#step(batch));
    }
    await log.report(groupOf(this.#stage), this.#stage.reads.name, this.#partition, this.#task.next);
  }

  /** Ends it at once, but for the step under way; gives back what it has not used of its licence. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closed.resolve();
    await this.#within(closeMsMax, this.#working);
    const unused =
      this.#clean && this.#appender !== undefined && !this.#life?.superseded && !this.#life?.rebuilding
        ? this.#licence?.unused(this.#task.next)
        : null;
    // one that was fenced meanwhile has nothing to give back
    if (unused && this.#owner !== undefined)
      await this.#within(
        closeMsMax,
        this.#owner.commit(unused).catch(() => undefined),
      );
    await this.#appender?.close();
    await this.#owner?.close();
  }

  async #step(batch: readonly LogRecord[]): Promise<void> {
    const { wire, onQuarantined, onProgress } = this.#options;
    const [owner, appender, licence, task] = [this.#owner, this.#appender, this.#licence, this.#task];
    const last = batch.at(-1);
    if (owner === undefined || appender === undefined || licence === undefined || last === undefined || this.#isClosed)
      throw notOpen(this.#stage, this.#partition);
    const inputs = await decodeAll(this.#stage.reads, batch, wire);
    if (this.#life?.rebuilding) {
      task.process(inputs);
      await owner.commit(task.checkpoint());
    } else {
      await licence.cover(owner, task.next, last.offset + 1);
      const outputs = task.process(inputs);
      const { appends, quarantined, poisoned } = encodeOutputs(this.#stage, this.#partition, inputs, outputs, wire);
      task.counts.quarantined += poisoned;
      if (appends.length > 0) await appender.append(appends);
      const changes = task.checkpoint();
      const granted = this.#life?.superseded ? undefined : licence.renew(changes, task.next, batch.length);
      await owner.commit(changes);
      granted?.();
      for (const reason of quarantined) onQuarantined?.(this.#stage.name, reason);
    }
    onProgress?.(this.#stage.name, this.#partition, task.next, task.counts);
  }

  /** Waits for the work, but no longer than so. */
  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const { timer = realTimer } = this.#options;
    const waited = Promise.withResolvers<void>();
    const cancel = timer(ms, waited.resolve);
    await Promise.race([waited.promise, work]);
    cancel();
  }

  async #work(step: Promise<void>): Promise<void> {
    this.#clean = false;
    this.#working = step.catch(() => undefined);
    await step;
    this.#clean = true;
  }

  #isOver(next: number): boolean {
    return this.#life?.superseded !== null && this.#life?.superseded !== undefined && next >= this.#life.superseded.at;
  }

  /** Says once that a newer version has taken over, and does nothing any more. */
  async #stand(): Promise<never> {
    const superseded = this.#life?.superseded;
    if (superseded)
      this.#options.onError(this.#stage.name, this.#partition, supersededBy(this.#stage, this.#partition, superseded));
    await this.#closed.promise;
    throw notOpen(this.#stage, this.#partition);
  }

  /** Waits for the older version where it has to; goes live where that one ended. */
  async #rebuildUpTo(): Promise<number> {
    const { log } = this.#options;
    const [next, owner] = [this.#task.next, this.#owner];
    if (next < this.#rebuiltUpTo) return this.#rebuiltUpTo;
    for (;;) {
      const may = await rebuildUpTo(log, this.#stage, this.#partition, next);
      if (this.#isClosed || owner === undefined) throw notOpen(this.#stage, this.#partition);
      if (may?.live) {
        await owner.commit(goesLive(next));
        this.#life = { next, licence: next, superseded: null, begun: true, rebuilding: false };
        this.#licence = new Licence(this.#life);
        return Number.POSITIVE_INFINITY;
      }
      if (may !== null) {
        this.#rebuiltUpTo = may.upTo;
        return may.upTo;
      }
      await this.#within(rebuiltPollMs, this.#closed.promise);
    }
  }
}
