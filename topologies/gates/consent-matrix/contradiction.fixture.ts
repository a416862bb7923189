/** Consents that contradict themselves: words against structure, rule against rule. */
import { narrative, only } from "../../../schemas/fhir/consent.fixture.ts";
import { optIn, optOut, optInWith, ghh, other, type Row } from "./asking.fixture.ts";

export const contradicted: readonly Row[] = [
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
      fhir: [optInWith({ type: "permit", actor: [ghh] }, { type: "deny", actor: [ghh] })],
    },
    {
      fhir: [optInWith({ type: "permit", actor: [ghh] }, { type: "deny", actor: [other] })],
    },
  ],
  [
    "the same of somebody else: the whole is in doubt",
    "consent-review",
    {
      fhir: [
        optInWith(
          { type: "permit", actor: [ghh] },
          { type: "permit", actor: [other] },
          { type: "deny", actor: [other] },
        ),
      ],
    },
    {
      fhir: [optInWith({ type: "permit", actor: [ghh] }, { type: "permit", actor: [other] })],
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
