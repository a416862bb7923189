/**
 * A stage stepped as plainly as can be, for many days in a row: no codec, no checkpoint, no check of its cells. The first days are played
 * through the driver, which has all of them (streams/sim/drive.ts).
 */
import type { AnyStage, AnyTopic, BodyOf, Out, Stage, State } from "../../streams/core/stage.ts";
import { logTime, type LogTime } from "../../streams/core/time.ts";
import type { Body } from "../../streams/core/topic.ts";
import type { Driven, Driver } from "../../streams/sim/drive.ts";

class PlainState implements State<unknown> {
  readonly #cells = new Map<string, unknown>();
  dueAt: LogTime | null = null;

  get(cell: string): unknown {
    return this.#cells.get(cell);
  }
  set(cell: string, value: unknown): void {
    this.#cells.set(cell, value);
  }
  delete(cell: string): void {
    this.#cells.delete(cell);
  }
  cells(): Iterable<readonly [string, unknown]> {
    return [...this.#cells].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

export const plainly = <B extends Body, W extends Record<string, AnyTopic>, C, G>(
  of: Stage<B, W, C, G>,
): Pick<Driver<B, W>, "send" | "tick" | "outputs"> => {
  const stage: AnyStage = of;
  const states = new Map<string, PlainState>();
  const written = new Map<string, Driven<Body>[]>();
  let shared: unknown = stage.shared?.empty ?? null;
  let offset = 0;
  const outAt = (at: number): Out<Record<string, AnyTopic>> => ({
    emit: (to, key, body) =>
      void written.getOrInsertComputed(to, () => []).push({ key, logTime: at, body: body as Body }),
    quarantine: () => undefined,
  });
  return {
    send(key, at, body) {
      if (key === "") {
        shared = stage.shared?.apply(shared, body) ?? shared;
        return;
      }
      const state = states.getOrInsertComputed(key, () => new PlainState());
      const entry = { key, logTime: logTime(at), offset: offset++, partition: 0, topic: stage.reads.name, body };
      stage.step(state, entry, outAt(at), shared);
    },
    tick(at) {
      for (const [key, state] of [...states].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (state.dueAt === null || state.dueAt > at) continue;
        state.dueAt = null;
        stage.due?.(state, logTime(at), key, outAt(at), shared);
      }
    },
    outputs: <N extends keyof W & string>(to: N) =>
      (written.get(to) ?? []) as unknown as readonly Driven<BodyOf<W[N]>>[],
  };
};
