/** How a proxy tells whole answers, and what each of them answers, in the bytes that pass through it: Kafka's protocol and HTTP. */

/** A part of the answering stream and the request that it belongs to. */
export interface Answer {
  readonly bytes: Buffer;
  /** "Produce", "EndTxn", "POST", "PUT"; "" where that is of no interest. */
  readonly to: string;
}

/** One connection's conversation. */
export interface Dialect {
  asked(bytes: Buffer): void;
  answered(bytes: Buffer): readonly Answer[];
}

/** Those Kafka requests that take effect at the broker. Numbers: the Kafka protocol guide, "Api Keys". */
const kafkaEffects = new Map([
  [0, "Produce"],
  [8, "OffsetCommit"],
  [11, "JoinGroup"],
  [14, "SyncGroup"],
  [22, "InitProducerId"],
  [24, "AddPartitionsToTxn"],
  [26, "EndTxn"],
]);

/** Frames of a four-byte length and so many bytes. */
class Frames {
  #held: Buffer = Buffer.alloc(0);

  take(bytes: Buffer): Buffer[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const frames: Buffer[] = [];
    while (this.#held.length >= 4 && this.#held.length >= 4 + this.#held.readInt32BE(0)) {
      const length = 4 + this.#held.readInt32BE(0);
      frames.push(this.#held.subarray(0, length));
      this.#held = this.#held.subarray(length);
    }
    return frames;
  }
}

/** A request begins with its api key (int16), version (int16) and correlation id (int32); its answer with the same correlation id. */
export const kafkaDialect = (): Dialect => {
  const [requests, answers] = [new Frames(), new Frames()];
  const pending = new Map<number, string>();
  return {
    asked(bytes) {
      for (const frame of requests.take(bytes))
        pending.set(frame.readInt32BE(8), kafkaEffects.get(frame.readInt16BE(4)) ?? "");
    },
    answered: (bytes) =>
      answers.take(bytes).map((frame) => {
        const correlation = frame.readInt32BE(4);
        const to = pending.get(correlation) ?? "";
        pending.delete(correlation);
        return { bytes: frame, to };
      }),
  };
};

/** One request at a time on a connection, as Node's fetch does; a body's bytes are part of the request before them. */
export const httpDialect = (): Dialect => {
  let method = "";
  return {
    asked(bytes) {
      method = /^(GET|HEAD|POST|PUT|PATCH|DELETE) \//.exec(bytes.toString("latin1", 0, 16))?.[1] ?? method;
    },
    answered: (bytes) => [{ bytes, to: method }],
  };
};
