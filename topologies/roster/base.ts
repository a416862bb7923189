/**
 * What a roster service takes as given: the roster file, which stays its own (devices, beds, its patients and links), and how the hospital's names
 * for authorities and locations are to be read.
 */
import { contentHash } from "../../streams/core/hash.ts";

export interface Authority {
  /** PID-3.4: CX.4.1, or its universal id. */
  readonly namespace: string;
  /** The same as a FHIR identifier system. */
  readonly system: string;
  /** Table 0203. */
  readonly type: string;
  /** The destinations that know patients by it. */
  readonly destinations: readonly string[];
}

export interface BaseDevice {
  readonly device: string;
  readonly unit: string;
  /** Of a fixed monitor: its bed. Null: it goes where it is needed. */
  readonly bed: string | null;
}

/** A link of the roster file: nobody but the file changes it, and while it holds the device is the file's. */
export interface BaseLink {
  readonly id: string;
  readonly device: string;
  readonly patientKey: string;
  readonly bed: string;
  readonly fromMs: number;
  readonly toMs: number | null;
}

export interface RosterBase {
  readonly devices: readonly BaseDevice[];
  /** Unit by bed. */
  readonly beds: ReadonlyMap<string, string>;
  readonly links: readonly BaseLink[];
  /** The file's own key by the key that an identifier would get ({@link patientKeyOf}). */
  readonly filePatients: ReadonlyMap<string, string>;
  /** Bed by location (PV1-3 joined by `^`), for those whose names differ. */
  readonly locations: Readonly<Record<string, string>>;
  /** The first one's identifiers name the patients: every message must have one. */
  readonly authorities: readonly Authority[];
}

/**
 * Opaque: a hash with a secret of the service's own, for record numbers are few enough to be tried (clinical.md 18). The same identifier has the
 * same key whenever it comes.
 */
export const patientKeyOf = (secret: string, system: string, value: string): string =>
  `pt-${contentHash(secret, system, value).slice(0, 24)}`;

/** The bed of a location; null where it is none of ours. */
export const bedOf = (base: RosterBase, location: string): string | null => {
  const named = base.locations[location];
  if (named !== undefined) return base.beds.has(named) ? named : null;
  const parts = location.split("^").filter((part) => part !== "");
  const candidates = [parts.at(-1) ?? "", parts.join("-")];
  return candidates.find((candidate) => base.beds.has(candidate)) ?? null;
};

/** The authority that a CX.4 names. */
export const authorityOf = (
  authorities: readonly Authority[],
  { namespace, universalId }: { readonly namespace: string; readonly universalId: string },
): Authority | undefined =>
  authorities.find((a) => a.namespace === namespace || (universalId !== "" && a.namespace === universalId));

/** The file's patients by the keys that their identifiers would get here. */
export const authorityKeys = (
  patients: readonly {
    readonly patientKey: string;
    readonly identifierSystem: string;
    readonly identifierValue: string;
  }[],
  { authorities, secret }: { readonly authorities: readonly Authority[]; readonly secret: string },
): ReadonlyMap<string, string> =>
  new Map(
    patients
      .filter(({ identifierSystem }) => identifierSystem === authorities[0]?.system)
      .map((one) => [patientKeyOf(secret, one.identifierSystem, one.identifierValue), one.patientKey]),
  );
