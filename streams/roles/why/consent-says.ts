/** What a consent or an override says, in a line; who it is about stays out of it. */
import { utcInstant } from "../../../schemas/fhir/instant.ts";
import type { AccessOverride, Consent, FhirConsent } from "../../../schemas/records/consent.ts";

const span = (from: number, to: number | null): string =>
  `from ${utcInstant(from)} ${to === null ? "on" : `to ${utcInstant(to)}`}`;

export const consentSays = (of: Consent | FhirConsent | AccessOverride): string => {
  switch (of.kind) {
    case "consent":
      return `${of.decision}s ${of.destination} ${span(of.from, of.to)}, recorded ${utcInstant(of.recordedAt)}`;
    case "fhirConsent":
      return `a FHIR Consent of ${of.source}, read ${utcInstant(of.readAt)}${of.resource === null ? `; ${of.problem ?? "gone"}` : ""}`;
    case "accessOverride":
      return `break glass for ${of.destination} by ${of.by} ${span(of.from, of.to)}: ${of.reason}`;
  }
};
