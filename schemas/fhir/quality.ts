/**
 * What a measurement's quality becomes, as HL7's point-of-care device guide maps the flags of 11073-10201 (uv-pocd, mapping from V2):
 * INV is unreliable and loses its value, QUES is uncertain and keeps it, TEST and DEMO are test data. No flag says no more than that the
 * device had no objection: HRELIABLE and `validated-data` (VAL) are for what a person has reviewed, and nobody has.
 */
import type { CodeableConcept, Coding } from "@medplum/fhirtypes";
import type { Validity } from "../records/telemetry.ts";
import { concept } from "./elements.ts";
import { systems } from "./systems.ts";

export interface Quality {
  readonly security: readonly Coding[];
  readonly interpretation: readonly CodeableConcept[];
  /** Why no value is told; null: the value is told. Never both (FHIR obs-6). */
  readonly absent: CodeableConcept | null;
}

const integrity = (code: "UNCERTREL" | "UNRELIABLE"): Coding => ({ system: systems.integrity, code });
export const testData: Coding = { system: systems.actReason, code: "HTEST" };
const status = (code: "questionable" | "in-alarm"): CodeableConcept => concept(systems.measurementStatus, code);
const absent = (code: "error" | "unknown" | "not-performed"): CodeableConcept => concept(systems.absent, code);

/** The metric has an active alarm condition (ALACT). */
export const inAlarm: CodeableConcept = status("in-alarm");

const nothing = { security: [], interpretation: [], absent: null } as const;

const qualities: Readonly<Record<Validity, Quality>> = {
  valid: nothing,
  questionable: { ...nothing, security: [integrity("UNCERTREL")], interpretation: [status("questionable")] },
  invalid: { ...nothing, security: [integrity("UNRELIABLE")], absent: absent("error") },
  /** Sent as null. */
  empty: { ...nothing, absent: absent("unknown") },
  /** The zero of a sensor that is off is no measurement. */
  sensorOff: { ...nothing, absent: absent("not-performed") },
  /** A zero that nothing explains is told as neither a value nor a fault (clinical.md 1). */
  indeterminate: { ...nothing, security: [integrity("UNCERTREL")], absent: absent("unknown") },
  test: { ...nothing, security: [testData] },
  demo: { ...nothing, security: [testData] },
};

export const qualityOf = (validity: Validity): Quality => qualities[validity];
