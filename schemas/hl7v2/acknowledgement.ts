/** What comes back for a message: MSH and MSA (HL7 v2.6, 2.9). CA and AA say that a system has it, never that a person does. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { unescaped } from "./encoding.ts";

/** HL7 table 0008: application and (C) commit accept, error, reject. */
export const acknowledgementCodes = ["AA", "AE", "AR", "CA", "CE", "CR"] as const;
export type AcknowledgementCode = (typeof acknowledgementCodes)[number];

export interface Acknowledgement {
  readonly code: AcknowledgementCode;
  /** MSA-2: the control id of what it answers. */
  readonly controlId: string;
  /** MSA-3 and what ERR-7 and ERR-8 say; may be empty. */
  readonly text: string;
}

const isCode = (text: string): text is AcknowledgementCode =>
  (acknowledgementCodes as readonly string[]).includes(text);

/** Reasons: `not-hl7`, `no-msa`, `acknowledgement-unknown`. */
export const readAcknowledgement = (message: string): Result<Acknowledgement> => {
  const segments = message.split(/[\r\n]+/).filter((line) => line !== "");
  const separator = segments[0]?.startsWith("MSH") ? segments[0].charAt(3) : "";
  if (separator === "") return refuse("not-hl7", "the answer does not begin with MSH");
  const msa = segments.map((line) => line.split(separator)).find(([name]) => name === "MSA");
  if (msa === undefined) return refuse("no-msa", "the answer has no MSA segment");
  const [, code = "", controlId = "", text = ""] = msa;
  if (!isCode(code)) return refuse("acknowledgement-unknown", `MSA-1 is ${JSON.stringify(code.slice(0, 20))}`);
  const errors = segments.map((line) => line.split(separator)).filter(([name]) => name === "ERR");
  const said = [text, ...errors.flatMap((err) => [err[7] ?? "", err[8] ?? ""])].filter((one) => one !== "");
  return ok({ code, controlId: unescaped(controlId), text: unescaped(said.join("; ")).slice(0, 300) });
};
