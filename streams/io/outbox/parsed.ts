/** An intent's resources as JSON, parsed once however many look at them: consent, what stands there, the transaction, what is said back. */
import type { Intent } from "../../../schemas/records/clinical.ts";
import { parsedJson } from "../json.ts";

export interface ParsedIntent {
  /** Undefined where it is no JSON: judged by whoever asked for it. */
  readonly resource: unknown;
  readonly beside: readonly unknown[];
}

/** By the intent as it was decoded, which nobody writes into; forgotten with it. */
const parsed = new WeakMap<Intent, ParsedIntent>();

export const parsedIntent = (intent: Intent): ParsedIntent => {
  const known = parsed.get(intent);
  if (known !== undefined) return known;
  const read = { resource: parsedJson(intent.resource), beside: intent.beside.map(parsedJson) };
  parsed.set(intent, read);
  return read;
};
