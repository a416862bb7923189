/**
 * HL7 v2's own encoding (HL7 v2.6 chapter 2): segments of fields, components, repetitions, with the customary separators `|^~\&`. What a value
 * holds of a separator is escaped and control characters left out, so that no text can end a field, a segment or an MLLP frame.
 */
import { utcInstant } from "../fhir/instant.ts";

const escapes: Readonly<Record<string, string>> = { "|": "F", "^": "S", "&": "T", "~": "R", "\\": "E" };

/**
 * A value as a field's, component's or subcomponent's text (2.7.1). Control characters, which nobody can read and which would end a segment or
 * a frame, become a space: their own sequence, `\X0D\`, is shown as it stands by common parsers.
 */
export const escaped = (text: string): string =>
  text.replace(/\p{Cc}+/gu, " ").replace(/[|^&~\\]/g, (one) => `\\${escapes[one]}\\`);

const letters = new Map(Object.entries(escapes).map(([one, letter]) => [letter, one]));

/** What others escaped; sequences that mean formatting are left as they stand. */
export const unescaped = (text: string): string =>
  text.replace(
    /\\(?:([FSTRE])|X((?:[0-9A-Fa-f]{2})+))\\/g,
    (_all, letter: string | undefined, hex: string | undefined) =>
      letter === undefined
        ? (hex ?? "").replace(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16)))
        : (letters.get(letter) ?? ""),
  );

/** A field's text by its components, trailing empty ones left out. */
export const components = (...parts: readonly string[]): string => joined(parts.map(escaped), "^");
/** A component's text by its subcomponents: goes where {@link rawComponents} takes it. */
export const subcomponents = (...parts: readonly string[]): string => joined(parts.map(escaped), "&");
/** Of texts that are encoded already. */
export const rawComponents = (...parts: readonly string[]): string => joined(parts, "^");
export const repetitions = (...parts: readonly string[]): string => parts.map(escaped).join("~");

/** A segment by its name and its encoded fields, by their number; for MSH, where the first separator is field 1, from 2 on. */
export const segment = (name: string, fields: Readonly<Record<number, string>>): string => {
  const first = name === "MSH" ? 2 : 1;
  const last = Math.max(first, ...Object.keys(fields).map(Number));
  const inOrder = Array.from({ length: last - first + 1 }, (_, n) => fields[n + first] ?? "");
  return joined([name, ...inOrder], "|");
};

const joined = (parts: readonly string[], separator: string): string => {
  const last = parts.findLastIndex((part) => part !== "");
  return parts.slice(0, last + 1).join(separator);
};

/** Type DTM with a zone, e.g. `20261121044610.000+0000`; `ms` since 1970. */
export const dateTime = (ms: number): string => `${utcInstant(ms).replace(/[-:TZ]/g, "")}+0000`;
