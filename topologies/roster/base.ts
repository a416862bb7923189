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

/** A location of the hospital as one of our beds; `ambiguous`: it may mean one of ours, and does not say which. */
export interface Place {
  readonly bed: string | null;
  readonly ambiguous: boolean;
}

/**
 * `location`: PV1-3's point of care, room and bed joined by `^`, or the name of a FHIR Location. Every ward has a bed A: a bed's name counts only where
 * another component names its unit, or where it names its unit itself (`icu-1-01`). All three joined by `-` may be a bed's name too. Anything else must be
 * told in `locations`.
 */
export const placeOf = (base: RosterBase, location: string): Place => {
  const named = base.locations[location];
  if (named !== undefined) return { bed: base.beds.has(named) ? named : null, ambiguous: false };
  const parts = location.split("^");
  const name = (parts.length === 1 ? parts[0] : parts[2]) ?? "";
  const around = parts.length === 1 ? [] : parts.slice(0, 2);
  const unit = base.beds.get(name);
  const own = unit !== undefined && (namesUnit(name, unit) || around.some((one) => isSame(one, unit))) ? [name] : [];
  const whole = parts.filter((part) => part !== "").join("-");
  const joined = (around[0] ?? "") !== "" && base.beds.has(whole) ? [whole] : [];
  const found = new Set([...own, ...joined]);
  if (found.size === 1) return { bed: [...found][0] ?? null, ambiguous: false };
  return { bed: null, ambiguous: found.size > 1 || (unit !== undefined && (around[0] ?? "") === "") };
};

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
const namesUnit = (bed: string, unit: string): boolean =>
  isSame(bed.slice(0, unit.length), unit) && /^[^\p{L}\p{N}]/u.test(bed.slice(unit.length));

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
