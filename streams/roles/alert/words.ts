/** What people and parts of the platform say to the circuit, appended to alert.alarms under the unit that it concerns, at least once. */
import type { Answer, Hop, Notified, Reported, Standby } from "../../../schemas/records/alert.ts";
import { alarms } from "../../../schemas/topics.ts";
import { partitionOf } from "../../core/hash.ts";
import type { LogTime } from "../../core/time.ts";
import type { Wire } from "../../core/wire.ts";
import type { Appender, Log } from "../../log/log.ts";

export type Word = Answer | Notified | Hop | Reported | Standby;

/** The unit of the platform's own alarms. */
export const platformUnit = "platform";

export interface Words {
  /** Resolves once durable. Codes: `log-unavailable`. */
  say(words: readonly { readonly unit: string; readonly word: Word }[]): Promise<void>;
  close(): Promise<void>;
}

export const openWords = async (log: Log, wire: Wire, now: () => LogTime): Promise<Words> => {
  const appender: Appender = await log.appender("words");
  return {
    say: async (words) => {
      const at = now();
      await appender.append(
        words.map(({ unit, word }) => ({
          topic: alarms.name,
          partition: partitionOf(unit, alarms.partitions),
          key: unit,
          value: wire.encode(alarms, { position: null, logTime: at, body: word }),
        })),
      );
    },
    close: () => appender.close(),
  };
};
