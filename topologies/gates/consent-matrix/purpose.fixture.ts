/** Rules for certain actions and purposes. */
import { action, actor, concept, only, purpose } from "../../../schemas/fhir/consent.fixture.ts";
import { ehr, research, optIn, optInWith, except, ghh, type Row } from "./asking.fixture.ts";

export const forWhat: readonly Row[] = [
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
    { fhir: [optInWith({ type: "permit", purpose: [purpose("HRESCH")] })], hop: research },
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
        optInWith(
          { type: "permit", actor: [actor("Organization/uni")] },
          { type: "deny", purpose: [purpose("HRESCH")] },
        ),
      ],
      hop: { ...research, purpose: "CLINTRCH" },
    },
    {
      fhir: [
        optInWith(
          { type: "permit", actor: [actor("Organization/uni")] },
          { type: "deny", purpose: [purpose("HMARKT")] },
        ),
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
      fhir: [optInWith({ type: "permit", actor: [ghh] }, { type: "deny", purpose: [purpose("HMARKT")] })],
      hop: { ...ehr, purpose: null },
    },
    {
      fhir: [optInWith({ type: "permit", actor: [ghh] }, { type: "deny", purpose: [purpose("HMARKT")] })],
    },
  ],
];
