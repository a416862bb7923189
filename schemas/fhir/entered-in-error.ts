/**
 * A resource as it is retracted: the same id, subject and content, its status entered-in-error. FHIR R4 keeps the value of such a one, for
 * decisions may have been based on it; a note says why (clinical.md 10).
 */
import { systems } from "./systems.ts";

interface Tag {
  readonly system?: string;
  readonly code?: string;
}
interface Retractable {
  readonly resourceType: string;
  readonly status?: string;
  readonly meta?: { readonly tag?: readonly Tag[] };
  readonly note?: readonly { readonly text?: string }[];
}

/** With the revision in place of the earlier one's; all else that the tags say of its making stays, for by it the resource is found. */
const tagged = (tags: readonly Tag[], revision: number): readonly Tag[] => [
  { system: systems.revision, code: String(revision) },
  ...tags.filter(({ system }) => system !== systems.revision),
];

/** `resource` and the result are JSON. Null where its kind has no status to say so with (a Provenance): what it is about says it then. */
export const enteredInError = (
  resource: string,
  { revision, why }: { readonly revision: number; readonly why: string },
): string | null => {
  const known = JSON.parse(resource) as Retractable;
  if (known.status === undefined) return null;
  const noted = known.resourceType === "Observation" && { note: [...(known.note ?? []), { text: why }] };
  const meta = { ...known.meta, tag: tagged(known.meta?.tag ?? [], revision) };
  return JSON.stringify({ ...known, meta, status: "entered-in-error", ...noted });
};
