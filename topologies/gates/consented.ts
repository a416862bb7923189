/**
 * Gate 4: a consent covers this destination, both when the data arose and now (clinical.md 19). The stage asks with log
 * time; what writes to the destination asks again, with its own now, at the moment of writing.
 */
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Consent, GateAnswer } from "../../schemas/records.ts";
import { answer, objection, objections } from "./answer.ts";

const covers = (c: Consent, time: number): boolean => c.from <= time && (c.to === null || time < c.to);

/** The newest record speaks; of two recorded at once the denial does. A permit from the future says nothing yet. */
const newest = (consents: readonly Consent[], destination: string, now: number): Consent | undefined =>
  consents
    .filter((c) => c.destination === destination && (c.decision === "deny" || c.recordedAt <= now))
    .sort((a, b) => b.recordedAt - a.recordedAt || Number(b.decision === "deny") - Number(a.decision === "deny"))[0];

/**
 * `consents`: the newest version of each of one patient's. `eventTimes`: when the data arose (ms); `now` in the same scale.
 * Reasons: `consent-unknown`, `consent-denied`, `consent-not-at-event`, `consent-not-now`.
 */
export const consented = (
  consents: readonly Consent[],
  destination: string,
  eventTimes: readonly number[],
  now: number,
): GateAnswer => {
  const consent = newest(consents, destination, now);
  if (consent === undefined)
    return answer("consented", [objection("consent-unknown", `no consent is known for ${destination}`)], "");
  const named = `consent ${consent.id} version ${consent.version}`;
  if (consent.decision === "deny")
    return answer("consented", [objection("consent-denied", `${named} denies ${destination}`)], "");
  const before = eventTimes.find((time) => !covers(consent, time));
  const found = objections(
    before !== undefined && objection("consent-not-at-event", `${named} does not cover data of ${utcInstant(before)}`),
    !covers(consent, now) && objection("consent-not-now", `${named} is not in force at ${utcInstant(now)}`),
  );
  return answer("consented", found, `${named} permits ${destination}`);
};

/** Of a patient's consents as they come in, the newest version of each id. */
export const supersedes = (known: Consent | undefined, next: Consent): boolean =>
  known === undefined || next.version >= known.version;
