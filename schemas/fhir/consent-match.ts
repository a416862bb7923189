/**
 * Whether a rule concerns a question: yes, no, or not to be told. What can't be told never helps a permit and never frees from a
 * denial: a denial that may concern the question is put before a person.
 */
import type { Provision } from "./consent-directive.ts";
import { type Coding, type ConsentQuestion, destinationSystem, type Hop } from "./consent-question.ts";
import { isEveryday, isPurpose, isWithin } from "./consent-purposes.ts";

export type Concerns = "yes" | "no" | "unclear";

const all = (answers: readonly Concerns[]): Concerns =>
  answers.includes("no") ? "no" : answers.includes("unclear") ? "unclear" : "yes";
const any = (answers: readonly Concerns[]): Concerns =>
  answers.includes("yes") ? "yes" : answers.includes("unclear") ? "unclear" : "no";
/** A list that narrows: empty means everything. */
const among = <T>(list: readonly T[], concerns: (item: T) => Concerns): Concerns =>
  list.length === 0 ? "yes" : any(list.map(concerns));

const systems = {
  action: "http://terminology.hl7.org/CodeSystem/consentaction",
  purpose: "http://terminology.hl7.org/CodeSystem/v3-ActReason",
  confidentiality: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
  resourceTypes: "http://hl7.org/fhir/resource-types",
  loinc: "http://loinc.org",
} as const;

const sameCoding = (a: Coding) => (b: Coding) => a.system === b.system && a.code === b.code;
const tail = (reference: string): string => reference.split("/").slice(-2).join("/");

/** Another organisation is somebody else. A person, a team or a device may stand behind the hop: that is not known here. */
const actorConcerns = (actor: Provision["actors"][number], hop: Hop): Concerns => {
  const own = [{ system: destinationSystem, value: hop.name }, ...(hop.organisation ?? [])];
  const named = own.some((name) =>
    "reference" in name
      ? name.reference === actor.reference
      : actor.identifiers.some(({ system, value }) => system === name.system && value === name.value),
  );
  if (named) return "yes";
  const references = own.flatMap((name) => ("reference" in name ? [name.reference] : []));
  const { reference } = actor;
  if (reference === null)
    return actor.identifiers.length > 0 && actor.identifiers.every(({ system }) => isComparable(system, own))
      ? "no"
      : "unclear";
  if (!tail(reference).startsWith("Organization/")) return "unclear";
  // without a reference of our own, any organisation may be ours; with one, the same id on another server may be
  if (references.length === 0) return "unclear";
  return references.some((r) => tail(r) === tail(reference)) ? "unclear" : "no";
};
/** Two values of one system can be told apart. */
const isComparable = (system: string, own: readonly ({ system: string } | { reference: string })[]): boolean =>
  own.some((name) => "system" in name && name.system === system);

/** A release is also what makes access and use possible: a denial of those concerns it. A permit of them does not. */
const reaches = new Set(["disclose", "access", "use", "collect"]);
const actionConcerns = (action: readonly Coding[], asked: string, type: Provision["type"]): Concerns => {
  const known = action.filter(({ system }) => system === systems.action).map(({ code }) => code);
  if (known.length === 0) return "unclear";
  if (known.includes(asked)) return "yes";
  if (type === "permit") return "no";
  return known.some((code) => reaches.has(code)) ? "yes" : known.includes("correct") ? "no" : "unclear";
};

const purposeConcerns = ({ system, code }: Coding, asked: string | null): Concerns => {
  if (system !== systems.purpose || !isPurpose(code) || asked === null || !isPurpose(asked)) return "unclear";
  if (isWithin(asked, code)) return "yes";
  return isWithin(code, asked) ? "unclear" : "no";
};

/** v3-Confidentiality, least first. A label means what it names and what is below it (Consent.provision.securityLabel). */
const confidentialities = ["U", "L", "M", "N", "R", "V"];
const labelConcerns = (label: Coding, carried: readonly Coding[]): Concerns => {
  if (label.system !== systems.confidentiality) return carried.some(sameCoding(label)) ? "yes" : "unclear";
  const named = confidentialities.indexOf(label.code);
  const own = carried
    .filter(({ system }) => system === systems.confidentiality)
    .map(({ code }) => confidentialities.indexOf(code));
  return named >= 0 && own.length > 0 && own.every((level) => level >= 0 && level <= named) ? "yes" : "unclear";
};

const classConcerns = ({ system, code }: Coding, resourceType: string): Concerns => {
  if (system !== systems.resourceTypes) return "unclear";
  return code === resourceType ? "yes" : "no";
};

/** Panels of vital signs: they may mean what they hold. */
const panels = new Set(["85353-1", "34566-0", "8716-3", "85354-9", "55284-4", "35094-2"]);
const codeConcerns = (concept: readonly Coding[], codes: readonly Coding[]): Concerns => {
  if (concept.some((coding) => codes.some(sameCoding(coding)))) return "yes";
  const comparable = concept.filter(({ system, code }) => system === systems.loinc && !panels.has(code));
  const both = comparable.length > 0 && codes.some(({ system }) => system === systems.loinc);
  return both && comparable.length === concept.length ? "no" : "unclear";
};

/** Whether a rule concerns what is asked, its times and its exceptions left out. */
export const concerns = (rule: Provision, { hop, resourceType, codes, labels }: ConsentQuestion): Concerns =>
  all([
    among(rule.actors, (actor) => {
      const found = actorConcerns(actor, hop);
      return rule.type === "permit" && found === "yes" && !actor.receives ? "unclear" : found;
    }),
    among(rule.actions, (action) => actionConcerns(action, hop.action ?? "disclose", rule.type)),
    among(rule.purposes, (purpose) => purposeConcerns(purpose, hop.purpose ?? null)),
    among(rule.labels, (label) => labelConcerns(label, labels)),
    among(rule.classes, (of) => classConcerns(of, resourceType)),
    among(rule.codes, (concept) => codeConcerns(concept, codes)),
    rule.data ? "unclear" : "yes",
  ]);

/** Whether what names neither purpose nor recipient reaches this hop: everyday care does, research does not. */
export const isReachedByAll = ({ purpose }: Hop): boolean => purpose != null && isEveryday(purpose);
