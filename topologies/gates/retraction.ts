/**
 * What the gates had written where, and how it is taken back when the patient turns out to be another (clinical.md 10): the same resource,
 * in its next revision, entered in error. Only identity takes back; no consent that is revoked does.
 */
import { retractionOf as resourcesOf } from "../../schemas/fhir/retraction.ts";
import type { Candidate, Corrected, Intent } from "../../schemas/records/clinical.ts";
import type { LogTime } from "../../streams/core/time.ts";
import { writtenKeptMs } from "../correctable.ts";
import type { Objection } from "./answer.ts";
import { attributionObjections, isMergedAway } from "./attribution.ts";
import type { MergedPatients } from "./validated-patient.ts";

/** One cell for each identity and destination. */
export interface Written {
  readonly kind: "written";
  readonly candidate: Candidate;
  /** As it went to the outbox last, without the audit of that. */
  readonly intent: Intent;
  /** Revision of the episode that it tells. */
  readonly episodeRevision: number;
  readonly final: boolean;
  /** Log time since which it can be seen there, at the earliest; null: never, for its only writes were withheld. */
  readonly since: LogTime | null;
  /** With which revision that began. */
  readonly firstRevision: number;
  /** Every id under which it was written there: one for each identity of the patient. */
  readonly resourceIds: readonly string[];
  /** Log time of the last change. */
  readonly at: LogTime;
  readonly retracted: boolean;
  /** Log time since which it was withheld at the moment of writing, again and again (gates/pending.ts). */
  readonly withheldSince?: number;
  /** The cell of the ledger under whose ceiling it was admitted. */
  readonly ledger: string;
  /** It tells only the part before the link ended. */
  readonly cut?: true;
  /** The episode's end as it was told there; null: only its start was. Absent where an older version wrote. */
  readonly toldEnd?: number | null;
  /** The same of the write before, for where the last one turns out to have been withheld. */
  readonly toldEndBefore?: number | null;
  /** Who took it back in a reviewed correction: nothing is told over that. */
  readonly correctedBy?: string;
}

export const writtenCell = (destination: string, identity: string): string =>
  `written/${JSON.stringify([destination, identity])}`;

/** It is there, and not in error. */
export const stands = (written: Written | undefined): written is Written => written !== undefined && !written.retracted;

export const afterWrite = (
  known: Written | undefined,
  intent: Intent,
  of: { readonly candidate: Candidate; readonly status: string; readonly ledger: string },
): Written => ({
  kind: "written",
  candidate: of.candidate,
  intent: { ...intent, audit: null },
  episodeRevision: of.candidate.episode.revision,
  final: of.status === "final" || known?.final === true,
  ...(stands(known) && known.since !== null
    ? { since: known.since, firstRevision: known.firstRevision }
    : { since: intent.at, firstRevision: intent.revision }),
  resourceIds: [...new Set([...(known?.resourceIds ?? []), intent.resourceId])],
  at: intent.at,
  retracted: false,
  ...(known?.withheldSince !== undefined && { withheldSince: known.withheldSince }),
  ledger: of.ledger,
  ...(of.candidate.cut && { cut: true as const }),
  toldEnd: of.candidate.episode.end,
  toldEndBefore: known?.toldEnd ?? null,
});

/** What stands tells more of the episode than its first part, which alone turns out to be this patient's. */
export const tellsTooMuch = (
  written: Written | undefined,
  { cut, association, episode }: Candidate,
): Objection | null => {
  const told = written?.toldEnd ?? null;
  if (!cut || !stands(written) || told === null || told <= (episode.end ?? episode.qualifyingAt)) return null;
  const detail = `association ${association?.id ?? "of nobody"} ended inside the episode: only what was known when it qualified is of this patient`;
  return { reason: "association-not-in-force", detail };
};

/**
 * Why a candidate means that what stands under its identity is wrong there; null: it is not. A link in doubt is no reason, nor one that
 * nobody confirmed: the patient may be right.
 */
export const wrongBecause = (candidate: Candidate, merged: MergedPatients): Objection | null => {
  if (isMergedAway(candidate)) {
    const detail = "the patient's record was merged into another: this stands in the surviving one";
    return merged === "move" ? { reason: "patient-merged", detail } : null;
  }
  const doubted = candidate.alongside.some((a) => !a.voided && a.conflict !== null);
  const found = attributionObjections(candidate);
  // Another's link that is itself in doubt shows nothing yet; a link of his own that does not reach that far does.
  return found.find(({ reason }) => reason !== "time-ambiguous" || !doubted) ?? null;
};

/** After a reviewed correction told it past the gates: what they say of it from now on comes behind that. */
export const afterCorrection = (
  { correctedBy: _, ...written }: Written,
  { revision, action, by }: Corrected,
  at: LogTime,
): Written => ({
  ...written,
  intent: { ...written.intent, revision: Math.max(written.intent.revision, revision) },
  at,
  retracted: action === "retract",
  ...(action === "retract" && { correctedBy: by }),
});

interface Retracting {
  readonly revision: number;
  /** In words for whoever opens the chart; it names no other patient. */
  readonly reason: string;
  /** Name and version of what takes back. */
  readonly transform: string;
  readonly at: LogTime;
}

/** The intent that takes it back, with all that was written beside it: it needs no consent, for it tells nothing new. */
export const retractionOf = (
  written: Written,
  of: Retracting,
): { readonly intent: Intent; readonly written: Written } => {
  const { candidate, intent: before } = written;
  const { rule, qualifyingIdentity } = candidate.episode;
  const { association } = candidate;
  const taken = resourcesOf(before, { ...of, rule, inputs: [qualifyingIdentity], association, purpose: null });
  const intent: Intent = {
    ...before,
    revision: of.revision,
    resource: JSON.stringify(taken.resource),
    beside: taken.beside.map((one) => JSON.stringify(one)),
    audit: JSON.stringify(taken.audit),
    at: of.at,
    action: "retract",
    resentBy: null,
  };
  return { intent, written: { ...written, intent: { ...intent, audit: null }, at: of.at, retracted: true } };
};

/** Null while it is open: then it may change at any time. */
export const writtenForgottenAt = ({ candidate, retracted, at }: Written): number | null =>
  candidate.episode.phase === "end" || retracted ? at + writtenKeptMs : null;
