/** What is said back for a message (HL7 v2.6, 2.9 and 2.15): MSH, MSA and, where it is refused, ERR with a code of table 0357. */
import { contentHash } from "../../streams/core/hash.ts";
import type { AcknowledgementCode } from "./acknowledgement.ts";
import { components, dateTime, escaped, segment } from "./encoding.ts";
import { componentOf, fieldOf, headerOf } from "./adt-segments.ts";

export interface Answering {
  readonly code: AcknowledgementCode;
  /** Null for AA. */
  readonly problem: { readonly reason: string; readonly detail: string } | null;
  readonly atMs: number;
}

/** Table 0357 where it has a code; 207 is "application internal error", its word for everything else. */
const errorCodes: Readonly<Record<string, string>> = {
  "segment-missing": "100",
  "no-control-id": "101",
  "no-event-time": "101",
  "no-identifier": "101",
  "no-location": "101",
  "no-visit": "101",
  "bad-time": "102",
  "encoding-wrong": "102",
  "message-type-unknown": "200",
  "event-unknown": "201",
  "processing-id": "202",
  "version-unknown": "203",
  "identifier-unknown": "204",
};

/** The acknowledgement of what came, whatever could be read of it; each segment ended by CR. */
export const answerTo = (bytes: Uint8Array, { code, problem, atMs }: Answering): string => {
  const header = headerOf(bytes);
  const [application, facility, controlId] = [3, 4, 10].map((n) => componentOf(fieldOf(header, n), 1));
  const event = componentOf(fieldOf(header, 9), 2);
  const processing = componentOf(fieldOf(header, 11), 1) || "P";
  const version = componentOf(fieldOf(header, 12), 1) || "2.6";
  const lines = [
    segment("MSH", {
      2: "^~\\&",
      3: "AFFERENT",
      5: escaped(application ?? ""),
      6: escaped(facility ?? ""),
      7: dateTime(atMs),
      9: components("ACK", event, "ACK"),
      10: contentHash("ack", application ?? "", controlId ?? "", code, atMs).slice(0, 20),
      11: escaped(processing),
      12: escaped(version),
    }),
    segment("MSA", { 1: code, 2: escaped(controlId ?? ""), 3: escaped(problem?.reason ?? "") }),
    ...(problem === null
      ? []
      : [
          segment("ERR", {
            3: components(errorCodes[problem.reason] ?? "207", "", "HL70357"),
            4: "E",
            5: components(problem.reason, "", "99AFFERENT"),
            8: escaped(problem.detail),
          }),
        ]),
  ];
  return lines.map((line) => `${line}\r`).join("");
};
