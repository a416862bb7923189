/** The outputs of one step: each gets its position, and a step that fails leaves none behind. */
import { separator } from "./cells.ts";
import { InvariantError, type Problem } from "./failure.ts";
import { partitionOf } from "./hash.ts";
import { cut, quarantineOf } from "./quarantine.ts";
import type { AnyStage, AnyTopic } from "./stage.ts";
import type { InputRecord, OutputRecord } from "./step-records.ts";
import { type LogTime, logTime } from "./time.ts";
import type { Body } from "./topic.ts";

/** A step may list so many problems; the first carries the input whole. One message full of rubbish must not become gigabytes. */
const mostListed = 16;

/** Collects one record's outputs and gives each its position. */
export class StepOutputs {
  readonly #stage: AnyStage;
  readonly #partition: number;
  readonly #record: InputRecord;
  readonly #outputs: OutputRecord[];
  quarantined = 0;
  #listed = 0;
  #n = 0;
  #time: LogTime = logTime(0);
  #key = "";
  #begunLength = 0;
  #begunN = 0;
  #begunQuarantined = 0;

  constructor(stage: AnyStage, partition: number, record: InputRecord, outputs: OutputRecord[]) {
    this.#stage = stage;
    this.#partition = partition;
    this.#record = record;
    this.#outputs = outputs;
    this.#key = record.key;
  }

  at(time: LogTime): void {
    this.#time = time;
  }

  begin(key: string): void {
    this.#key = key;
    this.#begunLength = this.#outputs.length;
    this.#begunN = this.#n;
    this.#begunQuarantined = this.quarantined;
    this.#listed = 0;
  }

  rollback(): void {
    this.#outputs.length = this.#begunLength;
    this.#n = this.#begunN;
    this.quarantined = this.#begunQuarantined;
    this.#listed = 0;
  }

  emit(to: string, key: string, body: Body): void {
    const topic = this.#topic(to);
    if (key === "") throw new InvariantError(`${this.#stage.name}: an output to ${topic.name} has the empty key`);
    if (key.includes(separator)) throw new Error(`an output to ${topic.name} has U+0000 in its key`);
    this.#put(topic, partitionOf(key, topic.partitions), key, body);
  }

  quarantine({ reason, detail }: Problem): void {
    if (this.#listed++ >= mostListed) return;
    this.quarantined++;
    const last = this.#listed === mostListed;
    const { key, body } = quarantineOf(this.#stage, this.#partition, this.#record, this.#key, {
      reason,
      detail: last ? `${cut(detail)}; further ones are not listed` : cut(detail),
    });
    this.emit(
      this.#stage.quarantine,
      key.replaceAll(separator, "?"),
      this.#listed === 1 ? body : { ...body, value: new Uint8Array() },
    );
  }

  /** To every partition of every output. */
  forward(body: Body): void {
    for (const topic of Object.values<AnyTopic>(this.#stage.writes))
      for (let p = 0; p < topic.partitions; p++) this.#put(topic, p, "", body);
  }

  #topic(to: string): AnyTopic {
    const topic = (this.#stage.writes as Record<string, AnyTopic>)[to];
    if (topic === undefined) throw new InvariantError(`${this.#stage.name}: writes no topic called ${to}`);
    return topic;
  }

  #put(topic: AnyTopic, partition: number, key: string, body: Body): void {
    const position = {
      writer: this.#stage.name,
      topic: this.#stage.reads.name,
      partition: this.#partition,
      offset: this.#record.offset,
      n: this.#n++,
    };
    this.#outputs.push({ topic, partition, key, envelope: { position, logTime: this.#time, body } });
  }
}
