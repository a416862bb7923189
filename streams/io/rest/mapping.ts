/**
 * A declarative mapping (JSONata 2) from an intent to a request of somebody's own REST interface. It computes; it has no network and no file,
 * and one that does not end, digs too deep or grows without bound is stopped.
 */
import jsonata from "jsonata";
import { z } from "zod";
import type { Intent } from "../../../schemas/records/clinical.ts";
import { ok, refuse, type Result } from "../../core/failure.ts";

const requestShape = z.strictObject({
  method: z.enum(["POST", "PUT", "PATCH", "DELETE"]),
  /** Below the destination's base, with a slash at its beginning. */
  path: z.string().regex(/^\/[^\s\\#]*$/, "begins with a slash and holds no space, backslash or #"),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[^\r\n]*$/)).optional(),
  /** A text is sent as it is, anything else as JSON. */
  body: z.unknown().optional(),
});
export type MappedRequest = z.infer<typeof requestShape>;

/** What a mapping sees: the intent's FHIR resource as JSON and what is known beside it. */
export type MappingInput = Pick<Intent, "patient" | "action" | "identity" | "revision" | "resourceId"> & {
  readonly resource: unknown;
};

export const mappingInputOf = (intent: Intent): MappingInput => {
  const { patient, action, identity, revision, resourceId, resource } = intent;
  return { resource: JSON.parse(resource) as unknown, patient, action, identity, revision, resourceId };
};

export interface Mapping {
  /**
   * The request, or null where the mapping gives nothing (for a retraction: it knows none). Refuses `mapping-failed` (an error of the
   * expression, or it was stopped) and `mapping-shape` (what it gives is no request).
   */
  request(input: MappingInput): Promise<Result<MappedRequest | null>>;
}

/** A mapping of a screenful takes a few milliseconds, ten levels and lists of a few dozen. */
const limits = { timeout: 1_000, stack: 500, sequence: 10_000 };

/** Refuses `mapping-invalid` with the place where it can't be read. */
export const readMapping = (text: string): Result<Mapping> => {
  try {
    const expression = jsonata(text, limits);
    return ok({ request: async (input) => request(expression, input) });
  } catch (error) {
    return refuse("mapping-invalid", `at ${String((error as { position?: number }).position)}: ${messageOf(error)}`);
  }
};

const request = async (expression: jsonata.Expression, input: MappingInput): Promise<Result<MappedRequest | null>> => {
  let result: unknown;
  try {
    result = await expression.evaluate(input);
  } catch (error) {
    return refuse("mapping-failed", messageOf(error));
  }
  if (result === undefined || result === null) return ok(null);
  // JSONata's sequences are arrays that carry more than their elements
  const parsed = requestShape.safeParse(JSON.parse(JSON.stringify(result)));
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  return refuse("mapping-shape", `${issue?.path.join(".") || "(all)"}: ${issue?.message ?? "is no request"}`);
};

const messageOf = (error: unknown): string => {
  const message = (error as { message?: unknown }).message;
  return typeof message === "string" ? message : String(error);
};
