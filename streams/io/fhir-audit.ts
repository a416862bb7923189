/**
 * Takes the AuditEvents of what a destination was told to its audit repository (IHE ATNA: FHIR feed), from clinical.deliveries: a repository
 * that is down holds up no clinical write, and gets each event once it is back.
 */
import type { Delivery } from "../../schemas/records/clinical.ts";
import { deliveries } from "../../schemas/topics.ts";
import { OperatingError } from "../core/failure.ts";
import type { Sink } from "../core/sink.ts";
import type { BodyOf } from "../core/stage.ts";
import { entryOf } from "./fhir/bundle.ts";
import { type FhirClient, outcomeText } from "./fhir/client.ts";
import { whoseStatus } from "./http-status.ts";
import { type Pauses, pauseBefore, type Waiting } from "./outbox/pauses.ts";

export interface AuditSinkOptions {
  /** Whose deliveries it is about. */
  readonly destination: string;
  readonly client: FhirClient;
  readonly waiting: Waiting;
  readonly pauses: Pauses;
  /** Faults of a repository that is well, on one event, before that event is passed over. */
  readonly triesMost: number;
  readonly signal: AbortSignal;
  /** An AuditEvent that the repository refuses for good; it stays in the outbox and in the deliveries. */
  readonly onRefused: (delivery: Delivery, detail: string) => void;
}

type Disclosed = Delivery & { readonly audit: string };

/** Codes of its rejections: `audit-unavailable`. */
export const auditSink = (options: AuditSinkOptions): Sink<BodyOf<typeof deliveries>> => {
  const { destination, client, waiting, pauses, signal } = options;
  /** Of the entries of this call; a call that rejected is repeated with the same ones. */
  const kept = new Set<string>();
  const failures = new Map<string, number>();

  const keep = async (at: string, delivery: Disclosed): Promise<void> => {
    const problem = await tryToKeep(delivery, client);
    if (problem === null) return void kept.add(at);
    const failed = (failures.get(at) ?? 0) + 1;
    failures.set(at, failed);
    if (problem.final || (problem.faulty && failed >= options.triesMost && (await client.healthy()))) {
      options.onRefused(delivery, problem.detail);
      return void kept.add(at);
    }
    await waiting.sleep(pauseBefore(failed, problem.afterMs, pauses, waiting.random()), signal).catch(() => undefined);
    throw new OperatingError("audit-unavailable", `${destination}'s audit repository: ${problem.detail}`, {
      retry: true,
    });
  };

  return {
    name: `audit-${destination}`,
    reads: deliveries,
    writes: {},
    async write(entries) {
      for (const { partition, offset, body } of entries) {
        const at = `${partition}/${offset}`;
        if (body.kind === "delivery" && isDisclosed(body, destination) && !kept.has(at)) await keep(at, body);
      }
      for (const { partition, offset } of entries) {
        kept.delete(`${partition}/${offset}`);
        failures.delete(`${partition}/${offset}`);
      }
      return [];
    },
  };
};

/** Only a delivery that disclosed something carries its AuditEvent (`deliveryOf`): written, or found there after a crash. */
const isDisclosed = (delivery: Delivery, destination: string): delivery is Disclosed =>
  delivery.destination === destination && delivery.audit !== null;

interface Problem {
  readonly detail: string;
  readonly final: boolean;
  /** It answered, and failed on this one. */
  readonly faulty: boolean;
  readonly afterMs: number | null;
}

/** Null: the repository has it. Its id is its own, so that a repeat adds nothing. */
const tryToKeep = async ({ audit }: Disclosed, client: FhirClient): Promise<Problem | null> => {
  const event = entryOf(audit);
  if (event === null) return { detail: "an AuditEvent without an id", final: true, faulty: true, afterMs: null };
  try {
    const answer = await client.put(event.type, event.id, event.resource);
    const { status, retryAfterMs: afterMs } = answer;
    if (status === 200 || status === 201) return null;
    const whose = whoseStatus(status);
    return { detail: outcomeText(answer), final: status >= 400 && whose === null, faulty: whose === "intent", afterMs };
  } catch (error) {
    if (!(error instanceof OperatingError) || !error.retry) throw error;
    return { detail: error.message, final: false, faulty: false, afterMs: null };
  }
};
