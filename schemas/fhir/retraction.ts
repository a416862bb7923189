/**
 * The form in which what was written is taken back (clinical.md 10): the same resource of the same subject, entered in error, saying why.
 * Its values stay, for decisions may have been based on them and a chart must be able to show what was withdrawn; its earlier Provenance
 * stays, for it tells what happened.
 */
import type { DiagnosticReport, Observation, Resource } from "@medplum/fhirtypes";
import type { Intent } from "../records/clinical.ts";
import { type Disclosure, disclosureOf, type DisclosureOf } from "./disclosure.ts";
import { systems } from "./systems.ts";

interface Withdrawal {
  /** Above every revision that was written. */
  readonly revision: number;
  /** In words for whoever opens the chart; no name of another patient. */
  readonly reason: string;
}

/** A DiagnosticReport has no note: its conclusion says it. */
const saying = (resource: Observation | DiagnosticReport, reason: string): object =>
  resource.resourceType === "Observation"
    ? { note: [...(resource.note ?? []), { text: reason }] }
    : { conclusion: `${reason} It said: ${resource.conclusion ?? "nothing"}` };

/** All that the other tags say of its making stays, for by it the resource is found (clinical.md 24). */
export const enteredInError = <T extends Observation | DiagnosticReport>(resource: T, of: Withdrawal): T => {
  const others = (resource.meta?.tag ?? []).filter(({ system }) => system !== systems.revision);
  return {
    ...resource,
    meta: { ...resource.meta, tag: [{ system: systems.revision, code: String(of.revision) }, ...others] },
    status: "entered-in-error",
    ...saying(resource, of.reason),
  };
};

/** What goes beside is Observations, and the Provenance of the earlier write. */
const isObservation = (resource: Resource): resource is Observation => resource.resourceType === "Observation";

/** What takes back a written intent: its resource and the Observations beside it, with a Provenance and an AuditEvent of their own. */
export const retractionOf = (
  written: Pick<Intent, "resource" | "beside" | "destination">,
  of: Withdrawal & Omit<DisclosureOf, "written" | "destination" | "activity">,
): Disclosure & { readonly resource: Observation | DiagnosticReport } => {
  const resource = enteredInError(JSON.parse(written.resource) as Observation | DiagnosticReport, of);
  const beside = written.beside
    .map((json) => JSON.parse(json) as Resource)
    .filter(isObservation)
    .map((one) => enteredInError(one, of));
  return {
    resource,
    ...disclosureOf({ ...of, written: { resource, beside }, destination: written.destination, activity: "retract" }),
  };
};
