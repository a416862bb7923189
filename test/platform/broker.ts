/** What mosquitto says of itself under $SYS, every five seconds (deploy/servers/mosquitto), and what it must forget after a test. */
import { connectAsync } from "mqtt";

export interface BrokerWatch {
  /** Messages that it holds for sessions: not yet sent, or sent and not acknowledged. Undefined before its first report. */
  readonly held: () => number | undefined;
  /** Messages that it threw away for want of room. */
  readonly dropped: () => number | undefined;
  close(): Promise<void>;
}

const heldTopic = "$SYS/broker/store/messages/count";
const droppedTopic = "$SYS/broker/publish/messages/dropped";

export const watchBroker = async (url: string): Promise<BrokerWatch> => {
  const client = await connectAsync(url);
  const latest = new Map<string, number>();
  client.on("message", (topic, payload) => void latest.set(topic, Number(payload)));
  await client.subscribeAsync([heldTopic, droppedTopic]);
  return {
    held: () => latest.get(heldTopic),
    dropped: () => latest.get(droppedTopic),
    close: () => client.endAsync(),
  };
};

/** Ends a persistent session whose owner is gone; else the broker would keep every message of later tests for it. */
export const forgetSession = async (
  url: string,
  clientId: string,
  who: { readonly username?: string; readonly password?: string } = {},
): Promise<void> => {
  await (await connectAsync(url, { clientId, clean: true, reconnectPeriod: 0, ...who })).endAsync();
};

/** Those of a platform: it has two. */
export const forgetSessions = async (url: string, clientId: string): Promise<void> => {
  for (const session of ["vitals", "waveforms"]) await forgetSession(url, `${clientId}-${session}`);
};
