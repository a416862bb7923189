/**
 * Keeps the patients' logs up to date with a FHIR server's Consents. One process at a time reads it; another takes over when nobody was
 * heard of for half the time that consents stay fresh. While it can't be read to the end, what it permitted counts until its time is
 * over, and is marked as stale then: fail closed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Counter, Gauge } from "prom-client";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { ConsentSource, FhirConsent } from "../../schemas/records/consent.ts";
import { events } from "../../schemas/topics.ts";
import { staleProblem } from "../../topologies/gates/consent-evidence.ts";
import type { Platform } from "../compose.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { logTime } from "../core/time.ts";
import type { ConsentSourceConfig } from "../io/consent/config.ts";
import { openConsentReader } from "../io/consent/reader.ts";
import type { Append, Owner } from "../log/log.ts";
import { Rereading } from "./consent-reread.ts";
import { confirm, markStale, type Progress, round, type RoundPorts } from "./consent-round.ts";
import type { ConsentTable } from "./consent-table.ts";

const store = "consent-source";
const progressKey = "progress";

export interface ConsentSourceOptions {
  readonly platform: Pick<Platform, "log" | "wire" | "say" | "metrics" | "config">;
  readonly table: Pick<ConsentTable, "everybody" | "heard">;
  /** In the ward's time. */
  readonly now: () => number | Promise<number>;
  /** The machine's own; `Date.now` unless told otherwise. */
  readonly clock?: () => number;
}

const metricsIn = ({ metrics }: ConsentSourceOptions["platform"]) => ({
  rounds: new Counter({
    name: "afferent_consent_source_rounds_total",
    help: "Looks at the source of consents, by what came of them",
    labelNames: ["outcome"],
    registers: [metrics],
  }),
  dropped: new Counter({
    name: "afferent_consents_dropped_total",
    help: "Consents of a source that are nobody's here, by reason",
    labelNames: ["reason"],
    registers: [metrics],
  }),
  heard: new Gauge({
    name: "afferent_consent_source_heard_timestamp_seconds",
    help: "When the source of consents was last read to the end (ward time)",
    registers: [metrics],
  }),
  stale: new Gauge({
    name: "afferent_consent_source_stale",
    help: "1 while nothing that the source of consents permitted counts, for it was not heard for too long",
    registers: [metrics],
  }),
});

const parsed = (bytes: Uint8Array | undefined): Progress =>
  bytes === undefined ? { mark: null, visited: {} } : (JSON.parse(new TextDecoder().decode(bytes)) as Progress);

/** What this process knows while it is the one that reads. */
interface Holding {
  readonly owner: Owner;
  readonly rereading: Rereading;
  progress: Progress;
  confirmedAt: number;
  heardAt: number;
  toldAt: number;
  marked: boolean;
}

class Feed {
  readonly #config: ConsentSourceConfig;
  readonly #options: ConsentSourceOptions;
  readonly #ports: RoundPorts;
  readonly #freshForMs: number;
  readonly #metrics: ReturnType<typeof metricsIn>;
  readonly #append: (records: readonly Append[]) => Promise<void>;

  constructor(
    config: ConsentSourceConfig,
    options: ConsentSourceOptions,
    reader: RoundPorts["reader"],
    append: (records: readonly Append[]) => Promise<void>,
  ) {
    this.#config = config;
    this.#options = options;
    this.#append = append;
    this.#freshForMs = config.freshForMs * options.platform.config.speed;
    this.#metrics = metricsIn(options.platform);
    this.#ports = {
      reader,
      table: options.table,
      append: (records) => this.#file(records),
      onDropped: (reason) => this.#metrics.dropped.inc({ reason }),
      clock: options.clock ?? Date.now,
    };
  }

  /** Reads until aborted, while nobody else does. `onLooked`: after the first look, however it ended. */
  async run(signal: AbortSignal, onLooked: () => void): Promise<void> {
    const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
    let holding: Holding | undefined;
    let first = true;
    while (!signal.aborted) {
      try {
        if (holding === undefined && (first || (await this.#isAbandoned()))) holding = await this.#claim();
        first = false;
        if (holding !== undefined) await this.#look(holding);
      } catch (error) {
        if (!signal.aborted) await this.#failed(error, holding).catch((also: unknown) => this.#say(also));
        if (isLost(error)) {
          await holding?.owner.close().catch(() => undefined);
          holding = undefined;
          // whoever reads it now says how it is
          this.#metrics.stale.set(0);
          // nobody else need have it: only one that is fenced waits for the other's end
          first = !isFenced(error);
        }
      }
      onLooked();
      await pause(this.#config.pollMs);
    }
    await holding?.owner.close();
  }

  async #isAbandoned(): Promise<boolean> {
    const heard = await this.#options.table.heard(this.#config.name);
    return heard === undefined || (await this.#options.now()) - heard > this.#freshForMs / 2;
  }

  async #claim(): Promise<Holding> {
    const owner = await this.#options.platform.log.claim(store, 0, 1);
    const progress = parsed((await owner.load()).get(this.#progressKey()));
    await owner.confirm();
    const at = await this.#options.now();
    const heardAt = (await this.#options.table.heard(this.#config.name)) ?? at;
    return {
      owner,
      rereading: new Rereading(this.#config.rereadEveryMs * this.#options.platform.config.speed),
      progress,
      confirmedAt: Number.NEGATIVE_INFINITY,
      heardAt,
      toldAt: Number.NEGATIVE_INFINITY,
      marked: false,
    };
  }

  async #look(holding: Holding): Promise<void> {
    const at = await this.#options.now();
    const filing = { source: this.#config.name, baseUrl: this.#config.baseUrl, readAt: Math.round(at) };
    const { progress, complete } = await round(holding.progress, this.#ports, filing);
    if (JSON.stringify(progress) !== JSON.stringify(holding.progress)) await this.#keep(holding, progress);
    if (!complete) return;
    const confirmEveryMs = this.#config.confirmEveryMs * this.#options.platform.config.speed;
    if (holding.marked || at - holding.confirmedAt >= confirmEveryMs) {
      await confirm(this.#ports, filing);
      holding.confirmedAt = at;
    }
    await holding.rereading.look(progress.mark, this.#ports, filing);
    await this.#heard(holding, Math.round(at));
  }

  async #keep(holding: Holding, progress: Progress): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(progress));
    await holding.owner.commit(new Map([[this.#progressKey(), bytes]]));
    holding.progress = progress;
  }

  /** Another source of the same name elsewhere has a mark of its own. */
  #progressKey(): string {
    return `${progressKey}/${this.#config.name}/${this.#config.baseUrl}`;
  }

  async #heard(holding: Holding, at: number): Promise<void> {
    if (holding.marked)
      this.#options.platform.say.info({ source: this.#config.name }, "the source of consents is heard again");
    holding.marked = false;
    holding.heardAt = at;
    this.#metrics.rounds.inc({ outcome: "read" });
    this.#metrics.heard.set(at / 1000);
    this.#metrics.stale.set(0);
    if (at - holding.toldAt < this.#freshForMs / 4) return;
    // only who still owns it says that it was heard
    await this.#keep(holding, holding.progress);
    await this.#append(this.#beats(at));
    holding.toldAt = at;
  }

  async #failed(error: unknown, holding: Holding | undefined): Promise<void> {
    this.#say(error);
    if (holding === undefined || isLost(error)) return;
    const at = await this.#options.now();
    const silentMs = at - holding.heardAt;
    if (silentMs <= this.#freshForMs || holding.marked) return;
    const { name: source, baseUrl } = this.#config;
    this.#metrics.stale.set(1);
    this.#options.platform.say.error(
      { source, silentMs },
      "the source of consents is silent: what it permitted counts no more",
    );
    const problem = `${staleProblem}: not heard since ${utcInstant(holding.heardAt)}`;
    await markStale(this.#ports, problem, { source, baseUrl, readAt: Math.round(at) });
    holding.marked = true;
  }

  /** The code alone: an address may name a patient. */
  #say(error: unknown): void {
    const code = error instanceof OperatingError ? error.code : "unexpected";
    this.#metrics.rounds.inc({ outcome: code });
    this.#options.platform.say.warn({ source: this.#config.name, code }, "consents were not read");
  }

  async #file(records: readonly FhirConsent[]): Promise<void> {
    const at = logTime(Math.round(await this.#options.now()));
    const value = (body: FhirConsent) =>
      this.#options.platform.wire.encode(events, { position: null, logTime: at, body });
    await this.#append(
      records.map((record) => ({
        topic: events.name,
        partition: partitionOf(record.patientKey, events.partitions),
        key: record.patientKey,
        value: value(record),
      })),
    );
  }

  /** One for each partition: who reads one of them only knows it too. */
  #beats(at: number): readonly Append[] {
    const { name: source } = this.#config;
    const body: ConsentSource = { kind: "consentSource", source, patientKey: `source/${source}`, heardAt: at };
    return Array.from({ length: events.partitions }, (_, partition) => ({
      topic: events.name,
      partition,
      key: body.patientKey,
      value: this.#options.platform.wire.encode(events, { position: null, logTime: logTime(at), body }),
    }));
  }
}

/** Somebody else reads it now. */
const isFenced = (error: unknown): boolean => error instanceof OperatingError && error.code === "fenced";
const isLost = (error: unknown): boolean =>
  isFenced(error) || (error instanceof OperatingError && error.code === "commit-unsure");

export interface OpenConsentSource {
  /** Resolves after the first look, however it ended: who writes before it writes by what may be old. */
  readonly looked: Promise<void>;
  close(): Promise<void>;
}

/** Begins to read; a source that is away keeps nobody from starting. Codes: those of its credentials (`config-invalid`, `file-unreadable`). */
export const openConsentSource = async (
  config: ConsentSourceConfig,
  options: ConsentSourceOptions,
): Promise<OpenConsentSource> => {
  const stop = new AbortController();
  const reader = await openConsentReader(config, stop.signal);
  const appender = await options.platform.log.appender(store);
  const feed = new Feed(config, options, reader, (records) => appender.append(records));
  const looked = Promise.withResolvers<void>();
  const done = feed.run(stop.signal, looked.resolve);
  return {
    looked: looked.promise,
    async close() {
      stop.abort();
      await done;
      await appender.close();
    },
  };
};
