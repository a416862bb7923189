/** Hears the ticks that come out of the last stage: that they do is how the circuit knows that all of it steps. */
import { setTimeout as sleep } from "node:timers/promises";
import { notifications } from "../../../schemas/topics.ts";
import type { Wire } from "../../core/wire.ts";
import { decodeAll } from "../../log/decode.ts";
import type { Log } from "../../log/log.ts";

export interface Ticks {
  /** Log time (ms) of the last tick that came through since the start; null before the first. */
  readonly lastMs: () => number | null;
  close(): Promise<void>;
}

const againMs = 500;
const waitMs = 1_000;

/** The topic has one partition. */
export const followTicks = async (log: Log, wire: Wire, onError: (error: unknown) => void): Promise<Ticks> => {
  let last: number | null = null;
  const stop = new AbortController();
  const reader = await log.reader(notifications.name, 0, "end");
  const following = (async () => {
    while (!stop.signal.aborted)
      try {
        const records = (await reader.next(waitMs)).filter(({ key }) => key === "");
        for (const { decoded } of await decodeAll(notifications, records, wire))
          if (decoded.ok && decoded.value.body.kind === "tick" && decoded.value.logTime !== null)
            last = decoded.value.logTime;
      } catch (error) {
        if (stop.signal.aborted) return;
        onError(error);
        await sleep(againMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
  })();
  return {
    lastMs: () => last,
    close: async () => {
      stop.abort();
      await reader.close();
      await following;
    },
  };
};
