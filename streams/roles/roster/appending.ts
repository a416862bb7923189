/**
 * Brings revisions from the service's file into the log, in order. Where an append began is noted before it, so that after a crash, or an error that
 * leaves it open whether it worked, the log itself is asked what it has: nothing is lost and nothing repeated.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type RosterBody, versionOf } from "../../../topologies/roster/changes.ts";
import { events, raw, rawWaveforms } from "../../../schemas/topics.ts";
import { partitionOf } from "../../core/hash.ts";
import type { AnyTopic } from "../../core/stage.ts";
import { logTime, scaleTime, type TimeScale } from "../../core/time.ts";
import type { Wire } from "../../core/wire.ts";
import type { Append, Appender, Log } from "../../log/log.ts";
import type { Appending, Revision, RosterStore } from "./store.ts";

export interface AppendingOptions {
  readonly store: RosterStore;
  readonly log: Log;
  readonly wire: Wire;
  readonly scale: TimeScale;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

const batch_max = 200;
const againMs = 500;
/** No append is under way for longer: what stands later in the log was not of it. */
const appendMs_max = 120_000;

const topicsOf = ({ kind }: RosterBody): readonly AnyTopic[] => (kind === "patient" ? [events] : [raw, rawWaveforms]);

const nameOf = (body: RosterBody): string => {
  const id = body.kind === "association" ? body.id : body.kind === "patient" ? body.patientKey : body.device;
  return `${body.kind}/${id}/${versionOf(body)}`;
};

interface Waiting extends Append {
  readonly name: string;
}

export class RosterAppending {
  readonly #options: AppendingOptions;
  #wake: () => void = () => undefined;

  constructor(options: AppendingOptions) {
    this.#options = options;
  }

  /** Something new waits. */
  wake(): void {
    this.#wake();
  }

  /** Until aborted. A log that is away is asked again. */
  async run(signal: AbortSignal): Promise<void> {
    const appender = await this.#options.log.appender("roster");
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    try {
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        try {
          while (!signal.aborted && (await this.#appendSome(appender)));
          if (!signal.aborted) await woken;
        } catch (error) {
          this.#options.onError(error);
          await sleep(againMs, undefined, { signal }).catch(() => undefined);
        }
      }
    } finally {
      await appender.close();
    }
  }

  /** False: nothing waits. */
  async #appendSome(appender: Appender): Promise<boolean> {
    const { store } = this.#options;
    const revisions = store.waiting(batch_max);
    if (revisions.length === 0) return false;
    const appends = revisions.flatMap((revision) => this.#appendsOf(revision));
    const before = store.appending();
    const there = before === undefined ? new Set<string>() : await this.#alreadyThere(before);
    const missing = appends.filter(({ topic, name }) => !there.has(`${topic} ${name}`));
    // while an earlier attempt is open its note stands: what it may have stored lies behind that
    if (before === undefined) store.noteAppending(await this.#ends(appends));
    if (missing.length > 0) await appender.append(missing.map(({ name: _, ...append }) => append));
    store.appended(revisions.map(({ seq }) => seq));
    return true;
  }

  #appendsOf({ key, body }: Revision): readonly Waiting[] {
    const { wire, scale, now } = this.#options;
    const at = logTime(Math.round(scaleTime(scale, now())));
    return topicsOf(body).map((topic) => ({
      name: nameOf(body),
      topic: topic.name,
      partition: partitionOf(key, topic.partitions),
      key,
      value: wire.encode(topic, { position: null, logTime: topic.raw ? null : at, body }),
    }));
  }

  async #ends(appends: readonly Append[]): Promise<Appending> {
    const places = new Map(appends.map(({ topic, partition }) => [`${topic}/${partition}`, { topic, partition }]));
    const from = await Promise.all(
      [...places.values()].map(async ({ topic, partition }) => ({
        topic,
        partition,
        offset: (await this.#options.log.bounds(topic, partition)).end,
      })),
    );
    return { atMs: this.#options.now(), from };
  }

  /** Names, each behind its topic, of our records that the log holds from where the attempt began. */
  async #alreadyThere({ atMs, from }: Appending): Promise<ReadonlySet<string>> {
    const { log } = this.#options;
    const found = new Set<string>();
    for (const { topic, partition, offset } of from) {
      const { start, end } = await log.bounds(topic, partition);
      let next = Math.max(offset, start);
      if (next >= end) continue;
      const reader = await log.reader(topic, partition, next);
      try {
        while (next < end) {
          const records = await reader.next(1_000);
          if (records.length === 0) break;
          next = (records.at(-1)?.offset ?? next) + 1;
          for (const { value } of records) for (const name of this.#nameIn(topic, value)) found.add(`${topic} ${name}`);
          if ((records.at(-1)?.stampMs ?? 0) > atMs + appendMs_max) break;
        }
      } finally {
        await reader.close();
      }
    }
    return found;
  }

  #nameIn(topicName: string, value: Uint8Array): readonly string[] {
    const topic = [raw, rawWaveforms, events].find(({ name }) => name === topicName);
    if (topic === undefined) return [];
    const decoded = this.#options.wire.decode(topic as AnyTopic, value);
    if (!decoded.ok) return [];
    const body = decoded.value.body as RosterBody | { readonly kind: string };
    return body.kind === "association" || body.kind === "device" || body.kind === "patient"
      ? [nameOf(body as RosterBody)]
      : [];
  }
}
