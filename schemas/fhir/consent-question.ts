/** What a consent is asked: may this, of this patient, cross this hop now? And who asks: the hop, as consents name it. */
import { momentOf } from "./moment.ts";

export interface Coding {
  readonly system: string;
  readonly code: string;
}

/** An organisation as a provision's actor may name it: by a reference as the Consent's source writes it, or by an identifier. */
export type OrganisationName = { readonly reference: string } | { readonly system: string; readonly value: string };

/** On what ground a hop may be crossed where no consent speaks (clinical.md 19). */
export type LegalBasis = "consentRequired" | "unlessDenied";

/** One hop: where to, what for, by which law. What is not said is taken so that less is permitted. */
export interface Hop {
  /** As the roster's consents name it; a FHIR Consent may name it by an identifier of {@link destinationSystem}. */
  readonly name: string;
  /** None: a permit that names recipients names somebody else. */
  readonly organisation?: readonly OrganisationName[] | undefined;
  /** HL7 consentaction: what crossing this hop is; `disclose` unless told otherwise. */
  readonly action?: "disclose" | "access" | undefined;
  /** v3-ActReason; null: unsaid, so that no permit for a purpose reaches it and every denial of one does. */
  readonly purpose?: string | null | undefined;
  /** `consentRequired` unless a hospital's configuration says otherwise. */
  readonly legalBasis?: LegalBasis | undefined;
  /** Whose law the basis is of, e.g. "DE-BY"; must be named for `unlessDenied`. */
  readonly jurisdiction?: string | null | undefined;
}

/** Names a destination in a Consent's `provision.actor.reference.identifier`. */
export const destinationSystem = "urn:afferent:destination";

/** The names by which a Consent's source may know the patient. */
export interface PatientNames {
  readonly references: readonly string[];
  readonly identifiers: readonly { readonly system: string; readonly value: string }[];
}

export interface ConsentQuestion {
  readonly hop: Hop;
  readonly resourceType: string;
  /** Of the resource and of its components. */
  readonly codes: readonly Coding[];
  /** Security labels that it carries. */
  readonly labels: readonly Coding[];
  /** When the data arose, in ms: each must be covered by a permit, any is enough for a denial. */
  readonly eventTimes: readonly number[];
  readonly now: number;
}

/** What is written is of normal confidentiality unless it says otherwise: a monitor's vital signs, of no sensitive kind. */
export const normalConfidentiality: Coding = {
  system: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
  code: "N",
};

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const codingsIn = (codings: unknown): Coding[] =>
  list(codings).flatMap((coding) => {
    const [system, code] = [member(coding, "system"), member(coding, "code")];
    return typeof system === "string" && typeof code === "string" ? [{ system, code }] : [];
  });

const instantsIn = (...texts: readonly unknown[]): number[] =>
  texts.flatMap((text) => {
    const moment = typeof text === "string" ? momentOf(text) : null;
    return moment === null ? [] : [moment.beginEarliest];
  });

export type Disclosed = Pick<ConsentQuestion, "resourceType" | "codes" | "labels" | "eventTimes">;

/** Both ends of the time over which its samples were taken, where a component says them: an episode's. */
const periodsIn = (components: readonly unknown[]): readonly unknown[] =>
  components.flatMap((component) => {
    const period = member(component, "valuePeriod");
    return [member(period, "start"), member(period, "end")];
  });

/** What a resource discloses. One without a time of its own has no event times: no permit covers it. */
export const disclosedBy = (resource: unknown): Disclosed => {
  const period = member(resource, "effectivePeriod");
  const components = list(member(resource, "component"));
  const labels = codingsIn(member(member(resource, "meta"), "security"));
  return {
    resourceType: String(member(resource, "resourceType") ?? ""),
    codes: [
      ...codingsIn(member(member(resource, "code"), "coding")),
      ...components.flatMap((c) => codingsIn(member(member(c, "code"), "coding"))),
    ],
    labels: labels.some(({ system }) => system === normalConfidentiality.system)
      ? labels
      : [...labels, normalConfidentiality],
    eventTimes: instantsIn(
      member(resource, "effectiveDateTime"),
      member(resource, "effectiveInstant"),
      member(period, "start"),
      member(period, "end"),
      ...periodsIn(components),
    ),
  };
};

/**
 * What a resource and each Observation beside it disclose. They tell of one thing: each arose whenever any of them did, so that the time of a
 * panel whose episode's period stands beside it counts; but one that says no time of its own stays without.
 */
export const disclosuresOf = (resource: unknown, beside: readonly unknown[]): [Disclosed, ...Disclosed[]] => {
  const observations = beside.filter((one) => member(one, "resourceType") === "Observation");
  const [own, others] = [disclosedBy(resource), observations.map(disclosedBy)];
  const eventTimes = [...new Set([own, ...others].flatMap((one) => one.eventTimes))];
  const timed = (one: Disclosed): Disclosed => (one.eventTimes.length === 0 ? one : { ...one, eventTimes });
  return [timed(own), ...others.map(timed)];
};
