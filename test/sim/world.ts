/** What a simulated cluster runs: a topology, the wire its entries go through, and the input of each partition that sources write. */
import type { AnyTopic } from "../../streams/core/stage.ts";
import type { Topology } from "../../streams/core/topology.ts";
import type { Wire } from "../../streams/core/wire.ts";
import type { Weather } from "./scenario.ts";

export interface World {
  readonly topology: Topology;
  readonly wire: Wire;
  readonly lanes: readonly Lane[];
  readonly weather: Weather;
  /** A rolling deploy: a newer build, whose workers come beside the first one's from this step on; and which version steps what. */
  readonly deploy?: { readonly topology: Topology; readonly atStep: number };
}

/** A record as a source appends it. */
export interface Input {
  readonly stampMs: number;
  readonly key: string;
  readonly value: Uint8Array;
}

/** One partition's input, in the order in which it is appended. */
export class Lane {
  readonly topic: AnyTopic;
  readonly partition: number;
  readonly #inputs: readonly Input[];
  #at = 0;

  constructor(topic: AnyTopic, partition: number, inputs: readonly Input[]) {
    this.topic = topic;
    this.partition = partition;
    this.#inputs = inputs;
  }

  get left(): number {
    return this.#inputs.length - this.#at;
  }

  next(): Input | undefined {
    return this.#inputs[this.#at++];
  }
}
