/** The one file of the core that touches node:crypto: deterministic hashes, no randomness. */
import { hash } from "node:crypto";

/** SHA-256 as lower-case hex over the parts' JSON, so that ["ab","c"] and ["a","bc"] differ. */
export const contentHash = (...parts: readonly (string | number | boolean | null)[]): string =>
  hash("sha256", JSON.stringify(parts), "hex");

/** SHA-256 of bytes as lower-case hex. */
export const digest = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

/** Partition of a key: FNV-1a over UTF-16 units. Part of the topology: never change it under a live topic. */
export const partitionOf = (key: string, partitions: number): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  return (h >>> 0) % partitions;
};
