/**
 * The devices of a simulated ward, each with its own MQTT sessions, numerics apart from waveforms: every message is in the ledger on
 * disk before it is sent, at QoS 1, and is sent again until its PUBACK.
 */
import { setTimeout as sleep } from "node:timers/promises";
import mqtt, { type MqttClient } from "mqtt";
import type { Ward, WardMessage } from "../../streams/sim/ward/messages.ts";
import { type Ledger, messageId } from "./ledger.ts";

export interface Sent {
  readonly messages: number;
  /** When each message was first acknowledged, by its id (ledger.ts), wall-clock ms. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** Sent and still without a PUBACK. */
  readonly open: () => number;
  /** Ends the sessions. */
  close(): Promise<void>;
}

const reconnectMs = 500;

/** Everything that the ward says within a second. */
function* seconds(ward: Ward): Generator<readonly WardMessage[]> {
  let batch: WardMessage[] = [];
  let untilMs = ward.startMs + 1_000;
  for (const message of ward.messages()) {
    for (; message.atMs >= untilMs; untilMs += 1_000) {
      yield batch;
      batch = [];
    }
    batch.push(message);
  }
}

/** Plays the ward at its own pace for so many seconds; resolves when all is sent, acknowledged or not. */
export const send = async (ward: Ward, url: string, ledger: Ledger, forS: number): Promise<Sent> => {
  const sessions = new Map<string, MqttClient>();
  const acknowledged = new Map<string, number>();
  let [messages, open] = [0, 0];
  const session = ({ device, stream }: WardMessage): MqttClient =>
    sessions.getOrInsertComputed(`${device}-${stream}`, (clientId) => {
      // mqtt.js keeps what is unacknowledged in its own store and sends it again after each reconnect
      const client = mqtt.connect(url, {
        clientId,
        clean: true,
        reconnectPeriod: reconnectMs,
        connectTimeout: 5_000,
        keepalive: 20,
      });
      client.on("error", () => undefined); // it connects again by itself
      return client;
    });
  const publish = (message: WardMessage): void => {
    const id = messageId(message.mqttTopic, message.payload);
    messages++;
    open++;
    session(message).publish(message.mqttTopic, Buffer.from(message.payload), { qos: 1 }, (error) => {
      if (error) return;
      open--;
      acknowledged.getOrInsert(id, Date.now());
    });
  };
  let passedS = 0;
  for (const batch of seconds(ward)) {
    if (passedS++ >= forS) break;
    ledger.write(batch);
    for (const message of batch) {
      const waitMs = message.atMs - Date.now();
      if (waitMs >= 1) await sleep(waitMs);
      publish(message);
    }
  }
  return {
    messages,
    acknowledged,
    open: () => open,
    close: async () => {
      await Promise.all([...sessions.values()].map((client) => client.endAsync(true)));
    },
  };
};
