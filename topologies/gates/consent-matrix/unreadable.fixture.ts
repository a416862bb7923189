/** What is no R4 Consent, and what its source could not give or confirm. */
import { aConsent } from "../../../schemas/fhir/clinical.fixture.ts";
import { aFhirConsent, at } from "../../../schemas/fhir/consent.fixture.ts";
import { optIn, optOut, optInWith, except, other, type Row } from "./asking.fixture.ts";

export const unreadable: readonly Row[] = [
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
    { fhir: [optInWith({ type: "permit", provision: [{ type: "permit" }] })] },
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
