/**
 * What a roster is told, by ADT, by a FHIR server and by people. Each is kept for ever as it was said; what holds is computed from all of them in
 * the order of the times at which they occurred (derive.ts), so that it does not matter in which order they arrived.
 */
import type { AdtEventType } from "../../schemas/hl7v2/adt.ts";

/** An identifier of a patient by an authority that the configuration knows. */
export interface KnownIdentifier {
  readonly system: string;
  readonly namespace: string;
  readonly value: string;
  /** Table 0203: MR, PI. */
  readonly type: string;
}

export interface Demographics {
  readonly identifiers: readonly KnownIdentifier[];
  readonly familyName: string | null;
  readonly givenName: string | null;
  /** ISO date. */
  readonly birthDate: string | null;
}

interface Event {
  /** The same for what is sent twice. */
  readonly id: string;
  /** When it happened. */
  readonly occurredMs: number;
  /** When its source wrote it down. */
  readonly recordedMs: number;
}

/** A person's part in an ADT message. `patient` is the key made of his identifier, whatever was merged since. */
export interface AdtPart {
  readonly patient: string;
  /** Names the visit in all of its messages. */
  readonly visit: string;
  readonly class: string | null;
  readonly location: string | null;
  readonly demographics: Demographics;
  readonly prior: { readonly patient: string | null; readonly visit: string | null } | null;
}

export interface AdtEvent extends Event {
  readonly kind: "adt";
  readonly type: AdtEventType;
  /** False: EVN-6 was empty, and `occurredMs` is when it was recorded. */
  readonly occurredGiven: boolean;
  /** Who said so, as IHE PCIM's asserting source. */
  readonly source: string;
  readonly parts: readonly AdtPart[];
}

/** A Patient of a FHIR server, as of one of its versions. */
export interface FhirPatientEvent extends Event {
  readonly kind: "fhirPatient";
  readonly patient: string;
  readonly demographics: Demographics;
  readonly active: boolean;
  /** The resource's id there, and the destination that the server is. */
  readonly fhirId: string;
  readonly destination: string;
  /** `link` of type replaced-by: the id of the Patient that replaces this one. */
  readonly replacedBy: string | null;
}

/** An Encounter of a FHIR server, with where the patient was: used for visits of which ADT says nothing. */
export interface FhirEncounterEvent extends Event {
  readonly kind: "fhirEncounter";
  readonly fhirId: string;
  readonly destination: string;
  /** Of the Patient there. */
  readonly patientFhirId: string;
  readonly visit: string;
  readonly source: string;
  readonly stays: readonly { readonly location: string; readonly fromMs: number; readonly toMs: number | null }[];
}

/** A Device of a FHIR server. */
export interface FhirDeviceEvent extends Event {
  readonly kind: "fhirDevice";
  readonly device: string;
  readonly model: string;
  readonly serial: string | null;
  readonly firmware: string | null;
  readonly location: string | null;
}

interface Act extends Event {
  readonly kind: "act";
  readonly by: string;
  readonly because: string;
  readonly device: string;
}

/** The device stands at this bed from `occurredMs` on; null: it is taken away. */
export interface PlaceAct extends Act {
  readonly act: "place";
  readonly bed: string | null;
}

/** A named person says whom the device measures from `occurredMs` on: by a link of his own, or of one that ADT asserted. */
export interface BindAct extends Act {
  readonly act: "bind" | "confirm";
  readonly link: string;
  readonly patient: string;
  readonly bed: string;
  readonly assertedBy: string;
  /** Conflicts that were shown to him, and which he knows better. */
  readonly overrules: readonly string[];
  /** He says of a time before his word, too, that the device measured this patient: since then. */
  readonly vouchedFromMs?: number;
}

/** The link ended at `occurredMs`. */
export interface UnbindAct extends Act {
  readonly act: "unbind";
  readonly link: string;
}

/** The link never held: between these times the device did not measure this patient. */
export interface WrongAct extends Act {
  readonly act: "wrong";
  readonly link: string;
  readonly patient: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The device was switched off or silent for longer than policy allows: who it measures must be confirmed again (clinical.md 9). */
export interface InterruptionEvent extends Event {
  readonly kind: "interruption";
  readonly device: string;
  readonly what: "powerCycle" | "deviceGap";
}

export type ActEvent = PlaceAct | BindAct | UnbindAct | WrongAct;
export type RosterEvent =
  | AdtEvent
  | FhirPatientEvent
  | FhirEncounterEvent
  | FhirDeviceEvent
  | ActEvent
  | InterruptionEvent;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** By when it happened, then by when it was written down, then by name: total, whatever the order of arrival was. */
export const inOrder = (a: Event, b: Event): number =>
  a.occurredMs - b.occurredMs || a.recordedMs - b.recordedMs || byText(a.id, b.id);

/** Each once, in the order in which they happened. */
export const ordered = (events: readonly RosterEvent[]): readonly RosterEvent[] =>
  [...new Map(events.map((event) => [event.id, event])).values()].sort(inOrder);
