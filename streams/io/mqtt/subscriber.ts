/**
 * The subscriber: a persistent session at the hospital's own broker that acknowledges a message only after the raw log has it.
 * mqtt.js would handle one message at a time; here PUBACKs are held outside it, so that many can wait for one append.
 */
import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { OperatingError } from "../../core/failure.ts";
import type { Received } from "../../core/received.ts";

export interface SubscriberOptions {
  readonly url: string;
  /** Fixed: it names the broker's persistent session. */
  readonly clientId: string;
  readonly filters: readonly string[];
  readonly protocolVersion: 4 | 5;
  /** Unacknowledged messages that we hold at most; the broker is told with MQTT 5. */
  readonly receiveMaximum: number;
  readonly accept: (message: Received) => Promise<void>;
  readonly onState: (state: "connected" | "away", detail: string) => void;
}

export interface Subscriber {
  close(): Promise<void>;
}

/** Sends packets; private in mqtt.js, and the only place where a PUBACK can be held back without holding the stream. */
interface PacketSender {
  _sendPacket(packet: { cmd: string; messageId?: number }, done?: (error?: Error) => void): void;
}

const sessionExpirySeconds = 7 * 24 * 3600;

/** Resolves once the broker has granted the subscription. Codes: `broker-unavailable`. */
export const startSubscriber = async (options: SubscriberOptions): Promise<Subscriber> => {
  const client = connect(options.url, connectOptions(options));
  holdAcknowledgements(client, options);
  client.on("error", (error) => options.onState("away", error.message));
  client.on("offline", () => options.onState("away", `no connection to ${options.url}`));
  await new Promise<void>((resolve, reject) => {
    const giveUp = setTimeout(
      () =>
        reject(new OperatingError("broker-unavailable", `subscriber: no answer from ${options.url}`, { retry: true })),
      15_000,
    );
    client.on("connect", () => {
      // subscribing again is harmless and covers a broker that has lost its sessions
      client.subscribe([...options.filters], { qos: 1 }, (error, granted) => {
        if (error !== null || granted?.some(({ qos }) => qos === 128)) {
          options.onState("away", `subscription refused: ${error?.message ?? "not authorised"}`);
          return;
        }
        clearTimeout(giveUp);
        options.onState("connected", options.url);
        resolve();
      });
    });
  }).catch(async (error: unknown) => {
    await client.endAsync(true);
    throw error;
  });
  return { close: () => client.endAsync(true) };
};

const connectOptions = (options: SubscriberOptions): IClientOptions => ({
  clientId: options.clientId,
  clean: false,
  protocolVersion: options.protocolVersion,
  reconnectPeriod: 500,
  resubscribe: false,
  ...(options.protocolVersion === 5 && {
    properties: { receiveMaximum: options.receiveMaximum, sessionExpiryInterval: sessionExpirySeconds },
  }),
});

const holdAcknowledgements = (client: MqttClient, options: SubscriberOptions): void => {
  const sender = client as unknown as PacketSender;
  const send = sender._sendPacket.bind(client);
  // an acknowledgement that became due after a reconnect must not be sent: its packet id means another message now
  let connection = 0;
  client.on("connect", () => connection++);
  const durable = new Map<number, Promise<boolean>>();
  sender._sendPacket = (packet, done) => {
    const held = packet.cmd === "puback" && packet.messageId !== undefined ? durable.get(packet.messageId) : undefined;
    if (held === undefined) {
      send(packet, done);
      return;
    }
    const since = connection;
    void held.then((kept) => {
      if (kept && since === connection && client.connected) send(packet);
    });
    done?.();
  };
  client.handleMessage = (packet: IPublishPacket, done) => {
    const accepted = options
      .accept({
        mqttTopic: packet.topic,
        payload: typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload,
        session: options.clientId,
        dup: packet.dup ?? false,
      })
      .then(
        () => true,
        () => false,
      );
    const { messageId } = packet;
    if (packet.qos === 1 && messageId !== undefined) {
      durable.set(messageId, accepted);
      void accepted.then((kept) => {
        if (kept && durable.get(messageId) === accepted) durable.delete(messageId);
      });
    }
    // MQTT 3.1.1 has no receive maximum: bound what we hold by holding the stream
    if (durable.size >= options.receiveMaximum) void accepted.then(() => done());
    else done();
  };
};
