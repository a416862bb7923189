/** The search parameters that the embedded endpoint knows: _id, _lastUpdated, _count, _offset, _sort, identifier, code, status, _tag, subject, patient, encounter. */
import { type Result, ok, refuse } from "../../core/failure.ts";
import { member } from "../json.ts";
import type { Query, Token } from "./endpoint-store.ts";

const codings = (name: string, concept: unknown): Token[] =>
  [member(concept, "coding")].flat().flatMap((coding) => {
    const [system, value] = [member(coding, "system"), member(coding, "code")];
    return typeof value === "string" ? [{ name, system: typeof system === "string" ? system : null, value }] : [];
  });

const reference = (name: string, value: unknown): Token[] => {
  const target = member(value, "reference");
  return typeof target === "string" ? [{ name, system: null, value: target }] : [];
};

/** What a resource can be found by. */
export const tokensOf = (resource: unknown): readonly Token[] => {
  const identifiers = [member(resource, "identifier")].flat().flatMap((i) => {
    const [system, value] = [member(i, "system"), member(i, "value")];
    return typeof value === "string"
      ? [{ name: "identifier", system: typeof system === "string" ? system : null, value }]
      : [];
  });
  const status = member(resource, "status");
  return [
    ...identifiers,
    ...codings("code", member(resource, "code")),
    ...reference("subject", member(resource, "subject")),
    ...reference("encounter", member(resource, "encounter")),
    ...[member(member(resource, "meta"), "tag")].flat().flatMap((tag) => {
      const [system, value] = [member(tag, "system"), member(tag, "code")];
      return typeof value === "string"
        ? [{ name: "_tag", system: typeof system === "string" ? system : null, value }]
        : [];
    }),
    ...(typeof status === "string" ? [{ name: "status", system: null, value: status }] : []),
  ];
};

const typed = (type: string, value: string): string => (value.includes("/") ? value : `${type}/${value}`);

const tokenOf = (name: string, text: string): Token | null => {
  const bar = text.indexOf("|");
  switch (name) {
    case "identifier":
    case "code":
    case "_tag":
      return bar < 0
        ? { name, system: null, value: text }
        : { name, system: text.slice(0, bar), value: text.slice(bar + 1) };
    case "subject":
    case "patient":
      return { name: "subject", system: null, value: typed("Patient", text) };
    case "encounter":
      return { name, system: null, value: typed("Encounter", text) };
    case "_id":
    case "status":
      return { name, system: null, value: text };
    default:
      return null;
  }
};

const prefixes = { gt: ">", ge: ">=", lt: "<", le: "<=", eq: "=" } as const;

const updatedOf = (text: string): Query["updated"][number] | null => {
  const prefix = text.slice(0, 2);
  const compare = Object.hasOwn(prefixes, prefix) ? prefixes[prefix as keyof typeof prefixes] : null;
  const ms = Date.parse(compare === null ? text : text.slice(2));
  return Number.isNaN(ms) ? null : { compare: compare ?? "=", ms };
};

const natural = (text: string | null, otherwise: number): number => {
  const n = text === null ? otherwise : Number(text);
  return Number.isSafeInteger(n) && n >= 0 ? n : otherwise;
};

/** Reason: `unknown-parameter`, with the parameter: an ignored one would find too much. */
export const queryOf = (parameters: URLSearchParams): Result<Query> => {
  const tokens: Token[] = [];
  const updated: Query["updated"][number][] = [];
  for (const [name, value] of parameters) {
    if (["_count", "_offset", "_sort", "_format", "_pretty"].includes(name)) continue;
    const token = tokenOf(name, value);
    const time = name === "_lastUpdated" ? updatedOf(value) : null;
    if (token !== null) tokens.push(token);
    else if (time !== null) updated.push(time);
    else return refuse("unknown-parameter", `search: ${name}=${value} is not understood`);
  }
  return ok({
    tokens,
    updated,
    newestFirst: parameters.get("_sort")?.startsWith("-") ?? false,
    count: Math.min(natural(parameters.get("_count"), 50), 1000),
    offset: natural(parameters.get("_offset"), 0),
  });
};
