/** The recorded patients' roster: each in a bed of its own, linked to its device before the recording starts. The names are invented. */
import { contentHash } from "../../core/hash.ts";
import type { RosterDevice, WardRoster } from "../ward/messages.ts";
import { isoUtc } from "../ward/time.ts";
import type { Recording } from "./catalogue.ts";

const unit = "Recorded";
const nurse = "Ines Marchetti RN";
const hourMs = 3_600_000;
const destination = "ehr";

export interface RecordedRosterOptions {
  readonly startMs: number;
  /** Records whose association nobody has confirmed. */
  readonly unconfirmed?: readonly string[];
  /** Records whose patient has no consent on file. */
  readonly withoutConsent?: readonly string[];
}

const opaque = (kind: string, record: string): string => `${kind}-${contentHash(kind, record).slice(0, 12)}`;

const deviceOf = ({ record, model, silentAfterMs }: Recording): RosterDevice => ({
  device: record,
  model,
  serial: null,
  unit,
  silentAfterMs,
});

const association = (record: string, startMs: number, confirmed: boolean): WardRoster["associations"][number] => ({
  id: `assoc-${record}`,
  revision: 1,
  device: record,
  subject: opaque("sub", record),
  patientKey: opaque("pat", record),
  bed: record,
  unit,
  ageBand: "adult",
  from: isoUtc(startMs - hourMs),
  to: null,
  confirmedBy: confirmed ? nurse : null,
  confirmedAt: confirmed ? isoUtc(startMs - hourMs / 2) : null,
  assertedBy: confirmed ? nurse : "ADT feed",
});

const patient = (record: string): WardRoster["patients"][number] => ({
  patientKey: opaque("pat", record),
  fhirId: `patient-${record}`,
  identifierSystem: "urn:afferent:recorded-patients:mrn",
  identifierValue: record,
  encounterFhirId: null,
  active: true,
  version: 1,
});

const permit = (record: string, startMs: number): WardRoster["consents"][number] => ({
  id: `consent-${record}`,
  version: 1,
  patientKey: opaque("pat", record),
  destination,
  decision: "permit",
  from: isoUtc(startMs - 24 * hourMs),
  to: null,
  recordedAt: isoUtc(startMs - 24 * hourMs),
});

export const recordedRoster = (
  recordings: readonly Recording[],
  { startMs, unconfirmed = [], withoutConsent = [] }: RecordedRosterOptions,
): WardRoster => {
  const records = recordings.map(({ record }) => record);
  return {
    version: 1,
    devices: recordings.map(deviceOf),
    beds: records.map((bed) => ({ bed, unit })),
    associations: records.map((record) => association(record, startMs, !unconfirmed.includes(record))),
    patients: records.map(patient),
    consents: records.filter((record) => !withoutConsent.includes(record)).map((record) => permit(record, startMs)),
  };
};
