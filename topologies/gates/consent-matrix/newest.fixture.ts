/** Several Consents of one patient: the newest wins, and a missing date never beats a denial. */
import { aConsent } from "../../../schemas/fhir/clinical.fixture.ts";
import { at, only, policyRule } from "../../../schemas/fhir/consent.fixture.ts";
import { optIn, optOut, except, ghh, other, type Row } from "./asking.fixture.ts";

export const whichOfSeveral: readonly Row[] = [
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
