/** Alarms of our own approved rules, from the episodes that `thresholds` makes. A shadow rule makes none (clinical.md 15). */
import { receivedTime } from "../../streams/core/time.ts";
import type { StillCrossing } from "../../schemas/records/alert.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { type Condition, end, raise, raiseAgain, type Word } from "./condition.ts";
import { asTold, change, confirm, unseen } from "./course.ts";
import { type Desk, lateUnknownMs, nameOf } from "./desk.ts";
import { factsOfEpisode } from "./facts.ts";
import { sounding } from "./signal.ts";

/** What was stored and came after later readings is a condition beside the one of now, which it neither opens nor ends. */
const nameOfRule = ({ device, channel, metric, rule, late }: Episode): string =>
  nameOf("rule", device, channel, metric, rule.id, ...(late ? ["stored"] : []));

/** A start or an end; the same one again changes nothing. */
export const takeEpisode = (desk: Desk, episode: Episode): void => {
  if (episode.rule.approval === null) return;
  const name = nameOfRule(episode);
  const before = desk.condition(name);
  if (episode.phase === "start") start(desk, name, before, episode);
  if (episode.phase === "end") finish(desk, name, before, episode);
};

/** How late it is, is told by the sample that completed it: a glucose rule may ask for a quarter of an hour below its limit. */
const start = (desk: Desk, name: string, before: Condition | undefined, episode: Episode): void => {
  const word: Word = {
    facts: factsOfEpisode(episode, desk.context(episode.device)),
    signal: sounding,
    at: episode.qualifyingAt,
    late: episode.late || desk.isLate(episode.device, episode.qualifyingAt),
    lateUntil: null, // thresholds says when it is current, or how it ended
    past: episode.late,
  };
  if (before?.origin === episode.identity) underNewVersion(desk, name, before, word);
  else if (before?.open == null) desk.take(name, raise(before, name, word));
  else desk.take(name, raiseAgain(before, name, word, "another crossing began"));
};

/** The same crossing by a new version of its rule: a rise in its priority is news, and nothing else is (clinical.md 13). */
const underNewVersion = (desk: Desk, name: string, before: Condition, { facts }: Word): void => {
  const { open, saidAt, signal } = before;
  if (open === null || open.ruleVersion === facts.ruleVersion) return;
  const { value, receivedTime: received } = open;
  const word = { facts: { ...facts, value, receivedTime: received }, signal, at: saidAt, late: false, lateUntil: null };
  desk.take(name, change(before, word));
};

const finish = (desk: Desk, name: string, before: Condition | undefined, episode: Episode): void => {
  if (before?.open == null || before.origin !== episode.identity) {
    if (before?.origin !== episode.identity)
      desk.refuse("alarm-not-open", `episode ${episode.identity}: ends an alarm that is not open`);
    return;
  }
  const why = episode.ended === "cleared" ? null : episode.ended;
  const at = episode.end ?? episode.qualifyingAt;
  desk.take(name, end(before, { at, receivedTime: receivedTime(desk.now), now: desk.now, why }));
};

/**
 * An open episode is still true: one that came late pages now, one that was told before a gap is raised again. A sample that is late itself
 * says nothing of now: the first that is not does (`current`), or a while without its end.
 */
export const takeStillCrossing = (desk: Desk, still: StillCrossing): void => {
  const found = desk.conditions(still.device).find(([, { origin }]) => origin === still.episode);
  if (found === undefined) return; // a shadow rule's
  const [name, before] = found;
  if (before.open === null || still.at === before.saidAt) return;
  const told = asTold(before.open, before);
  const facts = { ...told.facts, value: still.value, receivedTime: still.receivedTime };
  const word: Word = { ...told, facts, at: still.at };
  if (desk.isLate(still.device, still.at)) desk.take(name, unseen(before, desk.now + lateUnknownMs));
  else if (before.open.timeliness === "late") desk.take(name, confirm(before, word, null));
  else if (still.why === "afterGap" || before.unseen)
    desk.take(name, raiseAgain(before, name, word, "raised again after a gap"));
};
