import { describe, expect, it } from "vitest";
import { aConsent, aPatient, minutes, two } from "../../schemas/fhir/clinical.fixture.ts";
import {
  aConsentJson,
  action,
  actor,
  aFhirConsent,
  at,
  concept,
  label,
  loinc,
  narrative,
  ofClass,
  only,
  policyRule,
  purpose,
  scope,
} from "../../schemas/fhir/consent.fixture.ts";
import { type Hop, normalConfidentiality } from "../../schemas/fhir/consent-question.ts";
import type { AccessOverride, Consent, FhirConsent, Patient } from "../../schemas/records.ts";
import { type Asking, consented } from "./consented.ts";

const ehr: Hop = {
  name: "ehr",
  organisation: [{ reference: "Organization/ghh" }, { system: "urn:example:organisations", value: "ghh" }],
  purpose: "TREAT",
};
const research: Hop = { name: "cohort", organisation: [{ reference: "Organization/uni" }], purpose: "HRESCH" };
const lawful: Hop = { ...ehr, legalBasis: "unlessDenied", jurisdiction: "DE-BY" };

interface Case extends Asking {
  /** FHIR Consents as JSON, as text, or as records. */
  readonly fhir?: readonly (Record<string, unknown> | string | FhirConsent)[];
  readonly simple?: readonly Consent[];
  readonly overrides?: readonly AccessOverride[];
  readonly hop?: Hop;
  readonly patient?: Patient | null;
  readonly resourceType?: string;
  readonly code?: string;
  readonly labels?: readonly { system: string; code: string }[];
  /** Minutes after 14:00; 5 unless told otherwise. */
  readonly events?: readonly number[];
  /** Minutes after 14:00; 10 unless told otherwise. */
  readonly now?: number;
}

/** Each FHIR Consent has an id of its own. */
const recordOf = (json: Record<string, unknown> | string | FhirConsent, i: number): FhirConsent =>
  typeof json === "object" && json["kind"] === "fhirConsent"
    ? (json as FhirConsent)
    : aFhirConsent(json, { id: `ehr/c-${i}` });

const ask = (c: Case) => {
  const { resourceType = "Observation", code = "8867-4", labels = [normalConfidentiality], hop = ehr } = c;
  const patient = c.patient === null ? undefined : (c.patient ?? aPatient());
  const evidence = {
    patient,
    consents: [...(c.simple ?? []), ...(c.fhir ?? []).map(recordOf)],
    overrides: c.overrides ?? [],
  };
  const question = {
    hop,
    resourceType,
    codes: [{ system: "http://loinc.org", code }],
    labels,
    eventTimes: (c.events ?? [5]).map((m) => two + minutes(m)),
    now: two + minutes(c.now ?? 10),
  };
  return consented(evidence, question, c);
};

const optIn = aConsentJson;
const optOut = (change: Record<string, unknown> = {}) => aConsentJson({ policyRule: policyRule("OPTOUT"), ...change });
/** An opt-in with one nested denial. */
const except = (rule: Record<string, unknown>, change: Record<string, unknown> = {}) =>
  optIn({ ...change, provision: { provision: [{ type: "deny", ...rule }] } });

const anOverride = (change: Partial<AccessOverride> = {}): AccessOverride => ({
  kind: "accessOverride",
  id: "o-1",
  version: 1,
  patientKey: "pk-7",
  destination: "ehr",
  by: "Dr. A. Brandt",
  reason: "unconscious, next of kin not reached",
  from: two,
  to: two + minutes(60),
  ...change,
});

const ghh = actor("Organization/ghh");
const other = actor("Organization/elsewhere");

type Row = readonly [story: string, reason: string, refused: Case, permitted: Case];

const bases: readonly Row[] = [
  ["nothing is known", "consent-unknown", {}, { fhir: [optIn()] }],
  ["an opt-out", "consent-denied", { fhir: [optOut()] }, { fhir: [optIn()] }],
  [
    "an opt-out with exceptions that has none for us",
    "consent-denied",
    {
      fhir: [
        optIn({ policyRule: policyRule("OPTOUTE"), provision: { provision: [{ type: "permit", actor: [other] }] } }),
      ],
    },
    {
      fhir: [
        optIn({ policyRule: policyRule("OPTOUTE"), provision: { provision: [{ type: "permit", actor: [ghh] }] } }),
      ],
    },
  ],
  [
    "an opt-in with restrictions that are not nested",
    "consent-unknown",
    { fhir: [optIn({ policyRule: policyRule("OPTINR") })] },
    {
      fhir: [optIn({ policyRule: policyRule("OPTINR"), provision: { provision: [{ type: "permit", actor: [ghh] }] } })],
    },
  ],
  [
    "a policy rule that nobody here knows",
    "consent-review",
    { fhir: [optIn({ policyRule: concept("http://terminology.hl7.org/CodeSystem/consentpolicycodes", "cric") })] },
    { fhir: [optIn()] },
  ],
  [
    "a code of opt-in from another code system",
    "consent-review",
    { fhir: [optIn({ policyRule: concept("urn:example:rules", "OPTIN") })] },
    { fhir: [optIn()] },
  ],
  ["no policy rule", "consent-review", { fhir: [optIn({ policyRule: null })] }, { fhir: [optIn()] }],
  [
    "a policy named by its address alone",
    "consent-review",
    { fhir: [optIn({ policyRule: null, policy: [{ uri: "https://example.org/policy" }] })] },
    { fhir: [optIn({ policy: [{ uri: "https://example.org/policy" }] })] },
  ],
  [
    "a policy rule that is opt-in and opt-out",
    "consent-review",
    { fhir: [optIn({ policyRule: { coding: [...policyRule("OPTIN").coding, ...policyRule("OPTOUT").coding] } })] },
    {
      fhir: [
        optIn({ policyRule: { coding: [...policyRule("OPTIN").coding, { system: "urn:example:rules", code: "7" }] } }),
      ],
    },
  ],
  [
    "a root without a type that narrows itself to us",
    "consent-unknown",
    { fhir: [optIn({ provision: { actor: [ghh] } })] },
    { fhir: [optIn({ provision: { provision: [{ type: "permit", actor: [ghh] }] } })] },
  ],
  [
    "a root without a type that narrows itself to an action",
    "consent-unknown",
    { fhir: [optIn({ provision: { action: [action("disclose")] } })] },
    { fhir: [optIn({ provision: { action: [action("disclose")], provision: [{ type: "permit" }] } })] },
  ],
  [
    "a root without a type that narrows itself to data of a time",
    "consent-unknown",
    { fhir: [optIn({ provision: { dataPeriod: { start: at(0), end: at(60) } } })] },
    { fhir: [optIn({ provision: { period: { start: at(0), end: at(60) } } })] },
  ],
  [
    "a root that says permit, which R4 does not let it",
    "consent-review",
    { fhir: [optIn({ provision: { type: "permit" } })] },
    { fhir: [optIn({ provision: {} })] },
  ],
  [
    "a root that denies under an opt-in",
    "consent-review",
    { fhir: [optIn({ provision: { type: "deny" } })] },
    { fhir: [optOut({ provision: { type: "deny", provision: [{ type: "permit", actor: [ghh] }] } })] },
  ],
  [
    "a nested rule that says neither",
    "consent-denied",
    { fhir: [optIn({ provision: { provision: [{ actor: [ghh] }] } })] },
    { fhir: [optIn({ provision: { provision: [{ type: "permit", actor: [ghh] }] } })] },
  ],
];

const states: readonly Row[] = [
  ...(["draft", "proposed", "inactive", "rejected"] as const).map(
    (status): Row => [
      `an opt-in that is ${status}`,
      "consent-inactive",
      { fhir: [optIn({ status })] },
      { fhir: [optIn()] },
    ],
  ),
  [
    "an opt-in that was entered in error",
    "consent-unknown",
    { fhir: [optIn({ status: "entered-in-error" })] },
    { fhir: [optIn()] },
  ],
  [
    "a denial that a revocation has left in an inactive consent",
    "consent-denied",
    { fhir: [optIn({ dateTime: "2026-10-01T08:00:00Z" }), except({ actor: [ghh] }, { status: "inactive" })] },
    { fhir: [optIn({ dateTime: "2026-10-01T08:00:00Z" }), optIn({ status: "inactive" })] },
  ],
  [
    "a denial that a revocation has left in one that is still active",
    "consent-denied",
    { fhir: [except({})] },
    { fhir: [except({ actor: [other] })] },
  ],
  [
    "an opt-out, newer than a permit and rejected meanwhile",
    "consent-denied",
    { fhir: [optIn({ dateTime: "2026-10-01T08:00:00Z" }), optOut({ status: "rejected" })] },
    { fhir: [optIn(), optOut({ status: "rejected", dateTime: "2026-10-01T08:00:00Z" })] },
  ],
  [
    "a denial that was never one, and no permit",
    "consent-unknown",
    { fhir: [optOut({ status: "entered-in-error" })] },
    { fhir: [optOut({ status: "entered-in-error" }), optIn()] },
  ],
  ...(["research", "treatment", "adr"] as const).map(
    (code): Row => [
      `a consent of scope ${code}`,
      "consent-unknown",
      { fhir: [optIn({ scope: scope(code) })] },
      { fhir: [optIn({ scope: scope("patient-privacy") })] },
    ],
  ),
  [
    "a scope of another code system",
    "consent-unknown",
    { fhir: [optIn({ scope: concept("urn:example:scope", "patient-privacy") })] },
    { fhir: [optIn()] },
  ],
  [
    "an opt-in for emergencies alone, and no emergency",
    "consent-unknown",
    { fhir: [optIn({ category: [policyRule("EMRGONLY")] })] },
    { fhir: [optIn({ category: [policyRule("EMRGONLY")] })], hop: { ...ehr, purpose: "ETREAT" } },
  ],
];

const patients: readonly Row[] = [
  [
    "a consent of another patient under this one's key",
    "consent-review",
    { fhir: [optIn({ patient: { reference: "Patient/p-0008" } })] },
    { fhir: [optIn({ patient: { reference: "Patient/p-0007" } })] },
  ],
  [
    "a consent that names no patient",
    "consent-review",
    { fhir: [optIn({ patient: null })] },
    { fhir: [optIn({ patient: { reference: "Patient/p-0007/_history/3" } })] },
  ],
  [
    "a patient of this id on another server",
    "consent-review",
    { fhir: [optIn({ patient: { reference: "https://elsewhere.example/fhir/Patient/p-0007" } })] },
    { fhir: [optIn({ patient: { reference: "Patient/p-0007", display: "whoever" } })] },
  ],
  [
    "another's number",
    "consent-review",
    { fhir: [optIn({ patient: { identifier: { system: "urn:example:mrn", value: "0008" } } })] },
    { fhir: [optIn({ patient: { identifier: { system: "urn:example:mrn", value: "0007" } } })] },
  ],
  [
    "a number of another authority",
    "consent-review",
    { fhir: [optIn({ patient: { identifier: { system: "urn:example:elsewhere", value: "0007" } } })] },
    { fhir: [optIn({ patient: { identifier: { system: "urn:example:mrn", value: "0007" } } })] },
  ],
  [
    "the id by which another server knows the patient",
    "consent-review",
    {
      fhir: [optIn()],
      patient: aPatient({
        identities: [{ destination: "ehr", fhirId: "q-1", system: "s", namespace: "N", value: "1", type: "MR" }],
      }),
    },
    {
      fhir: [optIn()],
      patient: aPatient({
        identities: [{ destination: "ehr", fhirId: "p-0007", system: "s", namespace: "N", value: "1", type: "MR" }],
      }),
    },
  ],
  [
    "no patient to compare it with",
    "consent-review",
    { fhir: [optIn()], patient: null },
    { simple: [aConsent()], patient: null },
  ],
];

const times: readonly Row[] = [
  [
    "a period that is over",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { start: at(0), end: at(8) } } })] },
    { fhir: [optIn({ provision: { period: { start: at(0), end: at(12) } } })] },
  ],
  [
    "a period that has not begun",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { start: at(11) } } })] },
    { fhir: [optIn({ provision: { period: { start: at(9) } } })] },
  ],
  [
    "the instant after a period's last second",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { end: "2026-11-21T14:09:59Z" } } })] },
    { fhir: [optIn({ provision: { period: { end: "2026-11-21T14:10:00Z" } } })] },
  ],
  [
    "a last day that is over somewhere on earth",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { end: "2026-11-21" } } })] },
    { fhir: [optIn({ provision: { period: { end: "2026-11-22" } } })] },
  ],
  [
    "a day that has ended in the hospital's own zone",
    "consent-not-now",
    {
      fhir: [optIn({ provision: { period: { end: "2026-11-21" } } })],
      now: 60 * 9,
      zones: { leastMinutes: 60, mostMinutes: 120 },
    },
    {
      fhir: [optIn({ provision: { period: { end: "2026-11-21" } } })],
      now: 60 * 7,
      zones: { leastMinutes: 60, mostMinutes: 120 },
    },
  ],
  [
    "a nested permit whose period is over",
    "consent-not-now",
    { fhir: [only({ actor: [ghh], period: { end: at(8) } })] },
    { fhir: [only({ actor: [ghh], period: { end: at(20) } })] },
  ],
  [
    "a nested permit under a root whose period is over",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { end: at(8) }, provision: [{ type: "permit", actor: [ghh] }] } })] },
    { fhir: [optIn({ provision: { period: { end: at(20) }, provision: [{ type: "permit", actor: [ghh] }] } })] },
  ],
  [
    "data from before the data's period",
    "consent-not-at-event",
    { fhir: [only({ dataPeriod: { start: at(6) } })] },
    { fhir: [only({ dataPeriod: { start: at(5) } })] },
  ],
  [
    "data from after it",
    "consent-not-at-event",
    { fhir: [only({ dataPeriod: { end: at(4) } })] },
    { fhir: [only({ dataPeriod: { end: at(6) } })] },
  ],
  [
    "an episode that outlasted it",
    "consent-not-at-event",
    { fhir: [only({ dataPeriod: { end: at(6) } })], events: [5, 7] },
    { fhir: [only({ dataPeriod: { end: at(8) } })], events: [5, 7] },
  ],
  [
    "what has no time of its own",
    "consent-not-at-event",
    { fhir: [optIn()], events: [] },
    { fhir: [optIn()], events: [5] },
  ],
  [
    "a denial of data of a time that the episode reached into",
    "consent-denied",
    { fhir: [except({ dataPeriod: { start: at(6), end: at(8) } })], events: [5, 7] },
    { fhir: [except({ dataPeriod: { start: at(6), end: at(8) } })], events: [5] },
  ],
  [
    "a denial that is in force",
    "consent-denied",
    { fhir: [except({ period: { start: at(9), end: at(20) } })] },
    { fhir: [except({ period: { start: at(11), end: at(20) } })] },
  ],
  [
    "a permit that is dated in the future",
    "consent-unknown",
    { fhir: [optIn({ dateTime: at(11) })] },
    { fhir: [optIn({ dateTime: at(9) })] },
  ],
];

const newest: readonly Row[] = [
  [
    "a denial newer than the permit",
    "consent-denied",
    { fhir: [optIn(), optOut({ dateTime: "2026-11-02T08:00:00Z" })] },
    { fhir: [optOut(), optIn({ dateTime: "2026-11-02T08:00:00Z" })] },
  ],
  [
    "a denial made at once with the permit",
    "consent-denied",
    { fhir: [optIn(), optOut()] },
    { fhir: [optIn({ dateTime: "2026-11-01T08:00:02Z" }), optOut()] },
  ],
  [
    "a permit without a date beside a denial",
    "consent-denied",
    { fhir: [optIn({ dateTime: null }), optOut({ dateTime: "1999-01-01" })] },
    { fhir: [optIn({ dateTime: null })] },
  ],
  [
    "a denial without a date beside a permit",
    "consent-denied",
    { fhir: [optIn(), optOut({ dateTime: null })] },
    { fhir: [optIn({ dateTime: at(1) }), optOut({ dateTime: null })] },
  ],
  [
    "a denial of the same day, of which only the day is known",
    "consent-denied",
    { fhir: [optIn({ dateTime: "2026-11-05T20:00:00Z" }), optOut({ dateTime: "2026-11-05" })] },
    { fhir: [optIn({ dateTime: "2026-11-07T20:00:00Z" }), optOut({ dateTime: "2026-11-05" })] },
  ],
  [
    "a denial from the future, which nobody would make up",
    "consent-denied",
    { fhir: [optIn(), optOut({ dateTime: at(60) })] },
    { fhir: [optIn(), optOut({ dateTime: "2026-10-01T08:00:00Z" })] },
  ],
  [
    "a newer permit that has run out, over one that has not",
    "consent-not-now",
    { fhir: [optIn(), optIn({ dateTime: "2026-11-02T08:00:00Z", provision: { period: { end: at(8) } } })] },
    {
      fhir: [
        optIn({ dateTime: "2026-11-03T08:00:00Z" }),
        optIn({ dateTime: "2026-11-02T08:00:00Z", provision: { period: { end: at(8) } } }),
      ],
    },
  ],
  [
    "a newer consent for somebody else takes nothing back; a newer denial for us does",
    "consent-denied",
    { fhir: [optIn(), except({ actor: [ghh] }, { dateTime: "2026-11-02T08:00:00Z" })] },
    {
      fhir: [optIn(), only({ actor: [other] }, { policyRule: policyRule("OPTINR"), dateTime: "2026-11-02T08:00:00Z" })],
    },
  ],
  [
    "the roster's newer denial over a FHIR permit",
    "consent-denied",
    { fhir: [optIn()], simple: [aConsent({ decision: "deny" })] },
    { fhir: [optIn({ dateTime: at(1) })], simple: [aConsent({ decision: "deny" })] },
  ],
  [
    "a FHIR denial over the roster's older permit",
    "consent-denied",
    { fhir: [optOut({ dateTime: at(1) })], simple: [aConsent()] },
    { fhir: [optOut()], simple: [aConsent()] },
  ],
];

const narrowed: readonly Row[] = [
  [
    "a permit for another organisation",
    "consent-denied",
    { fhir: [only({ actor: [other] })] },
    { fhir: [only({ actor: [ghh] })] },
  ],
  [
    "a permit for an organisation of this id elsewhere",
    "consent-denied",
    { fhir: [only({ actor: [actor("https://elsewhere.example/fhir/Organization/ghh")] })] },
    { fhir: [only({ actor: [actor("Organization/ghh/_history/2")] })] },
  ],
  [
    "a permit for another organisation by its number",
    "consent-denied",
    { fhir: [only({ actor: [actor({ identifier: { system: "urn:example:organisations", value: "gsh" } })] })] },
    { fhir: [only({ actor: [actor({ identifier: { system: "urn:example:organisations", value: "ghh" } })] })] },
  ],
  [
    "a permit for another destination by its name here",
    "consent-denied",
    { fhir: [only({ actor: [actor({ identifier: { system: "urn:afferent:destination", value: "cohort" } })] })] },
    { fhir: [only({ actor: [actor({ identifier: { system: "urn:afferent:destination", value: "ehr" } })] })] },
  ],
  [
    "a permit that names us as its keeper, not as who receives",
    "consent-denied",
    { fhir: [only({ actor: [actor("Organization/ghh", "CST")] })] },
    { fhir: [only({ actor: [actor("Organization/ghh", "PRCP")] })] },
  ],
  [
    "a permit for a person",
    "consent-denied",
    { fhir: [only({ actor: [actor("Practitioner/f204")] })] },
    { fhir: [only({ actor: [actor("Practitioner/f204"), ghh] })] },
  ],
  [
    "a permit for an organisation inside the consent, of another number",
    "consent-denied",
    {
      fhir: [
        only(
          { actor: [actor("#o")] },
          {
            contained: [
              {
                resourceType: "Organization",
                id: "o",
                identifier: [{ system: "urn:example:organisations", value: "gsh" }],
              },
            ],
          },
        ),
      ],
    },
    {
      fhir: [
        only(
          { actor: [actor("#o")] },
          {
            contained: [
              {
                resourceType: "Organization",
                id: "o",
                identifier: [{ system: "urn:example:organisations", value: "ghh" }],
              },
            ],
          },
        ),
      ],
    },
  ],
  ["a denial of us", "consent-denied", { fhir: [except({ actor: [ghh] })] }, { fhir: [except({ actor: [other] })] }],
  [
    "a denial of us as keeper",
    "consent-denied",
    { fhir: [except({ actor: [actor("Organization/ghh", "CST")] })] },
    { fhir: [except({ actor: [actor("Organization/elsewhere", "CST")] })] },
  ],
  [
    "a denial of a person who may work there",
    "consent-review",
    { fhir: [except({ actor: [actor("Practitioner/f204")] })] },
    { fhir: [except({ actor: [other] })] },
  ],
  [
    "a denial of an organisation of this id elsewhere",
    "consent-review",
    { fhir: [except({ actor: [actor("https://elsewhere.example/fhir/Organization/ghh")] })] },
    { fhir: [except({ actor: [actor("https://elsewhere.example/fhir/Organization/gsh")] })] },
  ],
  [
    "a denial of an organisation where our own is not configured",
    "consent-review",
    { fhir: [except({ actor: [other] })], hop: { ...ehr, organisation: [] } },
    { fhir: [except({ actor: [other] })], hop: ehr },
  ],
  [
    "a permit of use alone",
    "consent-denied",
    { fhir: [only({ action: [action("use")] })] },
    { fhir: [only({ action: [action("disclose")] })] },
  ],
  [
    "a permit of disclosure, asked for access",
    "consent-denied",
    { fhir: [only({ action: [action("disclose")] })], hop: { ...ehr, action: "access" } },
    { fhir: [only({ action: [action("disclose"), action("access")] })], hop: { ...ehr, action: "access" } },
  ],
  [
    "a denial of access, which a disclosure makes possible",
    "consent-denied",
    { fhir: [except({ action: [action("access")] })] },
    { fhir: [except({ action: [action("correct")] })] },
  ],
  [
    "a denial of an action that nobody here knows",
    "consent-review",
    { fhir: [except({ action: [concept("urn:example:actions", "sell")] })] },
    { fhir: [except({ action: [action("correct")] })] },
  ],
  [
    "a permit for research, asked for treatment",
    "consent-denied",
    { fhir: [only({ purpose: [purpose("HRESCH")] })] },
    { fhir: [only({ purpose: [purpose("TREAT")] })] },
  ],
  [
    "a permit for treatment, asked for research",
    "consent-denied",
    { fhir: [only({ purpose: [purpose("TREAT")] })], hop: research },
    { fhir: [only({ purpose: [purpose("HRESCH")] })], hop: research },
  ],
  [
    "a permit for emergencies, asked for any treatment",
    "consent-denied",
    { fhir: [only({ purpose: [purpose("ETREAT")] })] },
    { fhir: [only({ purpose: [purpose("TREAT")] })], hop: { ...ehr, purpose: "ETREAT" } },
  ],
  [
    "a permit for treatment, where no purpose is configured",
    "consent-denied",
    { fhir: [only({ purpose: [purpose("TREAT")] })], hop: { ...ehr, purpose: null } },
    { fhir: [only({ purpose: [purpose("TREAT")] })] },
  ],
  [
    "a general opt-in, asked for research",
    "consent-unknown",
    { fhir: [optIn()], hop: research },
    { fhir: [optIn({ provision: { provision: [{ type: "permit", purpose: [purpose("HRESCH")] }] } })], hop: research },
  ],
  [
    "a general opt-in, where no purpose is configured",
    "consent-unknown",
    { fhir: [optIn()], hop: { name: "ehr" } },
    { fhir: [optIn()], hop: { name: "ehr", purpose: "PATRQT" } },
  ],
  [
    "a denial of research, asked for a kind of it",
    "consent-denied",
    {
      fhir: [
        optIn({
          provision: {
            provision: [
              { type: "permit", actor: [actor("Organization/uni")] },
              { type: "deny", purpose: [purpose("HRESCH")] },
            ],
          },
        }),
      ],
      hop: { ...research, purpose: "CLINTRCH" },
    },
    {
      fhir: [
        optIn({
          provision: {
            provision: [
              { type: "permit", actor: [actor("Organization/uni")] },
              { type: "deny", purpose: [purpose("HMARKT")] },
            ],
          },
        }),
      ],
      hop: { ...research, purpose: "CLINTRCH" },
    },
  ],
  [
    "a denial of a purpose that nobody here knows",
    "consent-review",
    { fhir: [except({ purpose: [{ system: "urn:example:purposes", code: "x" }] })] },
    { fhir: [except({ purpose: [purpose("HMARKT")] })] },
  ],
  [
    "a denial of any purpose, where none is configured",
    "consent-review",
    {
      fhir: [
        optIn({
          provision: {
            provision: [
              { type: "permit", actor: [ghh] },
              { type: "deny", purpose: [purpose("HMARKT")] },
            ],
          },
        }),
      ],
      hop: { ...ehr, purpose: null },
    },
    {
      fhir: [
        optIn({
          provision: {
            provision: [
              { type: "permit", actor: [ghh] },
              { type: "deny", purpose: [purpose("HMARKT")] },
            ],
          },
        }),
      ],
    },
  ],
  [
    "a permit for another kind of resource",
    "consent-denied",
    { fhir: [only({ class: [ofClass("MedicationRequest")] })] },
    { fhir: [only({ class: [ofClass("Observation")] })] },
  ],
  [
    "a permit for Observations, asked for a report",
    "consent-denied",
    { fhir: [only({ class: [ofClass("Observation")] })], resourceType: "DiagnosticReport" },
    {
      fhir: [only({ class: [ofClass("Observation"), ofClass("DiagnosticReport")] })],
      resourceType: "DiagnosticReport",
    },
  ],
  [
    "a denial of this kind of resource",
    "consent-denied",
    { fhir: [except({ class: [ofClass("Observation")] })] },
    { fhir: [except({ class: [ofClass("MedicationRequest")] })] },
  ],
  [
    "a denial of a class that nobody here knows",
    "consent-review",
    { fhir: [except({ class: [{ system: "urn:ietf:rfc:3986", code: "urn:x" }] })] },
    { fhir: [except({ class: [ofClass("Condition")] })] },
  ],
  [
    "a permit for another code",
    "consent-denied",
    { fhir: [only({ code: [loinc("9279-1")] })] },
    { fhir: [only({ code: [loinc("8867-4")] })] },
  ],
  [
    "a denial of this code",
    "consent-denied",
    { fhir: [except({ code: [loinc("8867-4")] })] },
    { fhir: [except({ code: [loinc("9279-1")] })] },
  ],
  [
    "a denial of a panel that this may be part of",
    "consent-review",
    { fhir: [except({ code: [loinc("85353-1")] })] },
    { fhir: [except({ code: [loinc("2160-0")] })] },
  ],
  [
    "a denial of a code in words alone",
    "consent-review",
    { fhir: [except({ code: [{ text: "heart things" }] })] },
    { fhir: [except({ code: [loinc("2160-0")] })] },
  ],
  [
    "a permit for what is less confidential",
    "consent-denied",
    { fhir: [only({ securityLabel: [label("L")] })] },
    { fhir: [only({ securityLabel: [label("R")] })] },
  ],
  [
    "a permit for normal confidentiality, asked for what is restricted",
    "consent-denied",
    { fhir: [only({ securityLabel: [label("N")] })], labels: [label("R")] },
    { fhir: [only({ securityLabel: [label("N")] })], labels: [label("N")] },
  ],
  [
    "a denial of what is restricted, and of what is below it",
    "consent-denied",
    { fhir: [except({ securityLabel: [label("R")] })] },
    { fhir: [except({ securityLabel: [label("R")], actor: [other] })] },
  ],
  [
    "a denial of a sensitive kind of which it is not known whether this is one",
    "consent-review",
    {
      fhir: [except({ securityLabel: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "PSY" }] })],
    },
    {
      fhir: [
        except({
          securityLabel: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "PSY" }],
          actor: [other],
        }),
      ],
    },
  ],
  [
    "a permit for certain resources alone",
    "consent-denied",
    { fhir: [only({ data: [{ meaning: "instance", reference: { reference: "Observation/1" } }] })] },
    { fhir: [only({})] },
  ],
  [
    "a denial of certain resources, which may be this one",
    "consent-review",
    { fhir: [except({ data: [{ meaning: "instance", reference: { reference: "Observation/1" } }] })] },
    { fhir: [except({ data: [{ meaning: "instance", reference: { reference: "Observation/1" } }], actor: [other] })] },
  ],
  [
    "an exception within the permit",
    "consent-denied",
    { fhir: [only({ actor: [ghh], provision: [{ type: "deny", class: [ofClass("Observation")] }] })] },
    { fhir: [only({ actor: [ghh], provision: [{ type: "deny", class: [ofClass("Condition")] }] })] },
  ],
  [
    "a permit within the permit that is not for us",
    "consent-denied",
    { fhir: [only({ actor: [ghh], provision: [{ type: "permit", class: [ofClass("Condition")] }] })] },
    { fhir: [only({ actor: [ghh], provision: [{ type: "permit", class: [ofClass("Observation")] }] })] },
  ],
  [
    "an exception two permits deep, over an older permit",
    "consent-denied",
    {
      fhir: [
        optIn({ dateTime: null }),
        only({ provision: [{ type: "permit", provision: [{ type: "deny" }] }] }, { policyRule: policyRule("OPTIN") }),
      ],
    },
    {
      fhir: [optIn({ dateTime: null }), only({ provision: [{ type: "permit" }] }, { policyRule: policyRule("OPTIN") })],
    },
  ],
  [
    "an exception to a denial that is not ours",
    "consent-denied",
    { fhir: [except({ provision: [{ type: "permit", actor: [other] }] })] },
    { fhir: [except({ provision: [{ type: "permit", actor: [ghh] }] })] },
  ],
  [
    "an exception to an exception to a denial",
    "consent-denied",
    {
      fhir: [
        except({
          provision: [{ type: "permit", actor: [ghh], provision: [{ type: "deny", code: [loinc("8867-4")] }] }],
        }),
      ],
    },
    {
      fhir: [
        except({
          provision: [{ type: "permit", actor: [ghh], provision: [{ type: "deny", code: [loinc("9279-1")] }] }],
        }),
      ],
    },
  ],
  [
    "a root of an opt-out that is narrowed to another, over a permit for all",
    "consent-denied",
    { fhir: [optOut({ provision: { actor: [other], provision: [{ type: "permit" }] } })] },
    { fhir: [optOut({ provision: { actor: [ghh], provision: [{ type: "permit" }] } })] },
  ],
  [
    "the roster's consent for another destination",
    "consent-unknown",
    { simple: [aConsent({ destination: "cohort" })] },
    { simple: [aConsent({ destination: "cohort" })], hop: research },
  ],
];

const broken: readonly Row[] = [
  ["what is no JSON", "consent-unreadable", { fhir: ["<Consent/>"] }, { fhir: [optIn()] }],
  ["another resource", "consent-unreadable", { fhir: [{ resourceType: "Patient" }] }, { fhir: [optIn()] }],
  [
    "an element that R4 does not have",
    "consent-unreadable",
    { fhir: [optIn({ decision: "permit" })] },
    { fhir: [optIn({ language: "en" })] },
  ],
  [
    "a modifier extension",
    "consent-unreadable",
    { fhir: [optIn({ modifierExtension: [{ url: "urn:x", valueBoolean: true }] })] },
    { fhir: [optIn({ extension: [{ url: "urn:x", valueBoolean: true }] })] },
  ],
  [
    "a modifier extension in a rule",
    "consent-unreadable",
    { fhir: [optIn({ provision: { modifierExtension: [{ url: "urn:not", valueBoolean: true }] } })] },
    { fhir: [optIn({ provision: { extension: [{ url: "urn:x", valueBoolean: true }] } })] },
  ],
  [
    "implicit rules",
    "consent-unreadable",
    { fhir: [optIn({ implicitRules: "urn:x" })] },
    { fhir: [optIn({ meta: { versionId: "1" } })] },
  ],
  [
    "a list where one rule belongs (R5)",
    "consent-unreadable",
    { fhir: [optIn({ provision: [{}] })] },
    { fhir: [optIn({ provision: {} })] },
  ],
  [
    "a type that is none",
    "consent-unreadable",
    { fhir: [except({ type: "allow" })] },
    { fhir: [except({ actor: [other] })] },
  ],
  ["a status that is none", "consent-unreadable", { fhir: [optIn({ status: "valid" })] }, { fhir: [optIn()] }],
  [
    "a date that is none",
    "consent-unreadable",
    { fhir: [optIn({ dateTime: "2026-02-30" })] },
    { fhir: [optIn({ dateTime: "2026-02-28" })] },
  ],
  [
    "a time without a zone",
    "consent-unreadable",
    { fhir: [optIn({ provision: { period: { end: "2026-12-01T10:00:00" } } })] },
    { fhir: [optIn({ provision: { period: { end: "2026-12-01T10:00:00Z" } } })] },
  ],
  ["no scope", "consent-unreadable", { fhir: [optIn({ scope: null })] }, { fhir: [optIn()] }],
  [
    "rules nested without end",
    "consent-unreadable",
    {
      fhir: [
        optIn({
          provision: Array.from({ length: 40 }).reduce<object>((inner) => ({ type: "permit", provision: [inner] }), {}),
        }),
      ],
    },
    { fhir: [optIn({ provision: { provision: [{ type: "permit", provision: [{ type: "permit" }] }] } })] },
  ],
  [
    "what its source could not give",
    "consent-unreadable",
    { fhir: [aFhirConsent(optIn(), { resource: null, problem: "it names another patient now" })] },
    { fhir: [aFhirConsent(optIn())] },
  ],
  [
    "what its source has no more",
    "consent-unknown",
    { fhir: [aFhirConsent(optIn(), { resource: null })] },
    { fhir: [aFhirConsent(optIn())] },
  ],
  [
    "what can't be read beside an older permit",
    "consent-unreadable",
    { fhir: [optIn(), "{"] },
    { fhir: [optIn({ dateTime: at(1) }), "{"] },
  ],
  [
    "what its source has not confirmed for too long",
    "consent-stale",
    { fhir: [aFhirConsent(optIn(), { problem: "consent-stale: not heard since 14:00" })] },
    { fhir: [aFhirConsent(optIn())] },
  ],
  [
    "what nobody vouches for now",
    "consent-stale",
    { fhir: [optIn()], isStale: () => true },
    { fhir: [optIn()], isStale: () => false },
  ],
  [
    "a denial is none the less one for being old",
    "consent-denied",
    { fhir: [optOut()], isStale: () => true },
    { fhir: [optOut()], simple: [aConsent()], isStale: () => true },
  ],
];

const contradicted: readonly Row[] = [
  [
    "words that withhold over a structure that permits",
    "consent-review",
    { fhir: [optIn({ text: narrative("The patient withholds consent to disclosure.") })] },
    { fhir: [optIn({ text: narrative("The patient consents to disclosure.") })] },
  ],
  [
    "words that withdraw",
    "consent-review",
    { fhir: [optIn({ text: narrative("She would like to <b>withdraw</b> her consent.") })] },
    { fhir: [optIn({ text: narrative("She knows that she may withdraw her consent at any time.") })] },
  ],
  [
    "words that do not authorise",
    "consent-review",
    { fhir: [optIn({ text: narrative("The patient does not authorize disclosure; access is denied.") })] },
    { fhir: [optIn({ text: narrative("The patient authorizes disclosure.") })] },
  ],
  [
    "German words that revoke",
    "consent-review",
    { fhir: [optIn({ text: narrative("Der Patient widerruft seine Einwilligung.") })] },
    { fhir: [optIn({ text: narrative("Der Patient willigt ein und kann jederzeit widerrufen.") })] },
  ],
  [
    "words that permit over a structure that permits nothing",
    "consent-review",
    { fhir: [optOut({ text: narrative("The patient authorizes disclosure to the hospital.") })] },
    { fhir: [only({ actor: [ghh] }, { text: narrative("The patient authorizes disclosure to the hospital.") })] },
  ],
  [
    "two rules that say opposite things of the same",
    "consent-denied",
    {
      fhir: [
        optIn({
          provision: {
            provision: [
              { type: "permit", actor: [ghh] },
              { type: "deny", actor: [ghh] },
            ],
          },
        }),
      ],
    },
    {
      fhir: [
        optIn({
          provision: {
            provision: [
              { type: "permit", actor: [ghh] },
              { type: "deny", actor: [other] },
            ],
          },
        }),
      ],
    },
  ],
  [
    "the same of somebody else: the whole is in doubt",
    "consent-review",
    {
      fhir: [
        optIn({
          provision: {
            provision: [
              { type: "permit", actor: [ghh] },
              { type: "permit", actor: [other] },
              { type: "deny", actor: [other] },
            ],
          },
        }),
      ],
    },
    {
      fhir: [
        optIn({
          provision: {
            provision: [
              { type: "permit", actor: [ghh] },
              { type: "permit", actor: [other] },
            ],
          },
        }),
      ],
    },
  ],
  [
    "a contradiction that a newer permit has settled, and one that it has not",
    "consent-review",
    { fhir: [optIn(), optIn({ dateTime: "2026-11-02T08:00:00Z", text: narrative("Consent is refused.") })] },
    {
      fhir: [
        optIn({ dateTime: "2026-11-03T08:00:00Z" }),
        optIn({ dateTime: "2026-11-02T08:00:00Z", text: narrative("Consent is refused.") }),
      ],
    },
  ],
];

const laws: readonly Row[] = [
  ["unknown, where consent is required", "consent-unknown", { hop: ehr }, { hop: lawful }],
  [
    "unless denied, without naming whose law",
    "consent-unknown",
    { hop: { ...lawful, jurisdiction: null } },
    { hop: lawful },
  ],
  [
    "unless denied, and denied",
    "consent-denied",
    { hop: lawful, fhir: [optOut()] },
    { hop: lawful, fhir: [optOut({ status: "entered-in-error" })] },
  ],
  [
    "unless denied, and unreadable",
    "consent-unreadable",
    { hop: lawful, fhir: ["{"] },
    { hop: lawful, fhir: [optIn({ status: "inactive" })] },
  ],
  [
    "unless denied, and contradictory",
    "consent-review",
    { hop: lawful, fhir: [optIn({ text: narrative("Consent is refused.") })] },
    { hop: lawful, fhir: [optIn({ text: narrative("") })] },
  ],
  [
    "unless denied, with an older denial behind a permit that has run out",
    "consent-denied",
    { hop: lawful, fhir: [optOut(), optIn({ dateTime: at(0), provision: { period: { end: at(8) } } })] },
    { hop: lawful, fhir: [optIn({ dateTime: at(0), provision: { period: { end: at(8) } } })] },
  ],
  [
    "unless denied, where a denial could not be heard",
    "consent-stale",
    { hop: lawful, blind: "never heard" },
    { hop: lawful, blind: null },
  ],
  [
    "denied, and nobody overrides it",
    "consent-denied",
    { fhir: [optOut()] },
    { fhir: [optOut()], overrides: [anOverride()] },
  ],
  [
    "an override that has ended",
    "override-expired",
    { overrides: [anOverride({ to: two + minutes(9) })] },
    { overrides: [anOverride({ to: two + minutes(11) })] },
  ],
  [
    "an override that has not begun",
    "consent-unknown",
    { overrides: [anOverride({ from: two + minutes(11) })] },
    { overrides: [anOverride({ from: two + minutes(10) })] },
  ],
  [
    "an override for another destination",
    "consent-unknown",
    { overrides: [anOverride({ destination: "cohort" })] },
    { overrides: [anOverride()] },
  ],
  ["an override by nobody", "consent-unknown", { overrides: [anOverride({ by: " " })] }, { overrides: [anOverride()] }],
  [
    "an override for no reason",
    "consent-unknown",
    { overrides: [anOverride({ reason: "" })] },
    { overrides: [anOverride()] },
  ],
  [
    "an override that says it lasts for a week, on its second day",
    "override-expired",
    { overrides: [anOverride({ to: two + minutes(10_080) })], events: [5], now: 60 * 24 + 1 },
    { overrides: [anOverride({ to: two + minutes(10_080) })], events: [5], now: 60 * 24 - 1 },
  ],
];

describe.each([
  ["base and root", bases],
  ["status and scope", states],
  ["whose it is", patients],
  ["when", times],
  ["which of several", newest],
  ["what it narrows itself to", narrowed],
  ["what can't be read", broken],
  ["what contradicts itself", contradicted],
  ["by which law, and who overrides", laws],
] as const)("consent: %s", (_, rows) => {
  it.each(rows)("%s: %s, beside its permitted twin", (_story, reason, refused, permitted) => {
    expect(ask(refused)).toMatchObject({ gate: "consented", passed: false, reason });
    expect(ask(permitted)).toMatchObject({ gate: "consented", passed: true, reason: "passed" });
  });
});

it("is a matrix of more than eighty refusals", () => {
  const rows = [bases, states, patients, times, newest, narrowed, broken, contradicted, laws].flat();
  expect(rows.length).toBeGreaterThanOrEqual(80);
  expect(new Set(rows.map(([story]) => story)).size).toBe(rows.length);
});

describe("an override", () => {
  it("says by whom and until when, and leaves the consent as it was", () => {
    const answer = ask({ fhir: [optOut()], overrides: [anOverride()] });
    expect(answer.detail).toContain("by override of Dr. A. Brandt until 2026-11-21T15:00:00.000Z");
    expect(answer.detail).toContain("denies");
    expect(ask({ fhir: [optOut()] }).passed).toBe(false);
  });
});

describe("an answer", () => {
  it("names the law of the hop and nothing of the patient", () => {
    const detail = ask({
      fhir: [
        optIn({ patient: { reference: "Patient/p-0007", display: "Doe, Jane" }, text: narrative("Jane Doe refuses.") }),
      ],
      hop: { ...ehr, jurisdiction: "DE-BY" },
    }).detail;
    expect(detail).toContain("DE-BY");
    expect(detail).not.toMatch(/jane|doe|p-0007/i);
  });
});
