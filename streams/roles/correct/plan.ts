/** Lists what a transform's or rule's version wrote to a destination, as the outbox has it beside what stands there, and what may be done about it. */
import type { Intent } from "../../../schemas/records/clinical.ts";
import { systems } from "../../../schemas/fhir/systems.ts";
import { deliveries, outbox } from "../../../schemas/topics.ts";
import { member } from "../../io/json.ts";
import { nothingStands, type Standing, standingAfter } from "../../io/outbox/standing.ts";
import type { FoundResource } from "../../io/fhir/search.ts";
import type { Ledger } from "../why/ledger.ts";
import type { Plan, PlanRow } from "./plan-shape.ts";

export interface Asked {
  readonly destination: string;
  /** E.g. "gates@1"; null: any. */
  readonly transform: string | null;
  /** E.g. "hr-high@3"; null: any. */
  readonly rule: string | null;
  readonly how: Plan["how"];
  readonly by: string;
  readonly because: string;
}

export interface PlanParts {
  readonly ledger: Ledger;
  /** What the destination has under a tag. Rejects with OperatingError where it can't be asked. */
  found(resourceType: string, tag: string): Promise<readonly FoundResource[]>;
  readonly now: () => number;
}

const nameOf = ({ resourceType, resourceId }: Pick<Intent, "resourceType" | "resourceId">): string =>
  `${resourceType}/${resourceId}`;

const tagOf = (resource: unknown, system: string): string | null => {
  const tags = [member(member(resource, "meta"), "tag")].flat();
  const code = member(
    tags.find((tag) => member(tag, "system") === system),
    "code",
  );
  return typeof code === "string" ? code : null;
};

export const planOf = async (asked: Asked, { ledger, found, now }: PlanParts): Promise<Plan> => {
  const { destination, transform, rule } = asked;
  const intents = (await ledger.those(outbox, (body) => body.kind === "intent" && body.destination === destination))
    .map(({ body }) => body as Intent)
    .filter(({ resource }) => madeBy(JSON.parse(resource), asked));
  const newest = new Map<string, Intent>();
  for (const intent of intents)
    if (intent.revision >= (newest.get(nameOf(intent))?.revision ?? 0)) newest.set(nameOf(intent), intent);
  const standings = await standingsOf(ledger, destination);
  const tag = transform === null ? `${systems.rule}|${rule}` : `${systems.transform}|${transform}`;
  const { there, notAsked } = await whatStands(tag, found);
  const rows = [...newest.values()].map((intent) => rowOf(intent, standings.get(nameOf(intent)), there, asked.how));
  return {
    destination,
    madeBy: { transform, rule },
    how: asked.how,
    by: asked.by,
    because: asked.because,
    at: new Date(now()).toISOString(),
    rows: rows.toSorted((a, b) => (a.patientKey + a.resourceId < b.patientKey + b.resourceId ? -1 : 1)),
    strangers: [...(there?.keys() ?? [])].filter((name) => !newest.has(name)).toSorted(),
    notAsked,
    review: null,
  };
};

const madeBy = (resource: unknown, { transform, rule }: Asked): boolean =>
  (transform === null || tagOf(resource, systems.transform) === transform) &&
  (rule === null || tagOf(resource, systems.rule) === rule);

/** What the destination took of each resource, as far as its answers say. */
const standingsOf = async (ledger: Ledger, destination: string): Promise<ReadonlyMap<string, Standing>> => {
  const all = await ledger.those(deliveries, (body) => body.kind === "delivery" && body.destination === destination);
  const standings = new Map<string, Standing>();
  for (const { body } of all)
    if (body.kind === "delivery")
      standings.set(nameOf(body), standingAfter(standings.get(nameOf(body)) ?? nothingStands, body));
  return standings;
};

const reportable = ["Observation", "DiagnosticReport"];

const whatStands = async (
  tag: string,
  found: PlanParts["found"],
): Promise<{ readonly there: ReadonlyMap<string, FoundResource> | null; readonly notAsked: string | null }> => {
  try {
    const all = await Promise.all(reportable.map((type) => found(type, tag)));
    return { there: new Map(all.flat().map((one) => [`${one.resourceType}/${one.id}`, one])), notAsked: null };
  } catch (error) {
    return { there: null, notAsked: error instanceof Error ? error.message : String(error) };
  }
};

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

const rowOf = (
  intent: Intent,
  standing: Standing | undefined,
  there: ReadonlyMap<string, FoundResource> | null,
  how: Plan["how"],
): PlanRow => {
  const resource = JSON.parse(intent.resource) as unknown;
  const found = there?.get(nameOf(intent));
  const row = {
    resourceType: intent.resourceType,
    resourceId: intent.resourceId,
    identity: intent.identity,
    patientKey: intent.patientKey,
    revision: intent.revision,
    transform: tagOf(resource, systems.transform) ?? "",
    rule: tagOf(resource, systems.rule),
    status: text(member(resource, "status")) ?? "",
    effective: text(member(resource, "effectiveDateTime")),
    says: saysOf(resource),
    there: found === undefined ? null : thereOf(found),
  };
  return {
    ...row,
    leftOut: leftOutBecause(intent, row, there === null ? standing?.mayStand === true : found !== undefined, how),
  };
};

const thereOf = (resource: FoundResource): NonNullable<PlanRow["there"]> => {
  const revision = Number(tagOf(resource, systems.revision) ?? Number.NaN);
  return {
    versionId: text(member(resource["meta"], "versionId")),
    status: text(resource["status"]) ?? "",
    revision: Number.isInteger(revision) ? revision : null,
  };
};

/** What it tells, in a few words: its code's text and value. */
const saysOf = (resource: unknown): string => {
  const quantity = member(resource, "valueQuantity");
  const value =
    quantity === undefined
      ? text(member(resource, "conclusion"))
      : `${member(quantity, "value")} ${member(quantity, "unit")}`;
  return [text(member(member(resource, "code"), "text")), value].filter((part) => part !== null).join(" ");
};

/** A revision of ours below the newest may stand there: what came after it was withheld or refused. */
const leftOutBecause = (
  intent: Intent,
  { there, status }: Pick<PlanRow, "there" | "status">,
  mayStand: boolean,
  how: Plan["how"],
): string | null => {
  if (there?.status === "entered-in-error") return "already-in-error";
  if (there === null && intent.action === "retract") return "already-in-error";
  if (!mayStand) return "not-written";
  if (there !== null && (there.revision === null || there.revision > intent.revision)) return "changed-there";
  return how === "amend" && status === "preliminary" ? "still-open" : null;
};
