/** Rules for certain content: class, code, security label, single resources. */
import { label, loinc, ofClass, only } from "../../../schemas/fhir/consent.fixture.ts";
import { except, other, type Row } from "./asking.fixture.ts";

export const ofWhat: readonly Row[] = [
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
];
