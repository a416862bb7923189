/** The legal basis of a destination, and the access override of a named person. */
import { minutes, two } from "../../../schemas/fhir/clinical.fixture.ts";
import { at, narrative } from "../../../schemas/fhir/consent.fixture.ts";
import { ehr, lawful, optIn, optOut, anOverride, type Row } from "./asking.fixture.ts";

export const lawAndOverride: readonly Row[] = [
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
