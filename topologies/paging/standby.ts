/** Takes a named person's word that a device stands by, and ends it when its time has come (clinical.md 5). */
import { contentHash } from "../../streams/core/hash.ts";
import type { Alarm, Standby } from "../../schemas/records/alert.ts";
import { isPerson } from "../policy.ts";
import type { Book, Standing } from "./book.ts";
import { raise, withdraw } from "./by-alarm.ts";
import { isMonitoringLost, noteOf, type StandingBy } from "./standing-by.ts";

/** A shift: whoever comes next says it again in his own name. */
const longestMs = 12 * 3_600_000;
const reasonMost = 200;

/** Reasons of refusal: `answer-by-nobody`, `standby-without-reason`, `standby-too-long`, `standby-not-there`. */
export const takeStandby = (book: Book, said: Standby): void => {
  const refusal = refusalOf(book, said);
  if (refusal !== null) {
    book.refuse(refusal, `standby of ${said.device}, by "${said.by}" for ${said.to - said.from} ms: "${said.reason}"`);
    return;
  }
  const known = book.standby(said.device);
  if (known?.act.id === said.id) return; // redelivered
  if (said.to <= book.now) {
    if (known === undefined) book.refuse("standby-not-there", `standby of ${said.device}: there is none to end`);
    else endStandby(book, known);
    return;
  }
  const act = { ...said, by: said.by.trim(), reason: said.reason.trim().slice(0, reasonMost) };
  const begun: StandingBy =
    known === undefined
      ? { act, note: noteName(act), revision: 0, raisedAt: book.now, held: withdrawLost(book, act.device) }
      : { ...known, act, revision: known.revision + 1 };
  book.keepStandby(said.device, begun);
  book.tellRow(noteOf(begun, null));
};

const refusalOf = ({ policy }: Book, { by, reason, from, to }: Standby): string | null => {
  if (by.trim() === "" || !isPerson(policy, by.trim())) return "answer-by-nobody";
  if (reason.trim() === "") return "standby-without-reason";
  return to - from > longestMs ? "standby-too-long" : null;
};

const noteName = ({ unit, device, id }: Standby): string => contentHash("standby", unit, device, id).slice(0, 32);

/** Its monitoring may have been paged as lost already: that leaves its page. */
const withdrawLost = (book: Book, device: string): Alarm | null => {
  const lost = book.pageOfGroup("together/monitoringLost");
  const alarm = lost && book.alarmsOf(lost).find((one) => one.device === device && isMonitoringLost(one));
  if (lost === undefined || alarm === undefined) return null;
  withdraw(book, lost, alarm);
  return alarm;
};

const endStandby = (book: Book, known: StandingBy): void => {
  book.forget("standby", known.act.device);
  book.tellRow(noteOf({ ...known, revision: known.revision + 1 }, book.now));
  if (known.held !== null) raise(book, known.held, known.act.id);
};

/** Ends those whose time is over, before a due step looks at the pages: what is still lost is told in it, with its real onset. */
export const endStandbys = (book: Book, standing: Standing): Standing => {
  if (standing.standbys.length === 0) return standing;
  const acts = standing.standbys.map((device) => book.standby(device)).filter((known) => known !== undefined);
  for (const known of acts) if (known.act.to <= book.now) endStandby(book, known);
  const now = book.beginDue();
  for (const { act } of acts) if (act.to > book.now) book.comeBackAt(act.to);
  return now;
};
