/** Rules within rules: exceptions, and exceptions to those. */
import { loinc, ofClass, only, policyRule } from "../../../schemas/fhir/consent.fixture.ts";
import { optIn, optOut, except, ghh, other, type Row } from "./asking.fixture.ts";

export const ruleInRule: readonly Row[] = [
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
];
