/**
 * Takes a received message apart by HL7 v2's encoding rules (HL7 v2.6, 2.5 to 2.7): its character set by MSH-18, its segments and fields. Only the
 * customary separators `|^~\&` are read. Nothing of a field's content is ever put into a refusal: it may be somebody's name.
 */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { unescaped } from "./encoding.ts";

/** A segment; fields by their number in the standard (MSH-1 is the separator itself), as text that is still encoded. */
export interface Segment {
  readonly name: string;
  readonly fields: readonly string[];
}

/** A CX: an identifier and who assigned it (HL7 v2.6, 2.A.14). */
export interface CodedIdentifier {
  readonly value: string;
  /** CX.4: namespace, and universal id where there is one. */
  readonly namespace: string;
  readonly universalId: string;
  /** CX.5, table 0203: MR, PI, VN. */
  readonly type: string;
}

/** HL7 v2's explicit "nothing": it deletes what was known. */
const nothing = '""';

/** HL7 table 0211, the character sets that are read; empty means ASCII. */
const decoders: Readonly<Record<string, (bytes: Uint8Array) => string | undefined>> = {
  "": (bytes) => (bytes.every((byte) => byte < 0x80) ? latin1(bytes) : undefined),
  ASCII: (bytes) => (bytes.every((byte) => byte < 0x80) ? latin1(bytes) : undefined),
  "8859/1": (bytes) => latin1(bytes),
  "UNICODE UTF-8": (bytes) => utf8(bytes),
};

/** One character for each byte: TextDecoder's "latin1" is windows-1252. */
export const latin1 = (bytes: Uint8Array): string => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
};

const utf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined; // said as `encoding-wrong` by the caller
  }
};

const split = (text: string): readonly Segment[] =>
  text
    .split(/[\r\n]+/)
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", ...fields] = line.split("|");
      return { name, fields: name === "MSH" ? [name, "|", ...fields] : [name, ...fields] };
    });

/** A field's encoded text; empty where it is absent or says "nothing". */
export const fieldOf = (segment: Segment | undefined, n: number): string => {
  const text = segment?.fields[n] ?? "";
  return text === nothing ? "" : text;
};

/** A component (from 1) of a field's first repetition, of which the first subcomponent, as plain text. */
export const componentOf = (field: string, n: number): string => {
  const part = (field.split("~")[0] ?? "").split("^")[n - 1] ?? "";
  const plain = unescaped(part.split("&")[0] ?? "").trim();
  return plain === nothing ? "" : plain;
};

/** The identifiers of a field, those without a value left out. */
export const identifiersOf = (field: string): readonly CodedIdentifier[] =>
  field.split("~").flatMap((repetition) => {
    const value = componentOf(repetition, 1);
    if (value === "") return [];
    const authority = (repetition.split("^")[3] ?? "").split("&");
    const [namespace, universalId] = [authority[0] ?? "", authority[1] ?? ""].map((text) => unescaped(text).trim());
    return [{ value, namespace: namespace ?? "", universalId: universalId ?? "", type: componentOf(repetition, 5) }];
  });

/** What can be read of a header before the rest is understood: for whom an answer is. */
export const headerOf = (bytes: Uint8Array): Segment | undefined => {
  const first = split(latin1(bytes.subarray(0, 4096)))[0];
  return first?.name === "MSH" ? first : undefined;
};

/** Reasons: `not-hl7`, `separators-unusual`, `charset-unknown`, `encoding-wrong`. */
export const segmentsOf = (bytes: Uint8Array): Result<readonly Segment[]> => {
  const header = headerOf(bytes);
  if (header === undefined) return refuse("not-hl7", "the message does not begin with MSH");
  const separators = header.fields[2] ?? "";
  if (!separators.startsWith("^~\\&")) return refuse("separators-unusual", "MSH-2 is not ^~\\&");
  const charset = componentOf(fieldOf(header, 18), 1);
  const decode = Object.hasOwn(decoders, charset) ? decoders[charset] : undefined;
  if (decode === undefined)
    return refuse("charset-unknown", "MSH-18 is none of ASCII, 8859/1 and UNICODE UTF-8 (table 0211)");
  const text = decode(bytes);
  if (text === undefined)
    return refuse(
      "encoding-wrong",
      `bytes that are not ${charset === "" ? "ASCII, which an empty MSH-18 means" : charset}`,
    );
  return ok(split(text));
};
