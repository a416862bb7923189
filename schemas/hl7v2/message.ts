/** The frame of what we send in HL7 v2.6: the parties, the message header (MSH), the whole as text. */
import { applicationOf, type Authority } from "./assigned.ts";
import { components, dateTime, escaped, segment } from "./encoding.ts";

export interface Parties {
  readonly sender: Authority;
  readonly sendingFacility?: string | undefined;
  /** Whom the message is for, as MSH-5 and MSH-6 name it. */
  readonly receiver: string;
  readonly receivingFacility?: string | undefined;
}

export interface Message {
  /** Segments, each ended by CR, without an MLLP frame. */
  readonly text: string;
  /** MSH-10: the same whenever the same thing is sent to the same receiver, until a person has it sent again. */
  readonly controlId: string;
}

export interface Heading {
  /** Ms since 1970. */
  readonly at: number;
  /** Of an ORU: R01, R40. */
  readonly trigger: string;
  readonly controlId: string;
  /** Table 0103: production, or training of the path. */
  readonly processing: "P" | "T";
  /** Table 0155: whether the interface (MSH-15) and the application (MSH-16) are to acknowledge. */
  readonly accept: "AL" | "NE";
  readonly application: "AL" | "NE";
  /** MSH-21. */
  readonly profile: string;
}

export const headerOf = (parties: Parties, heading: Heading): string =>
  segment("MSH", {
    2: "^~\\&",
    3: applicationOf(parties.sender),
    4: escaped(parties.sendingFacility ?? ""),
    5: escaped(parties.receiver),
    6: escaped(parties.receivingFacility ?? ""),
    7: dateTime(heading.at),
    9: components("ORU", heading.trigger, `ORU_${heading.trigger}`),
    10: heading.controlId,
    11: heading.processing,
    12: "2.6",
    15: heading.accept,
    16: heading.application,
    18: "UNICODE UTF-8",
    21: heading.profile,
  });

export const messageOf = (controlId: string, segments: readonly string[]): Message => ({
  text: segments.map((one) => `${one}\r`).join(""),
  controlId,
});
