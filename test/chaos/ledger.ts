/** What the sender was going to send, on disk before it was sent: what the platform is held to afterwards. */
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { digest } from "../../streams/core/hash.ts";
import type { WardMessage } from "../../streams/sim/ward/messages.ts";

/** One message, by what it says: a device that says the same thing twice has one line of it for each time. */
export interface LedgerLine {
  /** Names topic and payload. */
  readonly id: string;
  readonly atMs: number;
  readonly device: string;
  readonly stream: string;
  /** The payload of numerics; of others its digest is enough. */
  readonly text: string | null;
}

export const messageId = (mqttTopic: string, payload: Uint8Array): string => `${mqttTopic} ${digest(payload)}`;

export class Ledger {
  readonly file: string;
  readonly #fd: number;

  constructor(file: string) {
    this.file = file;
    this.#fd = openSync(file, "a");
  }

  /** Returns when the lines are on disk: send these messages after that. */
  write(messages: readonly WardMessage[]): void {
    const lines = messages.map(({ atMs, device, stream, mqttTopic, payload }) => {
      const text = stream === "numerics" ? Buffer.from(payload).toString() : null;
      return JSON.stringify({ id: messageId(mqttTopic, payload), atMs, device, stream, text } satisfies LedgerLine);
    });
    writeSync(this.#fd, `${lines.join("\n")}\n`);
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export const readLedger = (file: string): LedgerLine[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LedgerLine);
