/** The cells of the gates' first version in the shapes of now: what records have gained since has the values that it had by default. */
import { observationOf } from "../../schemas/fhir/observation.ts";
import { type Candidate, writesAlone } from "../../schemas/records/clinical.ts";
import { type Association, knownAlike, type Patient, undisputed } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { logTime } from "../../streams/core/time.ts";
import type { Cell } from "./cells.ts";
import { foldedCell, foldingNote, type Ledger, revisionIn } from "./ceiling.ts";
import { identityAt } from "./identity.ts";
import { type Written, writtenCell } from "./retraction.ts";

/** What no episode had. */
const plain = { companions: [], late: false };

const candidateOf = (old: Candidate): Candidate => {
  const association: Association | null = old.association === null ? null : { ...undisputed, ...old.association };
  const episode: Episode = { ...plain, ...old.episode };
  return { ...old, episode, association, alongside: [], correction: null };
};

/** A mark of a folded episode was named `folded/<ledger>/<identity>` and held no more. */
const foldedOf = (name: string): readonly [string, Cell] => {
  const cut = name.lastIndexOf("/");
  const ledger = name.slice("folded/".length, cut);
  const [destination = ""] = JSON.parse(ledger.slice("ledger/".length)) as readonly string[];
  return [foldedCell(destination, name.slice(cut + 1)), { kind: "folded", ledger }];
};

const cellOf = (name: string, cell: Cell): readonly [string, Cell] => {
  if (cell.kind === "folded") return foldedOf(name);
  if (cell.kind === "patient") return [name, { ...knownAlike, ...cell }];
  if (cell.kind !== "ledger") return [name, cell];
  const ledger: Ledger = { ...cell, last: cell.last === null ? null : candidateOf(cell.last) };
  return [name, ledger];
};

/**
 * What it had written of a ledger's last episode, so that it can be taken back: built anew, under the id that it had, of the patient as he
 * is known at the upgrade. Of the others that a ledger admitted it kept the identity alone.
 */
const writtenOf = (name: string, ledger: Ledger, patient: Patient): readonly (readonly [string, Written])[] => {
  const { destination, last, tellAt } = ledger;
  const identity = identityAt(patient, { name: destination });
  if (last === null || identity === undefined) return [];
  const { episode } = last;
  const final = ledger.final.includes(episode.identity);
  const revision = revisionIn(ledger, episode);
  const status = final ? ("final" as const) : ("preliminary" as const);
  const note = foldingNote(ledger, episode);
  const resource = observationOf({ episode, patient, revision, status, transform: "gates@1", note });
  const { resourceType, id: resourceId = "" } = resource;
  const written: Written = {
    kind: "written",
    candidate: last,
    intent: {
      kind: "intent",
      ...writesAlone,
      ...{ identity: episode.identity, revision, patientKey: patient.patientKey, destination },
      ...{ resourceType, resourceId, resource: JSON.stringify(resource), patient: identity },
      at: logTime(tellAt),
    },
    episodeRevision: episode.revision,
    final,
    // it kept no times: not before what it tells of, and not after the ledger was to be looked at
    since: logTime(episode.qualifyingAt),
    firstRevision: 0,
    resourceIds: [resourceId],
    at: logTime(tellAt),
    retracted: false,
    ledger: name,
  };
  return [[writtenCell(destination, episode.identity), written]];
};

export const cellsOfVersion1 = (cells: Readonly<Record<string, unknown>>): Readonly<Record<string, Cell>> => {
  const now = Object.entries(cells).map(([name, cell]) => cellOf(name, cell as Cell));
  const patient = now.map(([, cell]) => cell).find((cell) => cell.kind === "patient");
  const written = now.flatMap(([name, cell]) =>
    cell.kind === "ledger" && patient !== undefined ? writtenOf(name, cell, patient) : [],
  );
  return Object.fromEntries([...now, ...written]);
};
