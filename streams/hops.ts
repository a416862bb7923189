/** What the gates and the writers are told of each destination and of how consents are read: one reading of the configuration for both. */
import type { Zones } from "../schemas/fhir/moment.ts";
import type { Destination } from "../topologies/gates/promotable.ts";
import type { Config } from "./config.ts";

export const hopsOf = ({ destinations }: Pick<Config, "destinations">): readonly Destination[] =>
  destinations.map(
    ({ name, finalAtEnd, organisation, action, purpose, legalBasis, jurisdiction, mergedPatients, kind }) => ({
      name,
      finalAtEnd,
      organisation,
      action,
      purpose,
      legalBasis,
      jurisdiction,
      ...(mergedPatients !== undefined && { mergedPatients }),
      byIdentifier: kind !== "fhir",
    }),
  );

export const consentReadingOf = ({
  consents,
}: Partial<Pick<Config, "consents">>): { readonly zones?: Zones; readonly pendingMs?: number } => {
  const { zoneMinutes, pendingHours } = consents ?? {};
  return {
    ...(zoneMinutes !== undefined && {
      zones: { leastMinutes: Math.min(...zoneMinutes), mostMinutes: Math.max(...zoneMinutes) },
    }),
    ...(pendingHours !== undefined && { pendingMs: pendingHours * 3_600_000 }),
  };
};
