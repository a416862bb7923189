/** Reads the roster file and makes the records that its content becomes in the logs. */
import type { Problem } from "../core/failure.ts";
import { digest } from "../core/hash.ts";
import type { Consent } from "../../schemas/records/consent.ts";
import {
  type Association,
  type Device,
  knownAlike,
  type Patient,
  undisputed,
  usualClockUncertaintyMs,
  usualLinkGapMs,
} from "../../schemas/records/roster.ts";
import { type PlacedProblem, rosterProblems } from "./roster-rules.ts";
import { type Roster, rosterShape, wardRosterShape } from "./roster-shape.ts";

export type { PlacedProblem } from "./roster-rules.ts";
export type { Roster } from "./roster-shape.ts";

/** Assignable to Result<Roster>; `problems` lists every one with its place, `problem` sums them up. */
export type RosterReading =
  | { readonly ok: true; readonly value: Roster }
  | { readonly ok: false; readonly problem: Problem; readonly problems: readonly PlacedProblem[] };

const refused = (problems: readonly PlacedProblem[]): RosterReading => ({
  ok: false,
  problems,
  problem: {
    reason: "roster-invalid",
    detail: problems.map((p) => `${p.place}: ${p.detail} (${p.reason})`).join("\n"),
  },
});

const jsonPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (at, p) => (typeof p === "number" ? `${at}[${p}]` : at === "" ? String(p) : `${at}.${String(p)}`),
    "",
  ) || "(file)";

/** Reasons of the problems: `not-json`, `shape`, and those of roster-rules.ts. */
export const readRoster = (text: string): RosterReading => read(text, true);

/** Devices, beds and associations alone, for the alert circuit; the value has no patients and no consents. */
export const readWardRoster = (text: string): RosterReading => read(text, false);

const read = (text: string, patients: boolean): RosterReading => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refused([{ place: "(file)", reason: "not-json", detail: String(error) }]);
  }
  const shaped = (patients ? rosterShape : wardRosterShape).safeParse(json);
  if (!shaped.success)
    return refused(shaped.error.issues.map((i) => ({ place: jsonPath(i.path), reason: "shape", detail: i.message })));
  const problems = rosterProblems(shaped.data, { patients });
  return problems.length > 0 ? refused(problems) : { ok: true, value: shaped.data };
};

/** Unless the roster tells otherwise: design.md, "Time inside the engine", and clinical.md 5 for 1 Hz streams. */
const usualSilentAfterMs = 10_000;

/**
 * What one entry of the roster becomes. `device` records go to every raw topic under the device; `clinical` ones to
 * clinical.events under the patient key. `id`, `version` and `hash` let a source append only what changed (roster-changes.ts).
 */
export type RosterRecord = {
  readonly key: string;
  readonly id: string;
  /** Where it stands in the file, e.g. `associations[3]`. */
  readonly place: string;
  /** Its version or revision; a device's is the file's own. */
  readonly version: number;
  readonly hash: string;
} & (
  | { readonly plane: "device"; readonly body: Device | Association }
  | { readonly plane: "clinical"; readonly body: Patient | Consent }
);

/** Fields that came later than the first rosters: at its default each is as if it were not there, so that a roster announced before is unchanged. */
const cameLater: Readonly<Record<string, unknown>> = { ...undisputed, ...knownAlike, linkGapMs: usualLinkGapMs };

const hashOf = (body: object): string => {
  const said = Object.entries(body).filter(
    ([name, value]) => !(name in cameLater && JSON.stringify(value) === JSON.stringify(cameLater[name])),
  );
  return digest(new TextEncoder().encode(JSON.stringify(Object.fromEntries(said))));
};

const aboutDevice = (id: string, place: string, version: number, body: Device | Association): RosterRecord => ({
  plane: "device",
  key: body.device,
  id,
  place,
  version,
  hash: hashOf(body),
  body,
});
const aboutPatient = (id: string, place: string, body: Patient | Consent): RosterRecord => ({
  plane: "clinical",
  key: body.patientKey,
  id,
  place,
  version: body.version,
  hash: hashOf(body),
  body,
});

/** Every record of a roster, devices before their associations and patients before their consents. */
export const rosterRecords = (roster: Roster): readonly RosterRecord[] => [
  ...roster.devices.map(({ bed: _, ...d }, i) =>
    aboutDevice(`device/${d.device}`, `devices[${i}]`, roster.version, {
      kind: "device",
      ...d,
      clockUncertaintyMs: d.clockUncertaintyMs ?? usualClockUncertaintyMs,
      silentAfterMs: d.silentAfterMs ?? usualSilentAfterMs,
      linkGapMs: d.linkGapMs ?? usualLinkGapMs,
      version: roster.version,
    }),
  ),
  ...roster.associations.map((a, i) =>
    aboutDevice(`association/${a.id}`, `associations[${i}]`, a.revision, { kind: "association", ...undisputed, ...a }),
  ),
  ...roster.patients.map((p, i) =>
    aboutPatient(`patient/${p.patientKey}`, `patients[${i}]`, { kind: "patient", ...p }),
  ),
  ...roster.consents.map((c, i) => aboutPatient(`consent/${c.id}`, `consents[${i}]`, { kind: "consent", ...c })),
];
