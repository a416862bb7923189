/** What people have to do when a link was wrong or cannot be told: both care teams, privacy, whoever reviews (clinical.md 8, 10). */
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Candidate, Task } from "../../schemas/records/clinical.ts";
import { contentHash } from "../../streams/core/hash.ts";
import type { LogTime } from "../../streams/core/time.ts";
import type { Objection } from "./answer.ts";
import type { Ledger } from "./ceiling.ts";
import type { Written } from "./retraction.ts";

type Said = Omit<Task, "kind" | "identity" | "revision">;

/** Of one identity however often it is made of the same facts; `occasion` tells one retraction of an event from the next. */
const taskOf = (said: Said, occasion: number | null = null): Task => ({
  kind: "task",
  identity: contentHash(
    ...["task", said.audience, said.reason, said.patientKey, said.destination, occasion],
    ...said.about,
  ).slice(0, 32),
  revision: 0,
  ...said,
});

const minutesOf = (ms: number): string => `${Math.round(ms / 6_000) / 10} min`;

interface Retracted {
  readonly revision: number;
  readonly at: LogTime;
}

/**
 * What every task about a retraction says. Times are of the log: from when it went out to when it was taken back, so it can have been seen
 * for so long at most. Null: nothing ever stood there, and nobody need be told.
 */
const seenOf = ({ since, intent }: Written, { at }: Retracted) => {
  if (since === null) return null;
  const { destination, identity, resourceType, resourceId } = intent;
  const visibleMs = at - since;
  return {
    what: `${resourceType}/${resourceId}`,
    how: `visible at ${destination} for at most ${minutesOf(visibleMs)}`,
    about: { about: [identity], destination, visibleMs, at },
  };
};

/** What was done with what told of another, in words: after "Observation/1 ". */
interface Mended {
  readonly toHisTeam: string;
  readonly toTheOthersTeam: string;
}

const sharedTasks = (
  written: Written,
  candidate: Candidate,
  wrong: Objection,
  retracted: Retracted,
  mended: Mended,
): readonly Task[] => {
  const seen = seenOf(written, retracted);
  if (seen === null) return [];
  const { what, how, about } = seen;
  const other = candidate.correction?.otherPatientKey ?? null;
  const { patientKey } = candidate;
  const all: Said[] = [
    {
      ...about,
      patientKey,
      audience: "careTeam",
      reason: "association-corrected",
      detail: `${what} ${mended.toHisTeam}: ${wrong.detail}; ${how}`,
    },
    ...(other === null
      ? []
      : [
          {
            ...about,
            patientKey: other,
            audience: "careTeam" as const,
            reason: "association-corrected",
            detail: `what was measured of this patient stood in another's record; ${how}. ${mended.toTheOthersTeam}`,
          },
        ]),
    {
      ...about,
      patientKey: other ?? patientKey,
      audience: "privacy",
      reason: "possible-breach",
      detail: `${what} told of ${other ?? "nobody known"} in the record of ${patientKey}: ${wrong.reason}; ${how}`,
    },
  ];
  return all.map((said) => taskOf(said, retracted.revision));
};

/** After a retraction: to the care team that saw it, to the one that did not, and to privacy, each with how long wrong data could be seen. */
export const correctionTasks = (...[written, candidate, wrong, retracted]: Told): readonly Task[] =>
  sharedTasks(written, candidate, wrong, retracted, {
    toHisTeam: "was not of this patient and is entered in error",
    toTheOthersTeam: "It is judged anew for this one",
  });

/** After an amendment that leaves of an episode only what was the patient's: its statistics were of two people. */
export const cutTasks = (...[written, candidate, wrong, retracted]: Told): readonly Task[] =>
  sharedTasks(written, candidate, wrong, retracted, {
    toHisTeam: "told also of what was measured of another and is amended",
    toTheOthersTeam: "A person has to say what of it is told for this one",
  });

type Told = readonly [written: Written, candidate: Candidate, wrong: Objection, retracted: Retracted];

/** After a retraction from under an identity that is the patient's no more: whose record it stood in, nobody here can say. */
export const identityTasks = (written: Written, retracted: Retracted): readonly Task[] => {
  const seen = seenOf(written, retracted);
  if (seen === null) return [];
  const { what, how, about } = seen;
  const { patientKey } = written.intent;
  const stood = "under an identity that is not this patient's there any more, and whose record may be another's";
  const all: Said[] = [
    {
      ...about,
      patientKey,
      audience: "careTeam",
      reason: "association-corrected",
      detail: `${what} stood ${stood}: it is entered in error; ${how}. It is judged anew under the new one`,
    },
    {
      ...about,
      patientKey,
      audience: "privacy",
      reason: "possible-breach",
      detail: `${what} told of ${patientKey} ${stood}: identity-corrected; ${how}`,
    },
  ];
  return all.map((said) => taskOf(said, retracted.revision));
};

/** It stands at the wrong patient, and what was written there is not remembered: a person has to take it out. */
export const unretractableTask = (candidate: Candidate, destination: string, wrong: Objection, at: LogTime): Task => {
  const { episode, patientKey } = candidate;
  return taskOf({
    patientKey,
    audience: "records",
    reason: "not-retractable",
    detail:
      `${destination}: the Observation of episode ${episode.identity} (${episode.metric}, ${utcInstant(episode.start)}) is wrong ` +
      `and stands there still, for what was written is not remembered: ${wrong.detail}`,
    about: [episode.identity],
    destination,
    visibleMs: null,
    at,
  });
};

/** Whose it is cannot be told from the times: a person has to. */
export const reviewTask = (candidate: Candidate, detail: string, at: LogTime): Task =>
  taskOf({
    patientKey: candidate.patientKey,
    audience: "careTeam",
    reason: "time-ambiguous",
    detail,
    about: [candidate.episode.identity],
    destination: null,
    visibleMs: null,
    at,
  });

/** The Observation that told of folded episodes was retracted, and no other stands that could. `ledger`: its cell, which names the rule and the day. */
export const untoldFoldingTask = (
  patientKey: string,
  ledger: string,
  { destination, folded, day }: Pick<Ledger, "destination" | "folded" | "day">,
  at: LogTime,
): Task => ({
  kind: "task",
  identity: contentHash("task", "folding-untold", patientKey, ledger, folded).slice(0, 32),
  revision: 0,
  patientKey,
  audience: "careTeam",
  reason: "folding-untold",
  detail: `${folded} further episodes of ${day} were told of in an Observation that is entered in error, and no other tells of them (${ledger})`,
  about: [],
  destination,
  visibleMs: null,
  at,
});
