/** Reads a compact binary payload from front to back; what runs past its end is refused as `truncated` with its place. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Little-endian. After the first refusal every further read gives zero, so that a reader checks once, at the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;
  #missing: string | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(place: string): number {
    return this.#take(1, place, (at) => this.#view.getUint8(at));
  }

  u16(place: string): number {
    return this.#take(2, place, (at) => this.#view.getUint16(at, true));
  }

  u32(place: string): number {
    return this.#take(4, place, (at) => this.#view.getUint32(at, true));
  }

  i16(place: string): number {
    return this.#take(2, place, (at) => this.#view.getInt16(at, true));
  }

  f32(place: string): number {
    return this.#take(4, place, (at) => this.#view.getFloat32(at, true));
  }

  f64(place: string): number {
    return this.#take(8, place, (at) => this.#view.getFloat64(at, true));
  }

  /** Text of so many bytes; what is not UTF-8 is missing. */
  text(length: number, place: string): string {
    const start = this.#offset;
    this.#take(length, place, () => 0);
    if (this.#missing !== null) return "";
    try {
      return utf8.decode(this.#bytes.subarray(start, start + length));
    } catch {
      this.#missing = `${place}: not UTF-8`;
      return "";
    }
  }

  /** So many signed 16-bit samples. */
  samples(count: number, place: string): number[] {
    const start = this.#offset;
    this.#take(2 * count, place, () => 0);
    if (this.#missing !== null) return [];
    return Array.from({ length: count }, (_, i) => this.#view.getInt16(start + 2 * i, true));
  }

  /** Refuses with `truncated` if anything was missing, `trailing-bytes` if anything is left. */
  finish(): Result<null> {
    if (this.#missing !== null) return refuse("truncated", this.#missing);
    const left = this.#bytes.length - this.#offset;
    return left === 0 ? ok(null) : refuse("trailing-bytes", `byte ${this.#offset}: ${left} more than the header says`);
  }

  get failed(): boolean {
    return this.#missing !== null;
  }

  #take(length: number, place: string, read: (at: number) => number): number {
    if (this.#missing !== null) return 0;
    const at = this.#offset;
    if (at + length > this.#bytes.length) {
      this.#missing = `${place}: byte ${at}: ${length} wanted, ${this.#bytes.length - at} left`;
      return 0;
    }
    this.#offset += length;
    return read(at);
  }
}
