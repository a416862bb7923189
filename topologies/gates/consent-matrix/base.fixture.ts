/** What the policy rule and the root provision alone permit, each refusal beside its permitted twin. */
import { action, at, concept, policyRule } from "../../../schemas/fhir/consent.fixture.ts";
import { optIn, optOut, optInWith, ghh, other, type Row } from "./asking.fixture.ts";

export const baseAndRoot: readonly Row[] = [
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
    { fhir: [optInWith({ type: "permit", actor: [ghh] })] },
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
    { fhir: [optInWith({ actor: [ghh] })] },
    { fhir: [optInWith({ type: "permit", actor: [ghh] })] },
  ],
];
