/**
 * MLLP (HL7 "Transport Specification: MLLP", release 1): a message between <VT> and <FS><CR>. Bytes may come in any pieces. Our own, for no
 * package that frames strictly is kept well (docs/dependencies.md).
 */
import type { Problem } from "../../core/failure.ts";

const startOfBlock = 0x0b;
const endOfBlock = 0x1c;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

export const framed = (message: string): Buffer =>
  Buffer.concat([Buffer.of(startOfBlock), Buffer.from(message, "utf8"), Buffer.of(endOfBlock, carriageReturn)]);

export type Deframed = { readonly message: string } | { readonly problem: Problem };

/** Reads one connection's bytes. After a problem nothing on it can be trusted: close it. */
export class Deframer {
  readonly #bytesMax: number;
  #block: number[] | undefined;
  #ending = false;
  #broken = false;
  readonly #encoding: "utf8" | "latin1";

  /** `latin1`: one character for each byte, for a reader that learns the character set from the message itself. */
  constructor(bytesMax: number, encoding: "utf8" | "latin1" = "utf8") {
    this.#bytesMax = bytesMax;
    this.#encoding = encoding;
  }

  /** Whether a message has begun and not ended. */
  get isWithin(): boolean {
    return this.#block !== undefined;
  }

  /** Whole messages in their order; at the first problem (`mllp-garbage`, `mllp-too-long`) the last element, and nothing ever after. */
  push(bytes: Uint8Array): Deframed[] {
    const found: Deframed[] = [];
    for (const byte of bytes) {
      if (this.#broken) break;
      const one = this.#take(byte);
      if (one === undefined) continue;
      found.push(one);
      this.#broken = "problem" in one;
    }
    return found;
  }

  #take(byte: number): Deframed | undefined {
    if (this.#block === undefined) return this.#outside(byte);
    if (this.#ending)
      return byte === carriageReturn ? this.#whole(this.#block) : garbage("an end of block without its CR");
    if (byte === endOfBlock) this.#ending = true;
    else if (byte === startOfBlock) return garbage("a second start of block before the end of the first");
    else this.#block.push(byte);
    return this.#block.length > this.#bytesMax ? tooLong(this.#bytesMax) : undefined;
  }

  /** Some peers end lines between messages. */
  #outside(byte: number): Deframed | undefined {
    if (byte === startOfBlock) this.#block = [];
    else if (byte !== carriageReturn && byte !== lineFeed)
      return garbage(`the byte 0x${byte.toString(16).padStart(2, "0")} outside a block`);
    return undefined;
  }

  #whole(block: readonly number[]): Deframed {
    this.#block = undefined;
    this.#ending = false;
    return { message: Buffer.from(block).toString(this.#encoding) };
  }
}

const problemOf = (reason: string, detail: string): Deframed => ({ problem: { reason, detail } });
const garbage = (what: string): Deframed => problemOf("mllp-garbage", `what came is not MLLP: ${what}`);
const tooLong = (bytes: number): Deframed => problemOf("mllp-too-long", `a message of more than ${bytes} bytes`);
