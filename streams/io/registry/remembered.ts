/**
 * A registry whose answers are kept in a file, for a process that must start while the registry is away: ids never change their meaning, so
 * what was once answered still holds. Only what was never asked before needs the registry.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { OperatingError } from "../../core/failure.ts";
import type { RegisteredSchema, SchemaRegistry } from "./registry.ts";

interface Memory {
  /** By subject: each schema that was registered, as text, with its id. */
  readonly registered: Record<string, Record<string, number>>;
  /** By subject: every version, oldest first. */
  readonly versions: Record<string, readonly RegisteredSchema[]>;
}

/** One that hangs is asked for nothing more for so long: a start asks it some fifty times. */
const leftAloneMs = 30_000;

/** A file that is missing or can't be read is as good as none. Codes: as the registry's, where the file knows no answer. */
export const rememberedRegistry = (
  registry: SchemaRegistry,
  file: string,
  onAway: (error: unknown) => void,
): SchemaRegistry => {
  const memory = read(file);
  let askAgainMs = Number.NEGATIVE_INFINITY;
  let away: unknown;
  const answer = async <T>(ask: () => Promise<T>, known: T | undefined, keep: (answered: T) => void): Promise<T> => {
    if (known !== undefined && performance.now() < askAgainMs) return known;
    try {
      const answered = await ask();
      keep(answered);
      return answered;
    } catch (error) {
      if (known === undefined || !(error instanceof OperatingError && error.code === "registry-unavailable"))
        throw error;
      askAgainMs = performance.now() + leftAloneMs;
      if (away === undefined) onAway(error);
      away = error;
      return known;
    }
  };
  return {
    register: (subject, schema) => {
      memory.registered[subject] ??= {};
      const of = memory.registered[subject];
      const text = JSON.stringify(schema);
      return answer(
        () => registry.register(subject, schema),
        of[text],
        (id) => {
          if (of[text] === id) return;
          of[text] = id;
          write(file, memory);
        },
      );
    },
    all: (subject) =>
      answer(
        () => registry.all(subject),
        memory.versions[subject],
        (versions) => {
          if (memory.versions[subject]?.length === versions.length) return;
          memory.versions[subject] = versions;
          write(file, memory);
        },
      ),
    byId: (id) => registry.byId(id),
    close: () => registry.close(),
  };
};

const read = (file: string): Memory => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Memory;
  } catch {
    return { registered: {}, versions: {} };
  }
};

/** By rename: whoever starts finds the one or the other whole. */
const write = (file: string, memory: Memory): void => {
  writeFileSync(`${file}.new`, JSON.stringify(memory), { flush: true });
  renameSync(`${file}.new`, file);
};
