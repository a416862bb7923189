/** Asks a server something over HTTP. */

/** Whether the answer came in time, is a 2xx, and its body is as expected. */
export const answers = async (url: string, limitMs: number, expected: (body: string) => boolean): Promise<boolean> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(limitMs) });
    const body = await response.text();
    return response.ok && expected(body);
  } catch {
    return false; // refused, reset or too late: not healthy is the answer, whatever the reason
  }
};
