/**
 * Free text (a gate's detail, a destination's answer, a device's state) on its way to the page. The page is no place for a
 * patient's identifier (clinical.md 18), and an EHR's error text may well hold one: references to people and long numbers go.
 */

const longest = 240;
const personReference = /\b(Patient|Person|RelatedPerson|Encounter)\/[A-Za-z0-9\-.]+/g;
/** Record numbers are long; the numbers that explain a refusal (limits, counts, HTTP status) are not. */
const longNumber = /\d{6,}/g;

/** The text without references to people, without runs of six or more digits, without `secrets`, and at most 240 characters long. */
export const redact = (text: string, secrets: readonly string[] = []): string => {
  let safe = text;
  for (const secret of secrets) if (secret !== "") safe = safe.replaceAll(secret, "…");
  safe = safe.replace(personReference, "$1/…").replace(longNumber, "…");
  return safe.length > longest ? `${safe.slice(0, longest - 1)}…` : safe;
};
