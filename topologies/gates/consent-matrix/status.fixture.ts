/** Status, scope and category: which Consents count at all, and which denials go on counting. */
import { concept, policyRule, scope } from "../../../schemas/fhir/consent.fixture.ts";
import { ehr, optIn, optOut, except, ghh, other, type Row } from "./asking.fixture.ts";

export const statusAndScope: readonly Row[] = [
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
