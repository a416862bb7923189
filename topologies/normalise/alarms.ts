/**
 * A device's own alarms: from the lists that it sends, when one begins, changes or ends (clinical.md 4 to 8). What was told last of each that
 * is there is kept, so that a list that says the same says nothing, and a new one after a gap says it again.
 *
 * A list older than another that was had (a backlog, a retained copy) is *behind*: it ends and changes nothing of what is there now, but what it
 * has alone is told, late as it is, and ends when a later list of the backlog is without it, or when none comes any more.
 */
import type { Problem } from "../../streams/core/failure.ts";
import { contentHash } from "../../streams/core/hash.ts";
import {
  type DeviceTime,
  deviceTime,
  type EventTime,
  eventTime,
  type LogTime,
  receivedTime,
} from "../../streams/core/time.ts";
import type { DeviceAlarm } from "../../schemas/records/alert.ts";
import type { DecodedAlarm, DecodedReading } from "../../schemas/devices/adapter.ts";
import type { Priority } from "../../schemas/priority.ts";
import type { Association } from "../../schemas/records/roster.ts";
import { aheadOfReceived, latestTrueTime } from "../ahead.ts";
import { cleaned, type SaidAlarm } from "./alarm-said.ts";
import { inForceAt, keyOf, timeAmbiguity } from "./holder.ts";
import { clockAmbiguity, type Context, timeOf } from "./measurements.ts";

/** An alarm that the device shows, as it was told last. */
export interface KnownAlarm {
  readonly identity: string;
  /** Under which key it was told. */
  readonly key: string;
  readonly said: SaidAlarm;
  /** When it began, as claimed and corrected. */
  readonly claimed: number | null;
  readonly begun: number;
  /** Told by a list that was behind. */
  readonly behind?: true;
  /** Nothing was told of it in time. */
  readonly late?: true;
}

/** How the device's lists have come. */
export interface AlarmLists {
  /** Log time of the last, and of the last that was behind. */
  readonly at: number;
  readonly behindAt: number | null;
  /** The latest event time of one. */
  readonly front: number;
}

export interface Telling {
  readonly key: string;
  readonly body: DeviceAlarm;
}

export interface AlarmReading {
  readonly decoded: DecodedReading;
  readonly context: Context;
  readonly retained: boolean;
  /** Sent on the platform's own topic. */
  readonly test: boolean;
  readonly logTime: LogTime;
  /** A pause that is longer is a gap. */
  readonly silentAfterMs: number;
}

export interface Alarms {
  readonly known: readonly KnownAlarm[];
  readonly lists: AlarmLists | undefined;
}

/**
 * More at once are not one device's. The graver ones have room that others cannot take: what is high is refused only where as many high ones
 * are known as no device has (clinical.md 4).
 */
const shownMost: Readonly<Record<Priority, number>> = { low: 256, medium: 512, high: 768 };
const gravest: readonly Priority[] = ["high", "medium", "low"];
/** Older than this on arrival is late (clinical.md 7). */
const lateMs = 60_000;
/** A device that says its alarm began this much later than it said before says that there was another one. */
const sameBeginMs = 1_000;

/** What a reading changes, with what is to be told and what was refused: `too-many-alarms`, `alarm-twice` and what {@link cleaned} refuses. */
export const alarmsAfter = (
  before: Alarms,
  reading: AlarmReading,
): Alarms & { readonly told: readonly Telling[]; readonly problems: readonly Problem[] } => {
  const teller = new Teller(before, reading);
  const { alarms } = reading.decoded;
  if (alarms === undefined) return { ...before, told: [], problems: [] };
  const listed = "all" in alarms ? alarms.all.map((alarm) => ({ ...alarm, present: true })) : alarms.changes;
  for (const alarm of listed.length > shownMost.low ? gravestFirst(listed) : listed) teller.take(alarm);
  if ("all" in alarms) teller.endOthers();
  return { known: teller.known, lists: teller.lists, told: teller.told, problems: teller.problems };
};

/** Of a list that is longer than there is room for everything. An alarm without a priority is high. */
export const gravestFirst = <A extends DecodedAlarm>(listed: readonly A[]): readonly A[] =>
  listed.toSorted((a, b) => gravest.indexOf(a.priority ?? "high") - gravest.indexOf(b.priority ?? "high"));

class Teller {
  readonly told: Telling[] = [];
  readonly problems: Problem[] = [];
  readonly #reading: AlarmReading;
  readonly #before: Alarms;
  readonly #known = new Map<string, KnownAlarm>();
  readonly #listed = new Set<string>();
  readonly #saidAt: EventTime;
  readonly #behind: boolean;
  readonly #late: boolean;
  readonly #holder: Association | null;

  constructor(before: Alarms, reading: AlarmReading) {
    const { context, decoded, retained } = reading;
    this.#reading = reading;
    this.#before = before;
    for (const known of before.known) this.#known.set(conditionOf(known.said), known);
    this.#saidAt = notAhead(timeOf(decoded.deviceTime, context), context);
    this.#behind = retained || this.#saidAt < frontOf(before.lists, reading);
    this.#late = context.receivedTime - this.#saidAt > lateMs;
    this.#holder = holderOf(this.#saidAt, context);
  }

  get known(): readonly KnownAlarm[] {
    return [...this.#known.values()];
  }

  /** A retained copy is no sign that the device lives. */
  get lists(): AlarmLists | undefined {
    const { lists } = this.#before;
    const { retained, logTime: at } = this.#reading;
    if (retained) return lists;
    const behindAt = this.#behind ? at : (lists?.behindAt ?? null);
    return {
      at: this.#behind ? (lists?.at ?? at) : at,
      behindAt,
      front: Math.max(frontOf(lists, this.#reading), this.#saidAt),
    };
  }

  take(alarm: DecodedAlarm & { readonly present: boolean }): void {
    const { said, claimed, problems } = cleaned(alarm);
    this.problems.push(...problems);
    const condition = conditionOf(said);
    if (this.#listed.has(condition)) {
      this.problems.push({ reason: "alarm-twice", detail: `alarm ${said.code}: twice in one list` });
      return;
    }
    this.#listed.add(condition);
    const known = this.#known.get(condition);
    if (!alarm.present) this.#endSaid(known, said, claimed);
    else if (known === undefined) this.#begin(said, claimed);
    else if (this.#behind) return;
    else if (isAnother(known, claimed)) {
      this.#end(known, this.#corrected(claimed, this.#saidAt), claimed);
      this.#begin(said, claimed);
    } else this.#goOn(known, said);
  }

  /** What the list is without has ended by then, unless it is only old lists that had it and these still come. */
  endOthers(): void {
    const { silentAfterMs, logTime: at } = this.#reading;
    const backlog = this.#before.lists?.behindAt ?? null;
    const draining = backlog !== null && at - backlog < silentAfterMs;
    for (const [condition, known] of this.#known) {
      if (this.#listed.has(condition)) continue;
      const mayEnd = this.#behind
        ? known.behind === true && known.begun < this.#saidAt
        : known.behind !== true || !draining;
      if (mayEnd) this.#end(known, this.#saidAt, this.#reading.decoded.deviceTime);
    }
  }

  #begin(said: SaidAlarm, claimed: DeviceTime | null, saidAt: EventTime = this.#saidAt): KnownAlarm | undefined {
    if (this.#known.size >= shownMost[said.priority]) {
      this.problems.push({
        reason: "too-many-alarms",
        detail: `alarm ${said.code}: beside ${this.#known.size} others`,
      });
      return undefined;
    }
    const { context, decoded } = this.#reading;
    const when = claimed ?? decoded.deviceTime;
    const parts = when === null ? context.identity : [when];
    const known: KnownAlarm = {
      identity: contentHash("deviceAlarm", context.device, said.channel, said.code, said.direction, ...parts).slice(
        0,
        32,
      ),
      key: keyOf(this.#holder, context.device),
      said,
      claimed: when,
      begun: this.#corrected(claimed, saidAt),
      ...(this.#behind && { behind: true }),
      ...(this.#late && { late: true }),
    };
    this.#keep(known);
    this.#tell(known, "begins", { saidAt });
    return known;
  }

  /** Told again where it is another's now, where a gap lies between, or where it is said in time for the first time. */
  #goOn(known: KnownAlarm, said: SaidAlarm): void {
    const key = keyOf(this.#holder, this.#reading.context.device);
    const { behind: _behind, late, ...rest } = known;
    const next: KnownAlarm = { ...rest, said, key, ...(late && this.#late && { late }) };
    const why = this.#whyAgain(known, said, key);
    if (why === undefined) {
      if (known.behind) this.#keep({ ...next, said: known.said });
      return;
    }
    this.#keep(next);
    this.#tell(next, why);
  }

  #whyAgain(known: KnownAlarm, said: SaidAlarm, key: string): DeviceAlarm["why"] | undefined {
    const { silentAfterMs, logTime: at } = this.#reading;
    if (key !== known.key) return "begins";
    if (known.late && !this.#late) return "current";
    if (at - (this.#before.lists?.at ?? at) >= silentAfterMs) return "afterGap";
    return isChanged(known.said, said) ? "changes" : undefined;
  }

  /** An end of what was never told tells that there was an alarm: then, and over. */
  #endSaid(known: KnownAlarm | undefined, said: SaidAlarm, claimed: DeviceTime | null): void {
    const { deviceTime: when } = this.#reading.decoded;
    if (known === undefined && claimed === null) return;
    if (known !== undefined && this.#behind && known.behind !== true) return;
    const over = known ?? this.#begin(said, claimed, this.#corrected(claimed, this.#saidAt));
    if (over !== undefined) this.#end({ ...over, said }, this.#saidAt, when);
  }

  #end(known: KnownAlarm, at: EventTime, claimed: DeviceTime | null): void {
    this.#known.delete(conditionOf(known.said));
    const said: SaidAlarm = { ...known.said, signal: "inactive" };
    this.#tell({ ...known, said, begun: Math.max(known.begun, at), claimed }, "ends");
  }

  #keep(known: KnownAlarm): void {
    this.#known.set(conditionOf(known.said), known);
  }

  #tell(known: KnownAlarm, why: DeviceAlarm["why"], { saidAt = this.#saidAt } = {}): void {
    const { context, test, decoded } = this.#reading;
    const { key, said } = known;
    const { signal, inactivation, value, ucum, lowLimit, highLimit, ...named } = said;
    const latched = why !== "ends" && signal === "latched";
    const claimed = latched ? decoded.deviceTime : known.claimed;
    const held = key === keyOf(this.#holder, context.device) ? this.#holder : null;
    this.told.push({
      key,
      body: {
        kind: "deviceAlarm",
        identity: known.identity,
        why,
        subject: key === context.device ? null : key,
        association: held?.id ?? null,
        associationRevision: held?.revision ?? null,
        device: context.device,
        ...named,
        present: why !== "ends" && !latched,
        signal,
        inactivation,
        value,
        ucum,
        lowLimit,
        highLimit,
        deviceTime: claimed === null ? null : deviceTime(claimed),
        receivedTime: context.receivedTime,
        eventTime: latched ? this.#saidAt : eventTime(known.begun),
        saidAt,
        test,
      },
    });
  }

  #corrected(claimed: DeviceTime | null, otherwise: EventTime): EventTime {
    const { context } = this.#reading;
    return claimed === null ? otherwise : notAhead(timeOf(claimed, context), context);
  }
}

/** Where it lies ahead, a server's clock was set back: then it says nothing of what is old. */
const frontOf = (lists: AlarmLists | undefined, { context, logTime: at }: AlarmReading): number => {
  const latest = latestTrueTime({ ...context, receivedTime: receivedTime(Math.max(context.receivedTime, at)) });
  return lists === undefined || lists.front > latest ? 0 : lists.front;
};

/** Names a condition of the device. JSON, for what comes from outside may hold any separator. */
const conditionOf = ({ channel, code, direction }: SaidAlarm): string => JSON.stringify([channel, code, direction]);

const isAnother = (known: KnownAlarm, claimed: DeviceTime | null): boolean =>
  claimed !== null && known.claimed !== null && claimed - known.claimed > sameBeginMs;

const isChanged = (a: SaidAlarm, b: SaidAlarm): boolean =>
  a.event !== b.event ||
  a.text !== b.text ||
  a.priority !== b.priority ||
  a.signal !== b.signal ||
  a.inactivation !== b.inactivation;

/** An alarm whose own time cannot be true is true all the same: as of when it was received. */
const notAhead = (at: EventTime, context: Context): EventTime =>
  aheadOfReceived({ ...context, eventTime: at }) === null ? at : eventTime(context.receivedTime);

/**
 * Who is to be looked at: whom the device measured when it said so, and, where that cannot be told (clinical.md 8), whom it measures now,
 * for a page names a bed and pages all the same.
 */
const holderOf = (saidAt: EventTime, context: Context): Association | null => {
  const { associations, receivedTime, clockUncertaintyMs } = context;
  const ambiguous =
    timeAmbiguity(associations, { eventTime: saidAt, receivedTime }, clockUncertaintyMs) ??
    clockAmbiguity(saidAt, context);
  return inForceAt(associations, ambiguous === null ? saidAt : receivedTime);
};
