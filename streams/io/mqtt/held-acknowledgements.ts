/**
 * Holds back PUBACKs outside mqtt.js, so that many messages can wait for one append: mqtt.js's own acknowledgements are not sent, ours is,
 * once, when the message is durable and its connection still the one that brought it. After a reconnect its packet id means another message.
 */
import type { IPublishPacket, MqttClient } from "mqtt";
import type { Received } from "../../core/received.ts";

export interface Acceptance {
  /** Fixed: it names the broker's persistent session. */
  readonly clientId: string;
  /** Unacknowledged messages that we hold at most; the broker is told with MQTT 5. Beyond it, the stream is held. */
  readonly receiveMaximum: number;
  /** Resolves when the message is durable. `connected` is aborted when the connection that brought it is gone: the broker sends it again. */
  readonly accept: (message: Received, connected: AbortSignal) => Promise<void>;
}

/** Sends packets; private in mqtt.js, and the only place where a PUBACK can be held back without holding the stream. */
interface PacketSender {
  _sendPacket(packet: { cmd: string; messageId?: number }, done?: (error?: Error) => void, ...rest: unknown[]): void;
}

/** What we hold of one connection. */
interface Holding {
  readonly gone: AbortController;
  messages: number;
  bytes: number;
}

/** Payloads that wait; a few large ones are as heavy as many small ones. */
const heldBytesMax = 64 * 1024 * 1024;

export const holdAcknowledgements = (client: MqttClient, options: Acceptance): void => {
  const sender = client as unknown as PacketSender;
  const send = sender._sendPacket.bind(client);
  sender._sendPacket = (packet, done, ...rest) => (packet.cmd === "puback" ? done?.() : send(packet, done, ...rest));
  let holding = nothingHeld();
  // not at "connect": mqtt.js says that after it has handed over the first messages of the connection
  client.on("close", () => {
    holding.gone.abort();
    holding = nothingHeld();
  });
  client.handleMessage = (packet, done) => {
    const here = holding;
    const message = receivedOf(packet, options.clientId);
    here.messages++;
    here.bytes += message.payload.length;
    const settled = options
      .accept(message, here.gone.signal)
      .then(
        () => true,
        () => false,
      )
      .then((durable) => {
        here.messages--;
        here.bytes -= message.payload.length;
        const { messageId } = packet;
        const acknowledged = durable && packet.qos === 1 && messageId !== undefined;
        if (acknowledged && !here.gone.signal.aborted && client.connected) send({ cmd: "puback", messageId });
      });
    // MQTT 3.1.1 has no receive maximum, and a QoS 0 message counts under none: bound what we hold by holding the stream
    if (here.messages > options.receiveMaximum || here.bytes > heldBytesMax) void settled.then(() => done());
    else done();
  };
};

const nothingHeld = (): Holding => ({ gone: new AbortController(), messages: 0, bytes: 0 });

const receivedOf = (packet: IPublishPacket, session: string): Received => ({
  mqttTopic: packet.topic,
  payload: typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload,
  session,
  dup: packet.dup ?? false,
  qos: packet.qos,
  retained: packet.retain ?? false,
});
