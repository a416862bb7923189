/** Reads an answer's body as text, and no more of it than a peer that never stops may make us keep. */

/** Rejects with a RangeError where it is longer; a peer that drips is the business of the request's own signal. */
export const boundedText = async (response: Response, bytesMost: number): Promise<string> => {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.byteLength;
    if (bytes > bytesMost) throw new RangeError(`an answer of more than ${bytesMost} bytes`);
    parts.push(decoder.decode(part, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join("");
};
