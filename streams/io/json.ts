/** Looks into JSON that others wrote, whose shape nobody promises. */

export const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/** Undefined where the text is no JSON: judged by whoever asked for it. */
export const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
