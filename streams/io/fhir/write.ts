/**
 * Writes one intent so that repeats add nothing and an older revision never wins: reads what is there, compares revisions, asks
 * for consent, and puts over exactly the version that it read. Unsure answers are settled by reading again.
 */
import { systems } from "../../../schemas/fhir/systems.ts";
import type { Delivery, Intent } from "../../../schemas/records.ts";
import { OperatingError } from "../../core/failure.ts";
import { type FhirAnswer, type FhirClient, member, outcomeText } from "./client.ts";

export interface Outcome {
  readonly outcome: Delivery["outcome"];
  readonly detail: string;
  readonly versionId: string | null;
}

/** Not settled: try again, after the pause that the server asked for. */
interface Unsettled {
  readonly again: string;
  readonly afterMs: number | null;
  /** True where the server itself answered with a fault (500): it may be this resource's. */
  readonly fault: boolean;
}

/** Asked immediately before each write; a refusal withholds it. */
export type ConsentCheck = (intent: Intent) => Promise<{ passed: boolean; reason: string; detail: string }>;

export interface WriteOptions {
  readonly client: FhirClient;
  readonly consent: ConsentCheck;
  /** Tries of one intent before the destination counts as unavailable. */
  readonly maxTries: number;
  /** Pause before the second try; doubles with each. */
  readonly pauseMs: number;
  /** However long a server asks for, the pause is at most this. */
  readonly maxPauseMs: number;
  /** Rejects when the destination is being closed. */
  readonly sleep: (ms: number) => Promise<void>;
}

const isUnsettled = (result: Outcome | Unsettled): result is Unsettled => "again" in result;
const unsettled = (answer: FhirAnswer, what: string): Unsettled => ({
  again: `${what}: ${outcomeText(answer)}`,
  afterMs: answer.retryAfterMs,
  fault: answer.status === 500,
});
const refused = (detail: string): Outcome => ({ outcome: "refused", detail, versionId: null });

/** Statuses that speak of the way and not of the resource: credentials, address. They hold the sink until mended. */
const misconfigured = new Set([401, 403, 404, 405, 407]);
const transient = (status: number): boolean => status === 408 || status === 429 || status >= 500;
const stale = (status: number): boolean => status === 409 || status === 412;

const wayBlocked = (answer: FhirAnswer, what: string): never => {
  throw new OperatingError("fhir-misconfigured", `${what}: ${outcomeText(answer)}`, { retry: true });
};

/** The highest of our revision tags; a server may keep earlier ones beside it. Null: none of ours. */
const revisionOf = (resource: unknown): number | null => {
  const tags = member(member(resource, "meta"), "tag");
  const revisions = (Array.isArray(tags) ? tags : [])
    .filter((tag) => member(tag, "system") === systems.revision)
    .map((tag) => Number(member(tag, "code")))
    .filter(Number.isSafeInteger);
  return revisions.length === 0 ? null : Math.max(...revisions);
};

/** `Patient/id`, for a server may answer with an absolute reference. */
const subjectOf = (resource: unknown): string =>
  String(member(member(resource, "subject"), "reference"))
    .split("/")
    .slice(-2)
    .join("/");

/** What stands there decides: nothing, an older revision of ours to be put over, or a reason not to write. */
const judgeCurrent = (
  intent: Intent,
  answer: FhirAnswer,
  sent: boolean,
): Outcome | Unsettled | { match: string | null } => {
  if (answer.status === 404) return { match: null };
  if (answer.status === 410) return refused("410: deleted at the destination; not written again");
  if (misconfigured.has(answer.status)) return wayBlocked(answer, "read");
  const { json, versionId } = answer;
  if (answer.status !== 200 || versionId === null || member(json, "resourceType") !== intent.resourceType)
    return unsettled(answer, "read: not a FHIR answer");
  if (subjectOf(json) !== subjectOf(JSON.parse(intent.resource)))
    return refused(`${intent.resourceType}/${intent.resourceId} belongs to another subject there (clinical.md 10)`);
  const revision = revisionOf(json);
  if (revision === null) return refused(`${intent.resourceType}/${intent.resourceId} there is not ours`);
  if (revision < intent.revision) return { match: versionId };
  return sent && revision === intent.revision
    ? { outcome: "written", detail: "confirmed by reading", versionId }
    : { outcome: "alreadyThere", detail: `revision ${revision} is there`, versionId };
};

const judgeUpdate = (answer: FhirAnswer): Outcome | Unsettled => {
  const { status, versionId } = answer;
  if (status === 200 || status === 201)
    return versionId === null
      ? unsettled(answer, "update: not a FHIR answer")
      : { outcome: "written", detail: String(status), versionId };
  if (misconfigured.has(status)) return wayBlocked(answer, "update");
  if (stale(status) || transient(status) || status < 400) return unsettled(answer, "update");
  return refused(outcomeText(answer));
};

/** The version of highest revision in a history Bundle. */
const highestOf = (history: unknown): { readonly resource: unknown; readonly revision: number } | undefined => {
  const entries = member(history, "entry");
  return (Array.isArray(entries) ? entries : [])
    .map((entry) => member(entry, "resource"))
    .flatMap((resource) => {
      const revision = revisionOf(resource);
      return revision === null ? [] : [{ resource, revision }];
    })
    .sort((a, b) => b.revision - a.revision)[0];
};

/**
 * HAPI looks for the resource before it creates one, and not in the same breath: of two writers that create at once both may succeed,
 * the later one over the first. It is told by a 200 where 201 was due, and then puts a higher revision back that it has covered.
 */
const putBackCovered = async (intent: Intent, versionId: string, client: FhirClient): Promise<Outcome | Unsettled> => {
  const { resourceType, resourceId } = intent;
  const history = await client.history(resourceType, resourceId);
  if (history.status !== 200) return unsettled(history, "history");
  const highest = highestOf(history.json);
  if (highest === undefined || highest.revision <= intent.revision)
    return { outcome: "written", detail: "200", versionId };
  const answer = await client.update(resourceType, resourceId, JSON.stringify(highest.resource), versionId);
  if (answer.status !== 200) return unsettled(answer, "putting a higher revision back");
  return { outcome: "alreadyThere", detail: `revision ${highest.revision} is there`, versionId: answer.versionId };
};

/**
 * Resolves with what the destination said. Rejects with OperatingError, to be tried again later: `fhir-unavailable` (no settled
 * answer after `maxTries`), `fhir-misconfigured` (credentials, address).
 */
export const writeIntent = async (intent: Intent, options: WriteOptions): Promise<Outcome> => {
  const { client, consent, maxTries } = options;
  let sent = false;

  const tryOnce = async (): Promise<Outcome | Unsettled> => {
    const current = judgeCurrent(intent, await client.read(intent.resourceType, intent.resourceId), sent);
    if (!("match" in current)) return current;
    const { passed, reason, detail } = await consent(intent);
    if (!passed) return { outcome: "withheld", detail: `${reason}: ${detail}`, versionId: null };
    sent = true;
    const answer = await client.update(intent.resourceType, intent.resourceId, intent.resource, current.match);
    return current.match === null && answer.status === 200 && answer.versionId !== null
      ? putBackCovered(intent, answer.versionId, client)
      : judgeUpdate(answer);
  };
  const tryOrWait = async (): Promise<Outcome | Unsettled> => {
    try {
      return await tryOnce();
    } catch (error) {
      if (!(error instanceof OperatingError) || error.code !== "fhir-unavailable") throw error;
      return { again: error.message, afterMs: null, fault: false };
    }
  };

  let pauseMs = options.pauseMs;
  for (let tries = 1; ; tries++) {
    const result = await tryOrWait();
    if (!isUnsettled(result)) return result;
    if (tries >= maxTries) {
      // A server that is well but fails on this resource each time would else hold all others for ever.
      if (result.fault && (await client.healthy())) return refused(`${result.again} (${tries} tries, server healthy)`);
      throw new OperatingError("fhir-unavailable", `${intent.destination}: ${result.again} (${tries} tries)`, {
        retry: true,
      });
    }
    await options.sleep(Math.min(result.afterMs ?? pauseMs, options.maxPauseMs));
    pauseMs *= 2;
  }
};
