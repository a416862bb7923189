/** Whether a Consent is of this patient. */
import { aConsent, aPatient } from "../../../schemas/fhir/clinical.fixture.ts";
import { optIn, type Row } from "./asking.fixture.ts";

export const whoseItIs: readonly Row[] = [
  [
    "a consent of another patient under this one's key",
    "consent-review",
    { fhir: [optIn({ patient: { reference: "Patient/p-0008" } })] },
    { fhir: [optIn({ patient: { reference: "Patient/p-0007" } })] },
  ],
  [
    "a consent that names no patient",
    "consent-review",
    { fhir: [optIn({ patient: null })] },
    { fhir: [optIn({ patient: { reference: "Patient/p-0007/_history/3" } })] },
  ],
  [
    "a patient of this id on another server",
    "consent-review",
    { fhir: [optIn({ patient: { reference: "https://elsewhere.example/fhir/Patient/p-0007" } })] },
    { fhir: [optIn({ patient: { reference: "Patient/p-0007", display: "whoever" } })] },
  ],
  [
    "another's number",
    "consent-review",
    { fhir: [optIn({ patient: { identifier: { system: "urn:example:mrn", value: "0008" } } })] },
    { fhir: [optIn({ patient: { identifier: { system: "urn:example:mrn", value: "0007" } } })] },
  ],
  [
    "a number of another authority",
    "consent-review",
    { fhir: [optIn({ patient: { identifier: { system: "urn:example:elsewhere", value: "0007" } } })] },
    { fhir: [optIn({ patient: { identifier: { system: "urn:example:mrn", value: "0007" } } })] },
  ],
  [
    "the id by which another server knows the patient",
    "consent-review",
    {
      fhir: [optIn()],
      patient: aPatient({
        identities: [{ destination: "ehr", fhirId: "q-1", system: "s", namespace: "N", value: "1", type: "MR" }],
      }),
    },
    {
      fhir: [optIn()],
      patient: aPatient({
        identities: [{ destination: "ehr", fhirId: "p-0007", system: "s", namespace: "N", value: "1", type: "MR" }],
      }),
    },
  ],
  [
    "no patient to compare it with",
    "consent-review",
    { fhir: [optIn()], patient: null },
    { simple: [aConsent()], patient: null },
  ],
];
