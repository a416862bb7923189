/** Whether an MLLP receiver takes connections: all that can be known of one without sending it something. */
import { connected, type MllpOptions } from "./sender.ts";

/** Opens a connection, TLS included, and ends it. Never rejects. */
export const isReachable = async (options: MllpOptions, signal: AbortSignal): Promise<boolean> => {
  try {
    (await connected(options, signal)).destroy();
    return true;
  } catch {
    return false; // why, says the next send
  }
};
