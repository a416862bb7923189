/** Rules for certain receivers: the actors of a provision, and the destination of the roster's consents. */
import { aConsent } from "../../../schemas/fhir/clinical.fixture.ts";
import { actor, only } from "../../../schemas/fhir/consent.fixture.ts";
import { ehr, research, except, ghh, other, type Row } from "./asking.fixture.ts";

export const toWhom: readonly Row[] = [
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
    "the roster's consent for another destination",
    "consent-unknown",
    { simple: [aConsent({ destination: "cohort" })] },
    { simple: [aConsent({ destination: "cohort" })], hop: research },
  ],
];
