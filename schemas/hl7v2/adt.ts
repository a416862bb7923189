/**
 * ADT messages (HL7 v2.6 chapter 3) as a registry needs them: who, which visit, where, when it occurred. Unknown segments, fields and components
 * are left unread; what is missing, contradicts itself or is another event is refused with a code of table 0008 and a stable reason. No refusal
 * repeats a field's content.
 */
import type { Problem, Result } from "../../streams/core/failure.ts";
import { dateIn, parseDateTime, type ReadLocalTime } from "./adt-time.ts";
import {
  type CodedIdentifier,
  componentOf,
  fieldOf,
  headerOf,
  identifiersOf,
  type Segment,
  segmentsOf,
} from "./adt-segments.ts";

/** The trigger events that are understood (table 0003). */
const adtEvents = [
  ...["A01", "A02", "A03", "A04", "A06", "A07", "A08"],
  ...["A11", "A12", "A13", "A17", "A40", "A42", "A45"],
] as const;
export type AdtEventType = (typeof adtEvents)[number];

export interface AdtVisit {
  /** PV1-19; null: none is named. */
  readonly number: string | null;
  /** PV1-2, table 0004: I, O, E. */
  readonly class: string | null;
  /** PV1-3: point of care, room and bed, joined by `^`; null: none. */
  readonly location: string | null;
}

export interface AdtPerson {
  readonly identifiers: readonly CodedIdentifier[];
  readonly familyName: string | null;
  readonly givenName: string | null;
  /** ISO date. */
  readonly birthDate: string | null;
  readonly visit: AdtVisit;
  /** MRG: what is merged into the above, or moved to it. */
  readonly prior: { readonly identifiers: readonly CodedIdentifier[]; readonly visit: string | null } | null;
}

export interface AdtMessage {
  readonly event: AdtEventType;
  /** MSH-3 and MSH-4, for what sends the same control id again. */
  readonly sender: string;
  readonly controlId: string;
  /** EVN-6; of a cancel: of what it cancels. Where that is empty EVN-2, and then `occurredGiven` is false. */
  readonly occurredMs: number;
  readonly occurredGiven: boolean;
  /** EVN-2. */
  readonly recordedMs: number;
  /** Two for a swap; one or more for a merge; else one. */
  readonly persons: readonly AdtPerson[];
}

export interface AdtRefusal extends Problem {
  /** AR: not a message that is taken here. AE: what it says can't be used. */
  readonly code: "AE" | "AR";
}

export type AdtReading =
  | { readonly ok: true; readonly value: AdtMessage }
  | { readonly ok: false; readonly refusal: AdtRefusal };

export interface AdtOptions {
  readonly localTime: ReadLocalTime;
  /** MSH-11 of what counts (table 0103): "P" in production. */
  readonly processingId: string;
}

const refused = (code: "AE" | "AR", reason: string, detail: string): AdtReading => ({
  ok: false,
  refusal: { code, reason, detail },
});
const rejections = new Set(["not-hl7", "separators-unusual", "charset-unknown"]);

/**
 * Reasons, AR: `not-hl7`, `separators-unusual`, `charset-unknown`, `message-type-unknown`, `event-unknown`, `version-unknown`, `processing-id`.
 * AE: `encoding-wrong`, `no-control-id`, `segment-missing`, `event-contradicts`, `bad-time`, `time-ambiguous`, `no-event-time`, `no-identifier`,
 * `no-location`, `no-visit`, `swap-not-two`.
 */
export const readAdt = (bytes: Uint8Array, options: AdtOptions): AdtReading => {
  const segments = segmentsOf(bytes);
  if (!segments.ok) {
    const { reason, detail } = segments.problem;
    return refused(rejections.has(reason) ? "AR" : "AE", reason, detail);
  }
  const event = eventOf(segments.value, options);
  return typeof event === "string" ? content(event, segments.value, options) : event;
};

const eventOf = (segments: readonly Segment[], { processingId }: AdtOptions): AdtEventType | AdtReading => {
  const header = segments[0];
  const type = fieldOf(header, 9);
  if (componentOf(type, 1) !== "ADT") return refused("AR", "message-type-unknown", "MSH-9.1 is not ADT");
  const event = adtEvents.find((one) => one === componentOf(type, 2));
  if (event === undefined) return refused("AR", "event-unknown", `MSH-9.2 is none of ${adtEvents.join(", ")}`);
  if (!/^2\.[2-9](\.\d)?$/.test(componentOf(fieldOf(header, 12), 1)))
    return refused("AR", "version-unknown", "MSH-12 is no version 2.2 to 2.9");
  if (componentOf(fieldOf(header, 11), 1) !== processingId)
    return refused("AR", "processing-id", `MSH-11 is not ${processingId}`);
  if (componentOf(fieldOf(header, 10), 1) === "") return refused("AE", "no-control-id", "MSH-10 is empty");
  return event;
};

const content = (event: AdtEventType, segments: readonly Segment[], { localTime }: AdtOptions): AdtReading => {
  const evn = segments.find(({ name }) => name === "EVN");
  if (evn === undefined) return refused("AE", "segment-missing", "there is no EVN");
  const stated = componentOf(fieldOf(evn, 1), 1);
  if (stated !== "" && stated !== event)
    return refused("AE", "event-contradicts", "EVN-1 is another event than MSH-9.2");
  const times = timesOf(evn, localTime);
  if (!times.ok) return refused("AE", times.problem.reason, times.problem.detail);
  const persons = personsOf(segments);
  const problem = personsProblem(event, persons);
  if (problem !== null) return refused("AE", problem.reason, problem.detail);
  const header = segments[0];
  return {
    ok: true,
    value: {
      event,
      sender: [3, 4].map((n) => componentOf(fieldOf(header, n), 1)).join("|"),
      controlId: componentOf(fieldOf(header, 10), 1),
      ...times.value,
      persons,
    },
  };
};

type Times = Pick<AdtMessage, "occurredMs" | "occurredGiven" | "recordedMs">;

const timesOf = (evn: Segment, localTime: ReadLocalTime): Result<Times> => {
  const [recordedText, occurredText] = [componentOf(fieldOf(evn, 2), 1), componentOf(fieldOf(evn, 6), 1)];
  if (recordedText === "" && occurredText === "")
    return { ok: false, problem: { reason: "no-event-time", detail: "neither EVN-6 nor EVN-2 says when" } };
  const occurred = parseDateTime(occurredText || recordedText, occurredText === "" ? "EVN-2" : "EVN-6", localTime);
  if (!occurred.ok) return occurred;
  const recorded = parseDateTime(recordedText || occurredText, recordedText === "" ? "EVN-6" : "EVN-2", localTime);
  if (!recorded.ok) return recorded;
  return {
    ok: true,
    value: { occurredMs: occurred.value, occurredGiven: occurredText !== "", recordedMs: recorded.value },
  };
};

interface Group {
  readonly pid: Segment;
  readonly pv1?: Segment;
  readonly mrg?: Segment;
}

/** PID with what follows it, up to the next; a second MRG (A45) is about the same person. */
const groupsOf = (segments: readonly Segment[]): readonly Group[] => {
  const groups: Group[] = [];
  for (const segment of segments) {
    const last = groups.at(-1);
    if (segment.name === "PID") groups.push({ pid: segment });
    else if (last === undefined) continue;
    else if (segment.name === "MRG" && last.mrg !== undefined) groups.push({ pid: last.pid, mrg: segment });
    else if (segment.name === "MRG") groups[groups.length - 1] = { ...last, mrg: segment };
    else if (segment.name === "PV1" && last.pv1 === undefined) groups[groups.length - 1] = { ...last, pv1: segment };
  }
  return groups;
};

const textOf = (field: string, component: number): string | null => componentOf(field, component) || null;

const locationOf = (field: string): string | null => {
  const parts = [1, 2, 3].map((n) => componentOf(field, n));
  return parts.some((part) => part !== "") ? parts.join("^").replace(/\^+$/, "") : null;
};

const personsOf = (segments: readonly Segment[]): readonly AdtPerson[] =>
  groupsOf(segments).map(({ pid, pv1, mrg }) => ({
    identifiers: identifiersOf(fieldOf(pid, 3)),
    familyName: textOf(fieldOf(pid, 5), 1),
    givenName: textOf(fieldOf(pid, 5), 2),
    birthDate: dateIn(componentOf(fieldOf(pid, 7), 1)),
    visit: {
      number: textOf(fieldOf(pv1, 19), 1),
      class: textOf(fieldOf(pv1, 2), 1),
      location: locationOf(fieldOf(pv1, 3)),
    },
    prior:
      mrg === undefined ? null : { identifiers: identifiersOf(fieldOf(mrg, 1)), visit: textOf(fieldOf(mrg, 5), 1) },
  }));

const wantsLocation: readonly AdtEventType[] = ["A01", "A02", "A17"];
const wantsPrior: readonly AdtEventType[] = ["A40", "A42", "A45"];

const personsProblem = (event: AdtEventType, persons: readonly AdtPerson[]): Problem | null => {
  const found = (reason: string, detail: string): Problem => ({ reason, detail });
  if (persons.length === 0) return found("segment-missing", "there is no PID");
  if (persons.some(({ identifiers }) => identifiers.length === 0)) return found("no-identifier", "PID-3 is empty");
  if (wantsLocation.includes(event) && persons.some(({ visit }) => visit.location === null))
    return found("no-location", "PV1-3 is empty, or there is no PV1");
  if (event === "A17" && persons.length !== 2) return found("swap-not-two", "a swap is of two patients");
  if (!wantsPrior.includes(event)) return null;
  if (persons.some(({ prior }) => prior === null)) return found("segment-missing", "there is no MRG");
  if (event !== "A42" && persons.some(({ prior }) => prior?.identifiers.length === 0))
    return found("no-identifier", "MRG-1 is empty");
  if (event !== "A40" && persons.some(({ prior, visit }) => prior?.visit == null || visit.number === null))
    return found("no-visit", "MRG-5 or PV1-19 is empty");
  return null;
};

/** The control id of whatever could be read of a header, and who sent it. */
export const senderOf = (bytes: Uint8Array): { readonly controlId: string; readonly sender: string } => {
  const header = headerOf(bytes);
  return {
    controlId: componentOf(fieldOf(header, 10), 1),
    sender: [3, 4].map((n) => componentOf(fieldOf(header, n), 1)).join("|"),
  };
};
