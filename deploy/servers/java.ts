/** The options that every Java server of the stack starts with. */
import { join } from "node:path";

/** A small heap and the collector with the least of its own; server code reports in UTC. */
export const java = (heapMb: number): string[] => [
  `-Xmx${heapMb}m`,
  "-XX:+UseSerialGC",
  "-Duser.timezone=UTC",
  "-Djava.awt.headless=true",
];

export const classPath = (...folders: readonly string[]): string =>
  folders.map((folder) => join(folder, "*")).join(":");
