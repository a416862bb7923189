/**
 * What a Consent's narrative says, as far as words can be told apart without understanding: that something is permitted, that
 * something is denied. Where the structure says nothing of the kind, one of them is wrong and a person must look (clinical.md 19).
 */

export interface Narrative {
  readonly permits: boolean;
  readonly denies: boolean;
}

const entities: Readonly<Record<string, string>> = { quot: '"', amp: "&", lt: "<", gt: ">", apos: "'", nbsp: " " };
const plain = (div: string): string =>
  div
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)
    .replaceAll(/\s+/g, " ")
    .toLowerCase();

/** That one may withdraw later stands in nearly every form, and withdraws nothing. */
const revocability =
  /\b(may|can|right to|entitled to|able to|free to|jederzeit|kann|recht)\s+(\S+\s+){0,4}?(withdraw|revoke|widerruf|widersprech)\w*/g;
const negation = "(?:not|never|no|nor|without|neither|nicht|kein\\w*)\\s+(?:\\S+\\s+){0,2}?";
const permitting =
  "(?:authori[sz](?:e|es|ed|ing)|permits?|permitted|allows?|allowed|agrees?|agreed|grants?|granted|consents to|consented to|gives? consent|willigt ein|eingewilligt|stimmt zu|zugestimmt|erlaubt|gestattet)\\b";
const denied =
  /\b(withh[eo]ld\w*|withdr[ae]w\w*|revok\w*|revoc\w*|refus\w*|den(y|ies|ied|ying|ial)|opt(s|ed)?[- ]?out|declin(e|es|ed)|prohibit\w*|forbid\w*|objects? to|objected to|no data|no access|widerr[uo]f\w*|widersp[rr][aio]ch\w*|verweiger\w*|untersag\w*|lehnt\b.*\bab|abgelehnt|nicht einverstanden)\b/;

const negatedPermit = new RegExp(`\\b${negation}${permitting}`, "g");
const permit = new RegExp(`\\b${permitting}`);

/** `div`: the narrative's XHTML; undefined where there is none. English and German words. */
export const narrativeOf = (div: string | undefined): Narrative => {
  const said = plain(div ?? "").replaceAll(revocability, " ");
  const without = said.replaceAll(negatedPermit, " denied ");
  return { permits: permit.test(without), denies: denied.test(without) };
};
