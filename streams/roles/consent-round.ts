/**
 * One round at a source of consents: patients that are new here, what has changed since the mark, now and then whether what was known is
 * still there. What it finds goes into the patients' logs first; the mark moves after that, so a crash repeats and loses nothing.
 */
import type { FhirConsent } from "../../schemas/records/consent.ts";
import type { Patient } from "../../schemas/records/roster.ts";
import { type Filing, filed, gone, idAt, type Known, markedStale, recordId } from "../io/consent/filing.ts";
import type { ConsentReader } from "../io/consent/reader.ts";
import type { FoundResource } from "../io/fhir/search.ts";
import type { ConsentTable } from "./consent-table.ts";

/** What the source's own clock may be late in showing: that much is read again. */
const overlapMs = 10_000;
const patientsARound = 25;

/** How far it has been read; kept by its owner (role `consent-source`). */
export interface Progress {
  /** The newest `lastUpdated` that was had, in the source's time, and not later than our own clock was then; null: none. */
  readonly mark: number | null;
  /** By patient key: as whom he was asked for. */
  readonly visited: Readonly<Record<string, string>>;
}

export interface RoundPorts {
  readonly reader: ConsentReader;
  readonly table: Pick<ConsentTable, "everybody">;
  /** Resolves when they are durable. */
  readonly append: (records: readonly FhirConsent[]) => Promise<void>;
  readonly onDropped: (reason: string) => void;
  /** Our own, as the machine has it: not the ward's time, which may be a recorded day's. */
  readonly clock: () => number;
}

export const knownOf = async (table: RoundPorts["table"], source: string): Promise<Known> => {
  const everybody = await table.everybody();
  const consents = new Map<string, FhirConsent[]>();
  const patients: Patient[] = [];
  for (const { patient, consents: own } of everybody.values()) {
    if (patient !== undefined) patients.push(patient);
    for (const record of own)
      if (record.kind === "fhirConsent" && record.source === source)
        consents.getOrInsertComputed(record.id, () => []).push(record);
  }
  return { consents, patients };
};

/** As whom a source knows him, and into whom he was merged: when either changes, he is asked for again. */
const visitOf = (patient: Patient, source: string): string =>
  JSON.stringify([idAt(patient, source), patient.mergedInto]);

/** What of it is new goes into the patients' logs. */
export const fileAll = async (found: readonly FoundResource[], ports: RoundPorts, filing: Filing): Promise<void> => {
  if (found.length === 0) return;
  const known = await knownOf(ports.table, filing.source);
  const records = found.flatMap((resource) => {
    const { records: some, dropped } = filed(resource, known, filing);
    if (dropped !== null) ports.onDropped(dropped);
    return some;
  });
  if (records.length > 0) await ports.append(records);
};

/** Some of the patients that were not asked for yet. */
const visitNew = async (before: Progress, ports: RoundPorts, filing: Filing): Promise<Progress["visited"]> => {
  const { patients } = await knownOf(ports.table, filing.source);
  const visited = { ...before.visited };
  const unseen = patients.filter((p) => visited[p.patientKey] !== visitOf(p, filing.source));
  for (const patient of unseen.slice(0, patientsARound)) {
    await fileAll(await ports.reader.ofPatients([idAt(patient, filing.source)]), ports, filing);
    visited[patient.patientKey] = visitOf(patient, filing.source);
  }
  return visited;
};

/** Rejects with the reader's codes and the log's; then nothing has moved. `complete`: nobody is left to be asked for. */
export const round = async (
  before: Progress,
  ports: RoundPorts,
  filing: Filing,
): Promise<{ readonly progress: Progress; readonly complete: boolean }> => {
  const ours = ports.clock();
  // one that lies ahead of us came of a wrong clock, the source's or ours: who knows what it has made us pass by
  const mark = before.mark !== null && before.mark <= ours ? before.mark : null;
  const { found, newest } = await ports.reader.changed(mark === null ? null : mark - overlapMs, ours);
  await fileAll(found, ports, filing);
  const visited = await visitNew(before, ports, filing);
  const { patients } = await knownOf(ports.table, filing.source);
  return {
    progress: { mark: newest === null ? mark : Math.max(newest, mark ?? newest), visited },
    complete: patients.every((p) => visited[p.patientKey] === visitOf(p, filing.source)),
  };
};

/** Reads again all that is known, and drops what the source itself says that it has no more. */
export const confirm = async (ports: RoundPorts, filing: Filing): Promise<void> => {
  const { source } = filing;
  const known = await knownOf(ports.table, source);
  const held = [...known.consents].filter(([, records]) =>
    records.some((r) => r.resource !== null || r.problem !== null),
  );
  const ids = held.map(([id]) => id.slice(source.length + 1));
  const found = await ports.reader.byId(ids);
  await fileAll(found, ports, filing);
  const there = new Set(found.map(({ id }) => id));
  for (const id of ids.filter((one) => !there.has(one)))
    if (await ports.reader.isGone(id)) await ports.append(gone(recordId(source, id), known, filing));
};

/** Says of all that it vouched for that it was not heard for too long. */
export const markStale = async (ports: RoundPorts, problem: string, filing: Filing): Promise<void> => {
  const records = markedStale(await knownOf(ports.table, filing.source), problem, filing);
  if (records.length > 0) await ports.append(records);
};
