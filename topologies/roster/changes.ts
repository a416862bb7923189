/** From what holds and what was told before to the records that say the difference: what is unchanged is not told again. */
import type { Association, Device, Patient } from "../../schemas/records/roster.ts";
import type { RosterView, Wanted } from "./derive.ts";

export type RosterBody = Association | Device | Patient;

/** What was last told of a device, link or patient, by its id (`association/…`). */
export type ToldBefore = ReadonlyMap<string, RosterBody>;

export interface RosterChange {
  readonly id: string;
  /** The device or the patient that it concerns. */
  readonly key: string;
  readonly version: number;
  readonly body: RosterBody;
}

export const versionOf = (body: RosterBody): number => (body.kind === "association" ? body.revision : body.version);

/** `cause`: what was said that made these revisions; `standing`: what of `before` no longer holds unless it is wanted. Patients come first, then devices, then links, those that end before those that hold. */
export const changesOf = (
  view: RosterView,
  before: ToldBefore,
  cause: string,
  standing: ToldBefore = before,
): readonly RosterChange[] => {
  const present = new Set(view.wanted.map(({ id }) => id));
  const changed = view.wanted.flatMap(({ id, body }): RosterChange[] => {
    const known = before.get(id);
    return known !== undefined && same(body, known) ? [] : [changeOf(id, revised(body, known, view, cause))];
  });
  const voided = [...standing].flatMap(([id, body]): RosterChange[] =>
    body.kind !== "association" || body.voided || present.has(id)
      ? []
      : [changeOf(id, { ...body, revision: body.revision + 1, voided: true, cause, mergedFrom: null })],
  );
  return [...changed, ...voided].toSorted((a, b) => rank(a.body) - rank(b.body));
};

const rank = (body: RosterBody): number => {
  if (body.kind !== "association") return body.kind === "patient" ? 0 : 1;
  return body.voided || body.to !== null ? 2 : 3;
};

const changeOf = (id: string, body: RosterBody): RosterChange => ({
  id,
  key: body.kind === "patient" ? body.patientKey : body.device,
  version: versionOf(body),
  body,
});

const revised = (
  body: Wanted["body"],
  known: RosterBody | undefined,
  { merged }: RosterView,
  cause: string,
): RosterBody => {
  const version = known === undefined ? 1 : versionOf(known) + 1;
  if (body.kind !== "association") return { ...body, version };
  const replaced =
    known?.kind === "association" && known.patientKey !== body.patientKey && merged.has(known.patientKey)
      ? known.patientKey
      : null;
  return { ...body, revision: version, cause, mergedFrom: replaced };
};

/** Whether it says what was told, whatever its version, cause and field order. */
const same = (wanted: Wanted["body"], known: RosterBody): boolean => {
  const before = known as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(
    ([name, value]) => value === before[name] || JSON.stringify(value) === JSON.stringify(before[name]),
  );
};
