/**
 * A task: one partition of one stage at one version. Pure: decoded records in, outputs with positions out, and the
 * changes that one checkpoint must store together. Whoever runs it does the waiting (streams/log/stage-runner.ts).
 *
 * Records with the empty key are broadcast: ticks and shared data, forwarded to every partition of every output.
 */
import type { Appointment } from "./agenda.ts";
import { Cells, separator } from "./cells.ts";
import { type Checkpoint, checkpointKey } from "./checkpoint.ts";
import { InvariantError } from "./failure.ts";
import { HighWaterMarks, upstreamOf } from "./position.ts";
import type { AnyStage, Entry } from "./stage.ts";
import { StepOutputs } from "./step-outputs.ts";
import type { InputRecord, OutputRecord } from "./step-records.ts";
import { type LogTime, logTime, realTime, scaleTime, type TimeScale } from "./time.ts";
import type { Body } from "./topic.ts";

export type { InputRecord, OutputRecord } from "./step-records.ts";

const tickKind = "tick";
const originKind = "origin";

export interface TaskCounts {
  entries: number;
  repeats: number;
  quarantined: number;
  defects: number;
}

export class Task {
  readonly #stage: AnyStage;
  readonly #partition: number;
  readonly #upstreams: readonly string[];
  readonly #cells = new Cells();
  readonly counts: TaskCounts = { entries: 0, repeats: 0, quarantined: 0, defects: 0 };
  #marks = new HighWaterMarks();
  #times = new Map<string, number>();
  #streamTime: LogTime | null = null;
  #scale: TimeScale = realTime;
  #shared: unknown;
  #forwarded = new Map<string, number>();
  #next = 0;

  /** `upstreams`: every "writer:topic/partition" (`upstreamOf`) that forwards ticks to this one's topic; empty for a raw topic. */
  constructor(stage: AnyStage, partition: number, upstreams: readonly string[]) {
    this.#stage = stage;
    this.#partition = partition;
    this.#upstreams = upstreams;
    this.#shared = stage.shared?.empty ?? null;
  }

  /** The offset to read next. */
  get next(): number {
    return this.#next;
  }

  get streamTime(): LogTime | null {
    return this.#streamTime;
  }

  /** Takes what the last checkpoint stored. Call once, before `process`. */
  restore(stored: ReadonlyMap<string, Uint8Array>): void {
    const decoder = new TextDecoder();
    for (const [key, bytes] of stored) {
      const value = (): unknown => JSON.parse(decoder.decode(bytes));
      if (key === checkpointKey) this.#resume(value() as Checkpoint);
      else this.#cells.restore(key, value);
    }
  }

  /** Steps consecutive records; gives their outputs in order. Throws InvariantError only. */
  process(records: readonly InputRecord[]): OutputRecord[] {
    const outputs: OutputRecord[] = [];
    for (const record of records) {
      this.#step(record, outputs);
      this.#next = record.offset + 1;
    }
    return outputs;
  }

  /** Passes over offsets that the log skips. */
  skipTo(next: number): void {
    this.#next = Math.max(this.#next, next);
  }

  /** What changed since the last call; store it in one transaction, after the outputs are durable. Null removes a key. */
  checkpoint(): Map<string, Uint8Array | null> {
    const changes = new Map<string, unknown>();
    this.#cells.changes(changes);
    const checkpoint: Checkpoint = {
      reads: this.#stage.reads.name,
      upstreams: this.#upstreams,
      next: this.#next,
      marks: this.#marks.entries(),
      times: [...this.#times],
      streamTime: this.#streamTime,
      scale: this.#scale,
      shared: this.#shared,
      forwarded: [...this.#forwarded],
    };
    changes.set(checkpointKey, checkpoint);
    const encoder = new TextEncoder();
    return new Map(
      [...changes].map(([key, value]) => [key, value === null ? null : encoder.encode(JSON.stringify(value))]),
    );
  }

  #resume(checkpoint: Checkpoint): void {
    this.#next = checkpoint.next;
    this.#marks = new HighWaterMarks(checkpoint.marks);
    this.#times = new Map(checkpoint.times);
    this.#streamTime = checkpoint.streamTime as LogTime | null;
    this.#scale = checkpoint.scale;
    this.#shared = checkpoint.shared;
    this.#forwarded = new Map(checkpoint.forwarded);
  }

  #step(record: InputRecord, outputs: OutputRecord[]): void {
    this.counts.entries++;
    const out = new StepOutputs(this.#stage, this.#partition, record, outputs);
    if (!record.decoded.ok) {
      out.at(this.#timeOf(record, null));
      out.quarantine(record.decoded.problem);
      this.counts.quarantined++;
      return;
    }
    const { position, body, logTime: carried } = record.decoded.value;
    if (position !== null && !this.#marks.admit(position)) {
      this.counts.repeats++;
      return;
    }
    const now = this.#timeOf(record, carried);
    out.at(now);
    if (record.key.includes(separator))
      out.quarantine({ reason: "key-not-storable", detail: "the record's key has U+0000 in it" });
    else if (record.key === "") this.#broadcast(body, position === null ? null : upstreamOf(position), now, out);
    else this.#stepKey(record.key, body, now, record.offset, out);
    this.counts.quarantined += out.quarantined;
  }

  /** On a raw topic the log's stamp, scaled; elsewhere what the entry carries, or stream time where a source gave none. */
  #timeOf(record: InputRecord, carried: LogTime | null): LogTime {
    if (this.#stage.reads.raw) return logTime(scaleTime(this.#scale, record.stampMs));
    return carried ?? this.#streamTime ?? logTime(0);
  }

  #stepKey(key: string, body: Body, now: LogTime, offset: number, out: StepOutputs): void {
    const entry: Entry<Body> = {
      key,
      logTime: now,
      offset,
      partition: this.#partition,
      topic: this.#stage.reads.name,
      body,
    };
    this.#guarded(key, out, (state) => this.#stage.step(state, entry, out, this.#shared));
  }

  /** A due step that throws also leaves its appointment as it was, held off for a while of log time so that not each tick throws again. */
  #stepDue(appointment: Appointment, now: LogTime, out: StepOutputs): void {
    const { key } = appointment;
    const sound = this.#guarded(key, out, (state) => this.#stage.due?.(state, now, key, out, this.#shared));
    if (sound) this.#cells.kept(appointment);
    else this.#cells.holdOff(appointment, now);
  }

  /** A step that throws is quarantined at its position and leaves key and outputs as they were; false then. */
  #guarded(key: string, out: StepOutputs, step: (state: ReturnType<Cells["open"]>) => void): boolean {
    const state = this.#cells.open(key);
    out.begin(key);
    try {
      step(state);
      state.commit();
      return true;
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      out.rollback();
      out.quarantine({ reason: "stage-defect", detail: `${this.#stage.name}: ${String(error)}` });
      this.counts.defects++;
      return false;
    }
  }

  #broadcast(body: Body, upstream: string | null, now: LogTime, out: StepOutputs): void {
    if (body.kind === originKind) this.#fixOrigin(body as Body & TimeScale, out);
    else if (body.kind === tickKind) this.#tick(upstream, now, out);
    else this.#share(body, out);
  }

  /** Only a partition's very first record may say how its time runs. */
  #fixOrigin({ originMs, speed }: TimeScale, out: StepOutputs): void {
    if (this.#next === 0) this.#scale = { originMs, speed };
    else out.quarantine({ reason: "origin-not-first", detail: "an origin came after other records" });
  }

  #tick(upstream: string | null, now: LogTime, out: StepOutputs): void {
    this.#times.set(upstream ?? "", now);
    const sources = this.#upstreams.length === 0 ? [""] : this.#upstreams;
    const times = sources.map((source) => this.#times.get(source));
    if (times.some((time) => time === undefined)) return;
    const least = logTime(Math.min(...(times as number[])));
    if (this.#streamTime !== null && least <= this.#streamTime) return;
    this.#streamTime = least;
    out.at(least);
    if (this.#stage.due !== undefined)
      for (const appointment of this.#cells.due(least)) this.#stepDue(appointment, least, out);
    out.forward({ kind: tickKind });
  }

  /** Shared data comes once from each upstream partition; each version is applied and forwarded once. */
  #share(body: Body, out: StepOutputs): void {
    const { version } = body as Body & { readonly version?: unknown };
    if (typeof version !== "number") {
      out.quarantine({ reason: "broadcast-without-version", detail: `${body.kind}: no version` });
      return;
    }
    if (version <= (this.#forwarded.get(body.kind) ?? -1)) return;
    this.#forwarded.set(body.kind, version);
    if (this.#stage.shared?.kinds.includes(body.kind)) this.#shared = this.#stage.shared.apply(this.#shared, body);
    out.forward(body);
  }
}
