/**
 * The outbox's way to one FHIR destination. Each patient's intents are written in order, patients beside each other; one that
 * is refused stops nothing else, a destination that is down stops all and loses nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery, Intent } from "../../schemas/records.ts";
import { deliveries, outbox } from "../../schemas/topics.ts";
import { OperatingError } from "../core/failure.ts";
import type { Emission, Sink } from "../core/sink.ts";
import type { BodyOf, Entry } from "../core/stage.ts";
import { fhirClient } from "./fhir/client.ts";
import { type ConsentCheck, type Outcome, type WriteOptions, writeIntent } from "./fhir/write.ts";

type OutboxBody = BodyOf<typeof outbox>;
type Writes = { readonly deliveries: typeof deliveries };

export interface FhirSinkOptions {
  /** E.g. "http://127.0.0.1:8080/fhir". */
  readonly baseUrl: string;
  /** Intents for other destinations are left alone. */
  readonly destination: string;
  readonly consent: ConsentCheck;
  /** A whole answer must be there after this long; 30,000 unless told otherwise: a server may load its profiles at the first write. */
  readonly timeoutMs?: number;
  /** Tries of one intent before the sink gives up for now; 5 unless told otherwise. */
  readonly maxTries?: number;
  /** Pause before the second try, doubling after; 100 unless told otherwise. */
  readonly pauseMs?: number;
  /** A server's Retry-After counts up to this; 30,000 unless told otherwise. */
  readonly maxPauseMs?: number;
  /** Aborted when the destination is closed: a write on its way is given up, and comes again with the next start. */
  readonly signal?: AbortSignal;
}

/** Patients that are written for at the same time: HAPI gains little beyond its cores. */
const patientsAtOnce = 4;

interface Job {
  readonly at: string;
  readonly offset: number;
  readonly intent: Intent;
}

const jobsOf = (entries: readonly Entry<OutboxBody>[], destination: string): Job[] =>
  entries.flatMap(({ partition, offset, body }) =>
    body.kind === "intent" && body.destination === destination
      ? [{ at: `${partition}/${offset}`, offset, intent: body }]
      : [],
  );

const deliveryOf = ({ intent }: Job, { outcome, detail, versionId }: Outcome): Delivery => ({
  kind: "delivery",
  by: null,
  identity: intent.identity,
  revision: intent.revision,
  patientKey: intent.patientKey,
  destination: intent.destination,
  resourceType: intent.resourceType,
  resourceId: intent.resourceId,
  outcome,
  detail,
  versionId,
});

/** Runs each patient's jobs in turn, some patients at a time; the first error comes out once all have stopped. */
const inPatientOrder = async (jobs: readonly Job[], run: (job: Job) => Promise<void>): Promise<void> => {
  const queue = [...Map.groupBy(jobs, (job) => job.intent.patientKey).values()];
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let mine = queue.shift(); mine !== undefined && errors.length === 0; mine = queue.shift()) {
      try {
        for (const job of mine) await run(job);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: patientsAtOnce }, worker));
  if (errors.length > 0) throw errors[0];
};

/** Codes of its rejections: see `writeIntent`. */
export const fhirSink = (options: FhirSinkOptions): Sink<OutboxBody, Writes> => {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const { signal } = options;
  const closable = signal === undefined ? {} : { signal };
  const write: WriteOptions = {
    client: fhirClient({ baseUrl, timeoutMs: options.timeoutMs ?? 30_000, now: Date.now, ...closable }),
    consent: options.consent,
    maxTries: options.maxTries ?? 5,
    pauseMs: options.pauseMs ?? 100,
    maxPauseMs: options.maxPauseMs ?? 30_000,
    sleep: (ms) =>
      sleep(ms, undefined, closable).catch((cause: unknown) => {
        throw new OperatingError("closed", `${options.destination}: closed between two tries`, { retry: true, cause });
      }),
  };
  /** What was settled before a later intent of the same call failed; the call is repeated with the same entries. */
  const settled = new Map<string, Outcome>();
  return {
    name: `fhir-${options.destination}`,
    reads: outbox,
    writes: { deliveries },
    async write(entries): Promise<readonly Emission<Writes>[]> {
      const jobs = jobsOf(entries, options.destination);
      await inPatientOrder(jobs, async (job) => {
        if (!settled.has(job.at)) settled.set(job.at, await writeIntent(job.intent, write));
      });
      return jobs.flatMap((job) => {
        const outcome = settled.get(job.at);
        settled.delete(job.at);
        if (outcome === undefined) return [];
        return [{ offset: job.offset, to: "deliveries", key: job.intent.patientKey, body: deliveryOf(job, outcome) }];
      });
    },
  };
};
