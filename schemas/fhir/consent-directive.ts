/**
 * A consent as rules, whatever form it came in. What a FHIR R4 Consent means is read here: base from `policyRule`, status, scope,
 * when it was made, and whether it contradicts itself (clinical.md 19).
 */
import type { Coding, PatientNames } from "./consent-question.ts";
import { narrativeOf } from "./consent-narrative.ts";
import {
  type CodingJson,
  type ConceptJson,
  type ConsentJson,
  type PeriodJson,
  type ProvisionJson,
  readConsent,
  type ReferenceJson,
} from "./consent-shape.ts";
import { type Moment, momentOf, type Zones } from "./moment.ts";

/** From when to when, each as near as it is known; null: open. */
export interface Span {
  readonly start: Moment | null;
  readonly end: Moment | null;
}

export interface Actor {
  /** Whether its role says that it receives. */
  readonly receives: boolean;
  readonly reference: string | null;
  readonly identifiers: readonly { readonly system: string; readonly value: string }[];
}

/** A rule, or a group of them: what it narrows itself to, and the exceptions within. An empty list narrows to nothing less than all. */
export interface Provision {
  readonly type: "permit" | "deny";
  readonly period: Span | null;
  readonly dataPeriod: Span | null;
  readonly actors: readonly Actor[];
  readonly actions: readonly (readonly Coding[])[];
  readonly purposes: readonly Coding[];
  readonly labels: readonly Coding[];
  readonly classes: readonly Coding[];
  readonly codes: readonly (readonly Coding[])[];
  /** It is narrowed to certain resources, which are not looked up. */
  readonly data: boolean;
  readonly provisions: readonly Provision[];
}

/** What stands above the nested rules: `permit` and `deny` speak for what no nested rule names, `nothing` does not. */
export type Base = "permit" | "deny" | "nothing";

export interface Rules {
  readonly kind: "rules";
  readonly base: Base;
  /** Its narrowing holds for every permit below. */
  readonly root: Provision;
  /** False: its permits are void (status), its denials count. */
  readonly active: boolean;
  /** Its permits are for emergencies alone. */
  readonly emergencyOnly: boolean;
  /** Its source has not been heard for so long that its permits count no more. */
  readonly stale: boolean;
  /** Why a person must look at it; null: nothing speaks against taking it at its word. */
  readonly review: string | null;
}

export interface Directive {
  /** For people, e.g. "consent c-1 version 2". */
  readonly named: string;
  /** When it was made, at the earliest and at the latest. A permit of unknown date is the oldest, a denial the newest that it can be. */
  readonly madeEarliest: number;
  readonly madeLatest: number;
  /** Null: it names nobody, or is asked of its own patient alone. */
  readonly patient: ReferenceJson | null;
  readonly said: Rules | Refused | { readonly kind: "silent" };
}

/** It says something that nobody can tell. */
export interface Refused {
  readonly kind: "refused";
  readonly standing: "consent-unreadable" | "consent-review";
  readonly detail: string;
}

/** Who reads, and what comes beside the JSON. */
export interface Reading {
  readonly named: string;
  /** When we had it, in ms: no denial in it can have been made later. */
  readonly readAt: number;
  readonly stale: boolean;
  readonly zones: Zones;
}

const systems = {
  scope: "http://terminology.hl7.org/CodeSystem/consentscope",
  actCode: "http://terminology.hl7.org/CodeSystem/v3-ActCode",
  participation: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
} as const;

/** Of v3-ActCode, ActConsentDirective. Opt-in with restrictions (OPTINR) says nothing until they are nested. */
const bases: Readonly<Record<string, Base>> = { OPTIN: "permit", OPTINR: "nothing", OPTOUT: "deny", OPTOUTE: "deny" };
/** Information recipient, primary information recipient. */
const recipients = new Set(["IRCP", "PRCP"]);

const codings = (found: readonly CodingJson[] | undefined): Coding[] =>
  (found ?? []).map(({ system = "", code = "" }) => ({ system, code }));
const concepts = (found: readonly ConceptJson[] | undefined): Coding[][] =>
  (found ?? []).map(({ coding }) => codings(coding));

const spanOf = (period: PeriodJson | undefined, zones: Zones): Span | null => {
  if (period === undefined) return null;
  const moment = (text: string | undefined): Moment | null => (text === undefined ? null : momentOf(text, zones));
  return { start: moment(period.start), end: moment(period.end) };
};

/** Of an organisation that the Consent itself holds (`#id`), its identifiers too. */
const identifiersOf = ({ identifier, reference }: ReferenceJson, contained: ConsentJson["contained"]) => {
  const inside = contained?.find(({ id }) => reference === `#${id}`)?.["identifier"];
  return [identifier, inside].flat().flatMap((i) => {
    const { system, value } = (i ?? {}) as { system?: unknown; value?: unknown };
    return typeof system === "string" && typeof value === "string" ? [{ system, value }] : [];
  });
};

const provisionOf = (
  json: ProvisionJson,
  type: Provision["type"],
  of: { readonly zones: Zones; readonly contained: ConsentJson["contained"] },
): Provision => ({
  type,
  period: spanOf(json.period, of.zones),
  dataPeriod: spanOf(json.dataPeriod, of.zones),
  actors: (json.actor ?? []).map(({ role, reference }) => ({
    receives: codings(role.coding).some((c) => c.system === systems.participation && recipients.has(c.code)),
    reference: reference.reference?.replace(/\/_history\/.*$/, "") ?? null,
    identifiers: identifiersOf(reference, of.contained),
  })),
  actions: concepts(json.action),
  purposes: codings(json.purpose),
  labels: codings(json.securityLabel),
  classes: codings(json.class),
  codes: concepts(json.code),
  data: json.data !== undefined,
  provisions: (json.provision ?? []).map((inner) => provisionOf(inner, inner.type ?? "deny", of)),
});

/** A rule with no narrowing of its own. */
export const anything = (type: Provision["type"], change: Partial<Provision> = {}): Provision => ({
  type,
  period: null,
  dataPeriod: null,
  actors: [],
  actions: [],
  purposes: [],
  labels: [],
  classes: [],
  codes: [],
  data: false,
  provisions: [],
  ...change,
});

export const isNarrowed = ({
  dataPeriod,
  data,
  actors,
  actions,
  purposes,
  labels,
  classes,
  codes,
}: Provision): boolean =>
  dataPeriod !== null || data || [actors, actions, purposes, labels, classes, codes].some((list) => list.length > 0);

const within = ({ provisions }: Provision): readonly Provision[] => provisions.flatMap((p) => [p, ...within(p)]);

const untyped = (json: ProvisionJson | undefined): boolean =>
  (json?.provision ?? []).some((inner) => inner.type === undefined || untyped(inner));

/** Two rules side by side that narrow themselves alike, one permitting and one denying. */
const opposed = ({ provisions }: Provision): boolean => {
  const permits = new Set(provisions.filter((p) => p.type === "permit").map(narrowingOf));
  return provisions.some((p) => (p.type === "deny" && permits.has(narrowingOf(p))) || opposed(p));
};
const narrowingOf = ({ type: _, provisions: __, ...narrowing }: Provision): string => JSON.stringify(narrowing);

/** A plain opt-in permits as it stands; a narrowed one only what is nested in it permits (clinical.md 19). */
const baseOf = (policy: Base, root: Provision): Base => {
  if (policy !== "permit") return policy;
  return isNarrowed(root) || root.provisions.some(({ type }) => type === "permit") ? "nothing" : "permit";
};

const policyOf = (rule: ConceptJson | undefined): { readonly base: Base; readonly problem: string | null } => {
  const known = codings(rule?.coding).flatMap(({ system, code }) =>
    system === systems.actCode && Object.hasOwn(bases, code) ? [bases[code] ?? "nothing"] : [],
  );
  const [base] = known;
  if (base === undefined) return { base: "nothing", problem: "its policy rule is not known" };
  return known.every((b) => b === base)
    ? { base, problem: null }
    : { base: "deny", problem: "its policy rule names opt-in and opt-out" };
};

const structureProblem = (json: ConsentJson, policy: Base, root: Provision): string | null => {
  const type = json.provision?.type;
  if (type !== undefined && (type === "permit" || policy !== "deny"))
    return `its root rule has a type (${type}), which R4 does not permit there`;
  if (untyped(json.provision)) return "a nested rule says neither permit nor deny";
  return opposed(root) ? "two of its rules say opposite things of the same" : null;
};

/** Narrative against structure: words for something of which the rules have nothing. */
const narrativeProblem = (json: ConsentJson, policy: Base, base: Base, root: Provision): string | null => {
  const said = narrativeOf(json.text?.div);
  const types = within(root).map(({ type }) => type);
  if (said.denies && policy !== "deny" && !types.includes("deny"))
    return "its narrative withholds, and no rule of it denies";
  if (said.permits && base !== "permit" && !types.includes("permit"))
    return "its narrative permits, and no rule of it does";
  return null;
};

const isPrivacy = ({ scope }: ConsentJson): boolean =>
  codings(scope.coding).some(({ system, code }) => system === systems.scope && code === "patient-privacy");

const rulesOf = (json: ConsentJson, { stale, zones }: Reading): Rules => {
  const policy = policyOf(json.policyRule);
  const { contained } = json;
  const rootType = json.provision?.type ?? (policy.base === "deny" ? "deny" : "permit");
  const root = provisionOf(json.provision ?? {}, rootType, { zones, contained });
  const base = root.type === "deny" ? "deny" : baseOf(policy.base, root);
  const active = json.status === "active";
  const review =
    policy.problem ?? structureProblem(json, policy.base, root) ?? narrativeProblem(json, policy.base, base, root);
  const emergencyOnly = concepts(json.category).some((of) =>
    of.some(({ system, code }) => system === systems.actCode && code === "EMRGONLY"),
  );
  // what is not in force permits nothing anyhow: only its denials are left, and they are taken at their word
  return { kind: "rules", base, root, active, emergencyOnly, stale, review: active ? review : null };
};

/** What one Consent says. Entered in error, or of another scope: nothing. */
export const directiveOf = (text: string, reading: Reading): Directive => {
  const { named, readAt, zones } = reading;
  const read = readConsent(text);
  if (!read.ok)
    return refused(named, readAt, { standing: "consent-unreadable", detail: `can't be read: ${read.problem.detail}` });
  const json = read.value;
  const made = json.dateTime === undefined ? null : momentOf(json.dateTime, zones);
  const silent = json.status === "entered-in-error" || !isPrivacy(json);
  return {
    named,
    madeEarliest: made?.beginEarliest ?? Number.NEGATIVE_INFINITY,
    madeLatest: made?.endLatest ?? readAt,
    patient: json.patient ?? {},
    said: silent ? { kind: "silent" } : rulesOf(json, reading),
  };
};

/** What can't be told may be a denial, made at the latest when we had it. */
export const refused = (named: string, readAt: number, why: Omit<Refused, "kind">): Directive => ({
  named,
  madeEarliest: Number.NEGATIVE_INFINITY,
  madeLatest: readAt,
  patient: null,
  said: { kind: "refused", ...why },
});

/** Whether it is this patient's own. A reference counts where the source's own id of him is known. */
export const isOf = ({ patient }: Directive, names: PatientNames): boolean => {
  if (patient === null) return true;
  const { reference, identifier } = patient;
  if (reference !== undefined) return names.references.includes(reference.replace(/\/_history\/.*$/, ""));
  return names.identifiers.some(({ system, value }) => system === identifier?.system && value === identifier.value);
};
