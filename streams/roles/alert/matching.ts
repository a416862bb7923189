/**
 * What the telemetry plane saw beside the circuit: episodes of approved rules, read from Kafka to be compared, never to page on their own
 * (clinical.md 13). It runs apart, tries for ever, and neither delays the circuit nor ends it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Reported } from "../../../schemas/records/alert.ts";
import type { Episode } from "../../../schemas/records/telemetry.ts";
import { episodes } from "../../../schemas/topics.ts";
import { eventOfEpisode } from "../../../topologies/alarms/facts.ts";
import type { AlertConfig } from "../../alert-config.ts";
import type { Wire } from "../../core/wire.ts";
import { confluentRegistry } from "../../io/registry/confluent.ts";
import { openWire } from "../../io/registry/wire.ts";
import { decodeAll } from "../../log/decode.ts";
import { kafkaLog } from "../../log/kafka.ts";
import type { Log, PartitionHandler } from "../../log/log.ts";
import { closeAll } from "../running.ts";
import { platformUnit, type Words } from "./words.ts";

export interface MatchingOptions {
  readonly kafka: NonNullable<AlertConfig["kafka"]>;
  readonly words: Words;
  /** Where a device stands by the roster in force. */
  readonly unitOf: (device: string) => string | undefined;
  readonly onStanding: (up: boolean, detail: string) => void;
}

const group = "alert-matching";
const againMs = { first: 1_000, longest: 30_000 };

/** Begins in the background; `close` resolves when nothing of it runs any more. */
export const matchEpisodes = (options: MatchingOptions): { close(): Promise<void> } => {
  const stop = new AbortController();
  const running = keepMatching(options, stop.signal);
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
};

const keepMatching = async (options: MatchingOptions, signal: AbortSignal): Promise<void> => {
  for (let pauseMs = againMs.first; !signal.aborted; pauseMs = Math.min(2 * pauseMs, againMs.longest)) {
    await matchUntilItFails(options, signal, () => {
      pauseMs = againMs.first;
    }).catch((error: unknown) => options.onStanding(false, String(error)));
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
};

const matchUntilItFails = async (
  { kafka, words, unitOf, onStanding }: MatchingOptions,
  signal: AbortSignal,
  onUp: () => void,
): Promise<void> => {
  const closing: (() => Promise<void>)[] = [];
  try {
    const log = kafkaLog({ brokers: kafka.brokers, clientId: "afferent-alert" });
    closing.push(() => log.close());
    const registry = confluentRegistry({ url: kafka.registryUrl });
    closing.push(() => registry.close());
    const wire = await openWire(registry, [episodes]);
    const say = (told: readonly Reported[]): Promise<void> =>
      words.say(told.map((word) => ({ unit: word.unit, word })));
    const subscription = await log.subscribe(group, episodes.name, (partition) =>
      reporting(log, wire, partition, { unitOf, say, onStanding }),
    );
    closing.push(() => subscription.close());
    onUp();
    await Promise.race([subscription.done, aborted(signal)]);
  } finally {
    await closeAll(closing.map((close) => close)).catch(() => undefined);
  }
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

interface Reporting extends Pick<MatchingOptions, "unitOf" | "onStanding"> {
  readonly say: (told: readonly Reported[]) => Promise<void>;
}

/** From where its group came to; at the first start from the end. What comes twice is matched twice, which changes nothing. */
const reporting = (
  log: Log,
  wire: Wire,
  partition: number,
  { unitOf, say, onStanding }: Reporting,
): PartitionHandler => ({
  open: async () => {
    const [{ start, end }, progress] = [
      await log.bounds(episodes.name, partition),
      (await log.progress(group, episodes.name))[partition],
    ];
    onStanding(true, "episodes of the telemetry plane are read");
    if (progress !== undefined) return Math.max(progress, start);
    await log.report(group, episodes.name, partition, end);
    return end;
  },
  process: async (records) => {
    const inputs = await decodeAll(episodes, records, wire);
    const told = inputs.flatMap(({ decoded }) =>
      decoded.ok && decoded.value.body.kind === "episode"
        ? (reportedOf(decoded.value.body as Episode, unitOf) ?? [])
        : [],
    );
    if (told.length > 0) await say(told);
    const last = records.at(-1);
    if (last !== undefined) await log.report(group, episodes.name, partition, last.offset + 1);
  },
  close: async () => undefined,
  failed: (error) => onStanding(false, String(error)),
});

/** Starts and ends of approved rules; null for anything else. */
export const reportedOf = (episode: Episode, unitOf: (device: string) => string | undefined): Reported | null => {
  const { rule, phase, identity, device, channel, metric, start, end, subject } = episode;
  if (rule.approval === null || phase === "update") return null;
  const { event, direction, priority, text } = eventOfEpisode(episode);
  return {
    kind: "reported",
    episode: identity,
    device,
    channel,
    metric,
    event,
    direction,
    priority,
    unit: unitOf(device) ?? platformUnit,
    text,
    start,
    end,
    subject: subject === device ? null : subject,
  };
};
