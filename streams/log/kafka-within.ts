/** How long what is asked of Kafka may take: kafkajs waits for some answers for ever. */

/** A connection that is closed waits for no answer longer than so. */
const endMsMax = 6_000;

/** Rejects when it takes longer; what it waited for goes on and its outcome no longer matters. */
export const within = async <T>(ms: number, what: string, promise: Promise<T>): Promise<T> => {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => reject(new Error(`${what}: no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timeout);
  }
};

/**
 * Of a disconnect: kafkajs lets it wait for the answer to every request that was sent, and one that was sent on a socket that was gone by
 * then is never answered. Whoever closes goes on; nobody uses what was closed.
 */
export const ended = async (disconnecting: Promise<unknown> | undefined): Promise<void> => {
  await within(endMsMax, "disconnecting", disconnecting ?? Promise.resolve()).catch(() => undefined);
};
