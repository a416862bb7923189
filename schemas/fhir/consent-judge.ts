/**
 * What a patient's consents say to one question. Deny unless permitted: the newest that says anything wins, of two at once the
 * one that refuses, and a date that is not known never makes a permit newer than a denial (clinical.md 19).
 */
import type { Directive, Provision, Rules, Span } from "./consent-directive.ts";
import { concerns, isReachedByAll } from "./consent-match.ts";
import type { ConsentQuestion } from "./consent-question.ts";
import { isWithin } from "./consent-purposes.ts";
import { utcInstant } from "./instant.ts";

/** `permit`, or why not: stable codes. */
export type Standing =
  | "permit"
  | "consent-denied"
  | "consent-review"
  | "consent-unreadable"
  | "consent-stale"
  | "consent-not-now"
  | "consent-not-at-event"
  | "consent-inactive"
  | "consent-unknown";

export interface Statement {
  readonly standing: Standing;
  /** A sentence without anything that names the patient. */
  readonly detail: string;
}

/** What a part of a consent says; null: nothing to this question. */
type Said = Statement | null;
const say = (standing: Standing, detail: string): Statement => ({ standing, detail });

/** A permit holds for as long as is sure; its end is part of it. */
const surelyHolds = (span: Span | null, time: number): boolean =>
  span === null ||
  ((span.start === null || span.start.beginLatest <= time) && (span.end === null || time < span.end.endEarliest));
/** A denial holds for as long as it may. */
const mayHold = (span: Span | null, time: number): boolean =>
  span === null ||
  ((span.start === null || span.start.beginEarliest <= time) && (span.end === null || time < span.end.endLatest));

/** The best of what permits say: a refusal for its time is more than nothing. */
const rank: readonly Standing[] = ["permit", "consent-not-now", "consent-not-at-event"];
const best = (said: readonly Said[]): Said =>
  rank.map((standing) => said.find((s) => s?.standing === standing)).find((s) => s !== undefined) ?? null;

/** A permit that names neither purpose nor recipient is for everyday care. */
const reaches = (chain: readonly Provision[], { hop }: ConsentQuestion): boolean =>
  chain.some(({ purposes, actors }) => purposes.length > 0 || actors.length > 0) || isReachedByAll(hop);

const inTime = (chain: readonly Provision[], { now, eventTimes }: ConsentQuestion): Statement => {
  if (!chain.every(({ period }) => surelyHolds(period, now)))
    return say("consent-not-now", `is not in force at ${utcInstant(now)}`);
  const uncovered = eventTimes.find((time) => !chain.every(({ dataPeriod }) => surelyHolds(dataPeriod, time)));
  if (uncovered !== undefined) return say("consent-not-at-event", `does not cover data of ${utcInstant(uncovered)}`);
  return eventTimes.length === 0
    ? say("consent-not-at-event", "covers no data without a time")
    : say("permit", "permits");
};

const denialsIn = (rules: readonly Provision[], question: ConsentQuestion): Said => {
  const said = rules.filter(({ type }) => type === "deny").map((rule) => denialOf(rule, question));
  return said.find((s) => s?.standing === "consent-denied") ?? said.find((s) => s !== null) ?? null;
};

/** A permit that ran into its own exception is a refusal, and more than a permit beside it. */
const refusing = (said: readonly Said[]): Said =>
  said.find((s) => s?.standing === "consent-denied") ?? said.find((s) => s?.standing === "consent-review") ?? null;

const permitsIn = (rules: readonly Provision[], question: ConsentQuestion, above: readonly Provision[]): Said => {
  const said = rules.filter(({ type }) => type === "permit").map((rule) => permitOf(rule, question, above));
  return refusing(said) ?? best(said);
};

/** A denial, unless an exception within it permits. One that can't be told to concern something else is put before a person. */
const denialOf = (rule: Provision, question: ConsentQuestion): Said => {
  const found = concerns(rule, question);
  const { now, eventTimes } = question;
  const holds =
    mayHold(rule.period, now) &&
    (rule.dataPeriod === null || eventTimes.length === 0 || eventTimes.some((time) => mayHold(rule.dataPeriod, time)));
  if (found === "no" || !holds) return null;
  if (
    denialsIn(rule.provisions, question) === null &&
    permitsIn(rule.provisions, question, [rule])?.standing === "permit"
  )
    return null;
  return found === "yes"
    ? say("consent-denied", "denies it")
    : say("consent-review", "has a denial of which it can't be told whether it concerns this");
};

/** A permit that holds further permits permits what they do and no more; its denials are its exceptions. */
const permitOf = (rule: Provision, question: ConsentQuestion, above: readonly Provision[]): Said => {
  if (concerns(rule, question) !== "yes") return null;
  const denial = denialsIn(rule.provisions, question);
  if (denial !== null) return denial;
  const chain = [...above, rule];
  if (rule.provisions.some(({ type }) => type === "permit")) return permitsIn(rule.provisions, question, chain);
  return reaches(chain, question) ? inTime(chain, question) : null;
};

const permitsOf = ({ base, root, emergencyOnly }: Rules, question: ConsentQuestion): Said => {
  const purpose = question.hop.purpose ?? "";
  if (emergencyOnly && !isWithin(purpose, "ETREAT")) return null;
  // what narrows the root narrows every permit below it, an opt-out's too
  if (concerns({ ...root, type: "permit" }, question) !== "yes") return null;
  if (base === "permit") return reaches([root], question) ? inTime([root], question) : null;
  return permitsIn(root.provisions, question, [root]);
};

const voided = (said: Said, { active, stale }: Rules): Said => {
  if (said === null || said.standing === "consent-denied" || said.standing === "consent-review") return said;
  if (!active) return say("consent-inactive", "is not active and permits nothing");
  if (stale && said.standing === "permit")
    return say("consent-stale", "is known from a source that was not heard for too long");
  return said;
};

const saidBy = (rules: Rules, question: ConsentQuestion): Said => {
  const denial = denialsIn(rules.root.provisions, question);
  if (denial?.standing === "consent-denied") return denial;
  if (rules.review !== null) return say("consent-review", rules.review);
  if (denial !== null) return denial;
  const permits = voided(permitsOf(rules, question), rules);
  if (permits !== null) return permits;
  const deniesAll = rules.base === "deny" && mayHold(rules.root.period, question.now);
  return deniesAll ? say("consent-denied", "denies all that it does not permit") : null;
};

interface Dated extends Statement {
  readonly at: number;
}

const dated = (directive: Directive, question: ConsentQuestion): Dated | null => {
  const { said, named, madeEarliest, madeLatest } = directive;
  if (said.kind === "silent") return null;
  if (said.kind === "refused") return { standing: said.standing, detail: `${named} ${said.detail}`, at: madeLatest };
  const statement = saidBy(said, question);
  if (statement === null) return null;
  const detail = `${named} ${statement.detail}`;
  switch (statement.standing) {
    case "consent-denied":
    case "consent-review":
      return { ...statement, detail, at: madeLatest };
    case "consent-inactive":
      return { ...statement, detail, at: Number.NEGATIVE_INFINITY };
    default:
      // a permit from the future says nothing yet
      return madeEarliest > question.now ? null : { ...statement, detail, at: madeEarliest };
  }
};

/** Refusals that say nothing against a hop whose law asks only that nobody has denied. */
const noDenial: ReadonlySet<Standing> = new Set(["consent-not-now", "consent-not-at-event", "consent-inactive"]);

/**
 * The answer of a patient's own consents (`isOf`). `blind`: why a denial may be there that is not known here, e.g. a source that is not heard;
 * it matters where no consent is needed unless one denies.
 */
export const judgeConsents = (
  directives: readonly Directive[],
  question: ConsentQuestion,
  blind: string | null = null,
): Statement => {
  const { hop } = question;
  const statements = directives
    .map((directive) => dated(directive, question))
    .filter((s) => s !== null)
    .sort((a, b) => b.at - a.at || Number(a.standing === "permit") - Number(b.standing === "permit"));
  const law = hop.jurisdiction == null ? "" : ` (${hop.jurisdiction})`;
  if (hop.legalBasis !== "unlessDenied" || hop.jurisdiction == null) {
    const [newest] = statements;
    if (newest === undefined) return say("consent-unknown", `no consent is known for ${hop.name}${law}`);
    return say(newest.standing, `${newest.detail}: ${hop.name}${law}`);
  }
  const speaking = statements.find(({ standing }) => !noDenial.has(standing));
  if (speaking !== undefined) return say(speaking.standing, `${speaking.detail}: ${hop.name}${law}`);
  return blind === null
    ? say("permit", `nobody has denied ${hop.name}, which needs no more by its law${law}`)
    : say("consent-stale", `whether anybody has denied ${hop.name} is not known: ${blind}${law}`);
};
