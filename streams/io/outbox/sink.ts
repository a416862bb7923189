/**
 * Carries the outbox's intents to one destination. Each patient's are settled in the log's order, so many patients beside each other; one
 * that is refused is parked and stops nothing else; a destination that is down is waited for, loses nothing and holds up no other.
 */
import type { Intent } from "../../../schemas/records/clinical.ts";
import { deliveries, outbox, tasks } from "../../../schemas/topics.ts";
import type { Emission, Sink } from "../../core/sink.ts";
import type { BodyOf, Entry } from "../../core/stage.ts";
import type { Outcome } from "./attempt.ts";
import { deliveryOf, taskOf } from "./delivery.ts";
import { inOrderByKey, Slots } from "./lanes.ts";
import { type Efforts, noEfforts, settle, type SettleOptions, superseded } from "./settle.ts";
import { resourceKey, standingAfter, type StandingOf } from "./standing.ts";

type OutboxBody = BodyOf<typeof outbox>;
type Writes = { readonly deliveries: typeof deliveries; readonly tasks: typeof tasks };
export type DestinationSink = Sink<OutboxBody, Writes>;

export interface OutboxSinkOptions extends SettleOptions {
  /** Of the sink; where it has come to is kept under this name. */
  readonly name: string;
  /** Patients that are written for at the same time. */
  readonly patientsAtOnce: number;
  readonly standingOf: StandingOf;
}

interface Job {
  readonly at: string;
  readonly entry: Entry<OutboxBody>;
  readonly intent: Intent;
}

const jobsOf = (entries: readonly Entry<OutboxBody>[], destination: string): Job[] =>
  entries.flatMap((entry) =>
    entry.body.kind === "intent" && entry.body.destination === destination
      ? [{ at: `${entry.partition}/${entry.offset}`, entry, intent: entry.body }]
      : [],
  );

/** Codes of its rejections: see `settle`. */
export const outboxSink = (options: OutboxSinkOptions): DestinationSink => {
  const slots = new Slots(options.patientsAtOnce);
  /** Of what was not yet said into the log: a call that rejected is repeated with the same entries. */
  const settled = new Map<string, Outcome>();
  const efforts = new Map<string, Efforts>();

  /** The log does not have what this call has settled yet. */
  const standing = async (job: Job, jobs: readonly Job[]) => {
    const key = resourceKey(job.intent);
    let known = await options.standingOf(job.intent);
    for (const { at, intent } of jobs) {
      const outcome = settled.get(at);
      if (outcome !== undefined && resourceKey(intent) === key)
        known = standingAfter(known, { revision: intent.revision, ...outcome });
    }
    return known;
  };
  const outcomeOf = async (job: Job, jobs: readonly Job[]): Promise<Outcome> => {
    const { intent } = job;
    if (intent.action === "retract" || intent.resentBy !== null) {
      const known = superseded(intent, await standing(job, jobs), options.adapter.readsBack);
      if (known !== null) return known;
    }
    return slots.run(() => settle(intent, efforts.getOrInsertComputed(job.at, noEfforts), options));
  };

  return {
    name: options.name,
    reads: outbox,
    writes: { deliveries, tasks },
    async write(entries) {
      const jobs = jobsOf(entries, options.destination);
      await inOrderByKey(
        jobs,
        ({ intent }) => intent.patientKey,
        async (job) => {
          if (!settled.has(job.at)) settled.set(job.at, await outcomeOf(job, jobs));
        },
      );
      return jobs.flatMap((job) => {
        const outcome = settled.get(job.at);
        settled.delete(job.at);
        efforts.delete(job.at);
        return outcome === undefined ? [] : emissionsOf(job, outcome);
      });
    },
  };
};

const emissionsOf = ({ entry, intent }: Job, outcome: Outcome): Emission<Writes>[] => {
  const { offset, logTime } = entry;
  const key = intent.patientKey;
  const delivery: Emission<Writes> = { offset, to: "deliveries", key, body: deliveryOf(intent, outcome) };
  if (intent.action !== "retract" || outcome.outcome !== "refused") return [delivery];
  return [delivery, { offset, to: "tasks", key, body: taskOf(intent, outcome.detail, logTime) }];
};
