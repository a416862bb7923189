/**
 * Writes one intent so that repeats add nothing and an older revision never wins: reads what is there, compares revisions, asks
 * for consent, and puts over exactly the version that it read. An answer that was lost is found by reading at the next try.
 */
import type { Intent } from "../../../schemas/records/clinical.ts";
import { OperatingError } from "../../core/failure.ts";
import { whoseStatus } from "../http-status.ts";
import { member } from "../json.ts";
import { alreadyThere, type Attempt, type Outcome, refused, type Trying, unsettled } from "../outbox/attempt.ts";
import { parsedIntent } from "../outbox/parsed.ts";
import { entryOf, firstAnswer, transactionOf } from "./bundle.ts";
import { type FhirAnswer, type FhirClient, outcomeText } from "./client.ts";
import { isWhole, revisionOf, versionsIn } from "./revisions.ts";

const unsettledBy = (answer: FhirAnswer, what: string): Attempt =>
  unsettled(
    whoseStatus(answer.status) ?? (answer.status < 400 ? "destination" : "intent"),
    `${what}: ${outcomeText(answer)}`,
    answer.retryAfterMs,
  );

/** `Patient/id`, for a server may answer with an absolute reference. */
const subjectOf = (resource: unknown): string =>
  String(member(member(resource, "subject"), "reference"))
    .split("/")
    .slice(-2)
    .join("/");

/** Where nothing stands a write creates it; a retraction has nothing to take back and must not create what was never written. */
const judgeAbsent = ({ action }: Intent, status: 404 | 410): Attempt | { match: null } => {
  if (action === "retract") return alreadyThere(`${status}: nothing to take back there`);
  return status === 404 ? { match: null } : refused("410: deleted at the destination; not written again");
};

/** A later revision of ours stands there. */
interface Covered {
  readonly coveredBy: number;
  readonly versionId: string;
}

/** What stands there decides: nothing, an older revision of ours to be put over, a later one, or a reason not to write. */
const judgeCurrent = (
  intent: Intent,
  answer: FhirAnswer,
  sent: boolean,
): Attempt | Covered | { match: string | null } => {
  const { json, versionId, status } = answer;
  if (status === 404 || status === 410) return judgeAbsent(intent, status);
  if (status !== 200 || versionId === null || member(json, "resourceType") !== intent.resourceType)
    return unsettledBy(answer, "read: not a FHIR answer");
  if (subjectOf(json) !== subjectOf(parsedIntent(intent).resource))
    return refused(`${intent.resourceType}/${intent.resourceId} belongs to another subject there (clinical.md 10)`);
  const revision = revisionOf(json);
  if (revision === null) return refused(`${intent.resourceType}/${intent.resourceId} there is not ours`);
  if (revision < intent.revision) return { match: versionId };
  if (revision > intent.revision) return { coveredBy: revision, versionId };
  return sent
    ? { outcome: "written", detail: "confirmed by reading", versionId }
    : alreadyThere(`revision ${revision} is there`, versionId, true);
};

/**
 * Whether this revision stood there before it was covered: then it was disclosed, by a try whose answer or whose commit was lost. Where a
 * server's history can't tell (none is kept, or it goes beyond fifty versions) it counts as taken: better one AuditEvent too many than a
 * disclosure that nobody finds.
 */
const judgeCovered = async (
  intent: Intent,
  { coveredBy, versionId }: Covered,
  client: FhirClient,
): Promise<Attempt> => {
  const history = await client.history(intent.resourceType, intent.resourceId);
  if (history.status !== 501 && whoseStatus(history.status) === "destination") return unsettledBy(history, "history");
  const stood = versionsIn(history.json).some(({ revision }) => revision === intent.revision);
  return alreadyThere(`revision ${coveredBy} is there`, versionId, stood || !isWhole(history));
};

const judgeUpdate = (answer: FhirAnswer): Attempt => {
  const { status, versionId } = answer;
  if (status === 200 || status === 201)
    return versionId === null
      ? unsettledBy(answer, "update: not a FHIR answer")
      : { outcome: "written", detail: String(status), versionId };
  if (whoseStatus(status) !== null || status < 400) return unsettledBy(answer, "update");
  return refused(outcomeText(answer));
};

/**
 * HAPI looks for the resource before it creates one, and not in the same breath: of two writers that create at once both may succeed,
 * the later one over the first. It is told by a 200 where 201 was due, and then puts a higher revision back that it has covered.
 */
const putBackCovered = async (intent: Intent, versionId: string, client: FhirClient): Promise<Attempt> => {
  const { resourceType, resourceId } = intent;
  const history = await client.history(resourceType, resourceId);
  if (history.status !== 200) return unsettledBy(history, "history");
  const [highest] = versionsIn(history.json);
  if (highest === undefined || highest.revision <= intent.revision)
    return { outcome: "written", detail: "200", versionId };
  const answer = await client.update(resourceType, resourceId, JSON.stringify(highest.resource), versionId);
  if (answer.status !== 200) return unsettledBy(answer, "putting a higher revision back");
  return alreadyThere(`revision ${highest.revision} is there`, answer.versionId, true);
};

/** One PUT; with resources beside it one transaction, whose answer is judged by that to the first of them. */
const send = async (intent: Intent, match: string | null, client: FhirClient): Promise<FhirAnswer | Outcome> => {
  const { resourceType, resourceId, resource } = intent;
  if (intent.beside.length === 0) return client.update(resourceType, resourceId, resource, match);
  const { beside: read } = parsedIntent(intent);
  const beside = intent.beside.map((one, i) => entryOf(one, read[i])).filter((entry) => entry !== null);
  if (beside.length < intent.beside.length) return refused("a resource beside it has no type or no id");
  const main = { type: resourceType, id: resourceId, resource };
  const answer = await client.transaction(transactionOf(client.baseUrl, main, beside, match));
  return answer.status === 200 ? (firstAnswer(answer) ?? { ...answer, versionId: null }) : answer;
};

/** One try. What can't be answered in its time is unsettled. */
export const attemptFhir = async (intent: Intent, trying: Trying, client: FhirClient): Promise<Attempt> => {
  try {
    const current = judgeCurrent(intent, await client.read(intent.resourceType, intent.resourceId), trying.sentBefore);
    if ("coveredBy" in current) return await judgeCovered(intent, current, client);
    if (!("match" in current)) return current;
    const withheld = await trying.withheld();
    if (withheld !== null) return withheld;
    const answer = await send(intent, current.match, client);
    if ("outcome" in answer) return answer;
    return current.match === null && answer.status === 200 && answer.versionId !== null
      ? await putBackCovered(intent, answer.versionId, client)
      : judgeUpdate(answer);
  } catch (error) {
    if (!(error instanceof OperatingError) || !error.retry) throw error;
    return unsettled(error.code === "credentials-refused" ? "way" : "unsure", error.message);
  }
};
