/**
 * Turns outputs into records. One that no log would take (its codec refuses it, or it is too large) is poison: a quarantine record with its
 * input's place takes its position. That depends on the output alone, so a replay decides the same and positions stay as they were.
 */
import { InvariantError, OperatingError, type Problem } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { cut, type QuarantineBody, quarantineOf } from "../core/quarantine.ts";
import type { AnyStage, AnyTopic } from "../core/stage.ts";
import type { InputRecord, OutputRecord } from "../core/task.ts";
import type { Body, Envelope } from "../core/topic.ts";
import type { Wire } from "../core/wire.ts";
import type { Append } from "./log.ts";
import { recordBytesMax } from "./refusal.ts";

/** What is kept of an input that is too large to be quarantined whole, and of the names in it. */
const keptBytes = 64 * 1024;
const keptName = 1024;

export interface EncodedOutputs {
  readonly appends: readonly Append[];
  /** The reason of each quarantine record among them, the stage's own refusals included. */
  readonly quarantined: readonly string[];
  readonly poisoned: number;
}

/** The record, or why none can be made of it. Throws what is no fault of the output: an InvariantError, an OperatingError that a retry may cure. */
export const encodeOne = (
  wire: Wire,
  topic: AnyTopic,
  partition: number,
  key: string,
  envelope: Envelope<Body>,
): Append | Problem => {
  try {
    const value = wire.encode(topic, envelope);
    const bytes = value.length + Buffer.byteLength(key);
    if (bytes <= recordBytesMax) return { topic: topic.name, partition, key, value };
    return poison(`${topic.name}: a ${envelope.body.kind} of ${bytes} bytes; at most ${recordBytesMax} fit`);
  } catch (error) {
    if (error instanceof InvariantError || (error instanceof OperatingError && error.retry)) throw error;
    return poison(`${topic.name}: a ${envelope.body.kind} can't be encoded: ${String(error)}`);
  }
};

const poison = (detail: string): Problem => ({ reason: "poison-output", detail: cut(detail) });

export const isProblem = (made: Append | Problem): made is Problem => "reason" in made;

/** Shorter in all that came from outside. */
const shortened = (body: QuarantineBody): QuarantineBody => ({
  ...body,
  detail: `${cut(body.detail)}; of ${body.value.length} bytes the first ${Math.min(keptBytes, body.value.length)} are kept`,
  device: body.device === null ? null : cut(body.device, keptName),
  key: cut(body.key, keptName),
  value: body.value.subarray(0, keptBytes),
});

/** `inputs` are what the outputs came from. Throws InvariantError where even a quarantine record can't be encoded: the topology is wrong then. */
export const encodeOutputs = (
  stage: AnyStage,
  partition: number,
  inputs: readonly InputRecord[],
  outputs: readonly OutputRecord[],
  wire: Wire,
): EncodedOutputs => {
  const quarantined: string[] = [];
  let poisoned = 0;
  const appends = outputs.map((output) => {
    const { topic, partition: to, key, envelope } = output;
    const made = encodeOne(wire, topic, to, key, envelope);
    const refused = envelope.body.kind === "quarantined" ? (envelope.body as QuarantineBody) : null;
    if (!isProblem(made)) {
      if (refused !== null) quarantined.push(refused.reason);
      return made;
    }
    const body = refused ?? inputOf(stage, partition, inputs, output, made);
    if (refused === null) poisoned++;
    quarantined.push(body.reason);
    return encodeRefused(stage.name, quarantineTopic(stage), envelope, body, wire);
  });
  return { appends, quarantined, poisoned };
};

const inputOf = (
  stage: AnyStage,
  partition: number,
  inputs: readonly InputRecord[],
  { key, envelope: { position } }: OutputRecord,
  problem: Problem,
): QuarantineBody => {
  const input = inputs.find(({ offset }) => offset === position?.offset);
  if (input === undefined)
    throw new InvariantError(`${stage.name}/${partition}: an output came of no input of its batch`);
  return quarantineOf(stage, partition, input, input.key || key, problem).body;
};

const quarantineTopic = (stage: AnyStage): AnyTopic => {
  const topic = (stage.writes as Record<string, AnyTopic>)[stage.quarantine];
  if (topic === undefined) throw new InvariantError(`${stage.name}: writes no topic called ${stage.quarantine}`);
  return topic;
};

/** A refusal in place of an output, whole if it fits. */
export const encodeRefused = (
  by: string,
  topic: AnyTopic,
  instead: Envelope<Body>,
  body: QuarantineBody,
  wire: Wire,
): Append => {
  for (const one of [body, shortened(body)]) {
    const key = one.device || one.key || "?";
    const made = encodeOne(wire, topic, partitionOf(key, topic.partitions), key, { ...instead, body: one });
    if (!isProblem(made)) return made;
  }
  throw new InvariantError(`${by}: ${topic.name} takes no quarantine record (${body.reason}: ${body.detail})`);
};
