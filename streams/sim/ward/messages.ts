/** What a ward is to whoever plays it: its roster, the truth about it, and its devices' messages in the order of ward time. */

export type WardStream = "numerics" | "waveforms" | "status" | "alarms";

/** A message as a device sends it. */
export interface WardMessage {
  /** Ward time of sending, ms. */
  readonly atMs: number;
  readonly device: string;
  readonly stream: WardStream;
  readonly mqttTopic: string;
  readonly payload: Uint8Array;
}

export const mqttTopicOf = (device: string, stream: WardStream): string => `afferent/${device}/${stream}`;

/** The roster file's content (streams/io/roster-file.ts reads it). Times are ISO 8601. */
export interface WardRoster {
  readonly version: number;
  readonly devices: readonly RosterDevice[];
  readonly beds: readonly { readonly bed: string; readonly unit: string }[];
  readonly associations: readonly RosterAssociation[];
  readonly patients: readonly RosterPatient[];
  readonly consents: readonly RosterConsent[];
}

export interface RosterDevice {
  readonly device: string;
  readonly model: string;
  readonly serial: string | null;
  readonly unit: string;
  readonly clockUncertaintyMs?: number;
  readonly silentAfterMs?: number;
  readonly linkGapMs?: number;
}

export interface RosterAssociation {
  readonly id: string;
  readonly revision: number;
  readonly device: string;
  readonly subject: string;
  readonly patientKey: string;
  readonly bed: string;
  readonly unit: string;
  readonly ageBand: "adult" | "child" | "neonate" | null;
  readonly from: string;
  readonly to: string | null;
  readonly confirmedBy: string | null;
  readonly confirmedAt: string | null;
  readonly assertedBy: string;
}

export interface RosterPatient {
  readonly patientKey: string;
  readonly fhirId: string;
  readonly identifierSystem: string;
  readonly identifierValue: string;
  readonly encounterFhirId: string | null;
  readonly active: boolean;
  readonly version: number;
  readonly familyName?: string;
  readonly givenName?: string;
  readonly birthDate?: string;
}

export interface RosterConsent {
  readonly id: string;
  readonly version: number;
  readonly patientKey: string;
  readonly destination: string;
  readonly decision: "permit" | "deny";
  readonly from: string;
  readonly to: string | null;
  readonly recordedAt: string;
}

/** One occurrence of a story, or, where `everyMs` is set, the first of its occurrences. Ward time. */
export interface Truth {
  readonly story: string;
  readonly bed: string;
  readonly device: string;
  readonly from: number;
  /** Null: as long as the ward runs. */
  readonly to: number | null;
  readonly everyMs: number | null;
  /** What happens, in one sentence. */
  readonly what: string;
  /** What must be recognised of it between `from` and shortly after `to`. */
  readonly recognise: Recognise;
}

export interface Recognise {
  /** Ids of rules of the shipped example set, each of which must have an episode. */
  readonly episodes: readonly string[];
  /** Standing of the device (schemas/records.ts, deviceState). */
  readonly device?: "silent" | "quarantining";
  readonly clock?: "off";
  /** Codes of alarms that the device must raise itself. */
  readonly deviceAlarms?: readonly string[];
  /** Validities that measurements of these metrics must have. */
  readonly validity?: Readonly<Record<string, string>>;
  /** Reasons with which messages or parts of them are refused. */
  readonly refusals?: readonly string[];
  /** Why no episode of this bed may reach the EHR; absent: all gates pass. */
  readonly withheld?: "association-unconfirmed" | "consent-unknown";
}

export interface Ward {
  readonly startMs: number;
  readonly roster: WardRoster;
  readonly devices: readonly RosterDevice[];
  readonly truth: readonly Truth[];
  /** Ends only where the ward does: a simulated one never. Each call starts afresh. */
  messages(): Generator<WardMessage, void>;
}
