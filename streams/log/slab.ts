/**
 * Copies records of a log in memory into large pieces of it. One buffer for each record is what V8 answers with full collections: it counts
 * memory outside its heap, and every buffer is an object to be marked and swept.
 */

const slabBytes = 1 << 20;

export class Slab {
  #piece = new Uint8Array(0);
  #used = 0;

  /** A copy that shares its buffer with others: the piece is freed when nobody keeps any of them. */
  copied(bytes: Uint8Array): Uint8Array {
    if (bytes.length > slabBytes / 8) return new Uint8Array(bytes);
    if (this.#used + bytes.length > this.#piece.length) {
      this.#piece = new Uint8Array(slabBytes);
      this.#used = 0;
    }
    const copy = this.#piece.subarray(this.#used, this.#used + bytes.length);
    copy.set(bytes);
    this.#used += bytes.length;
    return copy;
  }
}
