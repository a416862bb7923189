/**
 * The answer to "why was this (not) promoted?": one event's whole way, from the bytes that a device sent to each destination's answer. What is
 * not known any more (trimmed from the log) or never was is null, and the trace says so. It names patients by their opaque key only.
 */
import type { Rule } from "./records/broadcast.ts";
import type { Decision, Delivery, Intent, Task } from "./records/clinical.ts";
import type { FhirConsent } from "./records/consent.ts";
import type { Association } from "./records/roster.ts";
import type { Episode, Measurement, WindowAggregate } from "./records/telemetry.ts";

/** Where a record stands in the log. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A record and its place. */
export interface Found<T> {
  readonly at: Place;
  readonly body: T;
}

/** What the device sent; `payload` is text where it is text, else base64 behind "base64:". */
export interface TracedReading {
  readonly at: Place;
  readonly device: string;
  readonly mqttTopic: string;
  readonly receivedTime: number;
  readonly size: number;
  readonly payload: string;
}

/** What was said of one revision at one destination. */
export interface TracedDecision {
  readonly at: Place;
  readonly decision: Decision;
  /** What was to be written of it; null: nothing. */
  readonly intent: Pick<Intent, "resourceType" | "resourceId" | "action" | "resentBy"> | null;
  readonly answers: readonly Delivery[];
}

export interface TracedDestination {
  readonly destination: string;
  /** `promoted`: the last that was said of it stands there; `retracted`: entered in error there. */
  readonly standing: "promoted" | "refused" | "retracted" | "notAnswered" | "refusedThere";
  readonly decisions: readonly TracedDecision[];
}

/** Under which patient key it was judged, and what came of that; a corrected link has two. */
export interface TracedPatient {
  readonly patientKey: string;
  readonly association: Association | null;
  readonly consents: readonly TracedConsent[];
  readonly destinations: readonly TracedDestination[];
  readonly tasks: readonly Task[];
}

/** A consent without what it says in detail. */
export interface TracedConsent {
  readonly id: string;
  readonly version: number;
  readonly kind: "consent" | FhirConsent["kind"] | "accessOverride";
  readonly says: string;
}

export interface Trace {
  /** What was asked. */
  readonly question: string;
  readonly identity: string;
  readonly reading: TracedReading | null;
  /** The device model whose adapter read it; null: the roster does not know the device, or could not be read. */
  readonly model: string | null;
  readonly measurement: Found<Measurement> | null;
  readonly windows: readonly Found<WindowAggregate>[];
  readonly rule: Rule;
  /** Its forms as they were told, oldest first. */
  readonly episodes: readonly Found<Episode>[];
  readonly patients: readonly TracedPatient[];
  /** What could not be found, in words. */
  readonly missing: readonly string[];
}

/** There is no event: what was measured then, and what was refused, by reason. */
export interface NoEvent {
  readonly question: string;
  readonly device: string;
  readonly from: number;
  readonly to: number;
  readonly measurements: readonly Found<Measurement>[];
  readonly quarantined: readonly { readonly at: Place; readonly reason: string; readonly detail: string }[];
  readonly says: string;
}
