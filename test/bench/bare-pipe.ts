/**
 * The baseline: the leanest honest pipe from MQTT to Kafka that mqtt.js and kafkajs allow. A persistent session, PUBACKs held until
 * Kafka has acked, one send in flight, batches capped. It knows no devices, schemas, partitions by key or quarantine.
 */
import { connectAsync, type IPublishPacket } from "mqtt";
import { Kafka, logLevel } from "kafkajs";

const [url = "", broker = "", topic = ""] = process.argv.slice(2);
const batchMessages = 2000;

const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();
const client = await connectAsync(url, {
  // a session of its own in each run: what the broker kept for an earlier one would be counted here
  clientId: `bare-pipe-${process.pid}`,
  clean: false,
  protocolVersion: 5,
  properties: { receiveMaximum: 5000, sessionExpiryInterval: 3600 },
});

interface Held {
  readonly packet: IPublishPacket;
  acknowledge?: () => void;
}
const waiting: Held[] = [];
const byId = new Map<number, Held>();
let sending = false;

const flush = async (): Promise<void> => {
  sending = true;
  await Promise.resolve();
  while (waiting.length > 0) {
    const batch = waiting.splice(0, batchMessages);
    await producer.send({
      topic,
      acks: -1,
      messages: batch.map(({ packet }) => ({ key: packet.topic, value: packet.payload as Buffer })),
    });
    for (const held of batch) held.acknowledge?.();
  }
  sending = false;
};

interface PacketSender {
  _sendPacket(packet: { cmd: string; messageId?: number }, done?: () => void): void;
}
const sender = client as unknown as PacketSender;
const send = sender._sendPacket.bind(client);
sender._sendPacket = (packet, done) => {
  const held = packet.cmd === "puback" && packet.messageId !== undefined ? byId.get(packet.messageId) : undefined;
  if (held === undefined) return send(packet, done);
  held.acknowledge = () => {
    byId.delete(packet.messageId as number);
    send(packet);
  };
  done?.();
};
client.handleMessage = (packet, done) => {
  const held: Held = { packet };
  waiting.push(held);
  if (packet.messageId !== undefined) byId.set(packet.messageId, held);
  if (!sending) void flush();
  done();
};
await client.subscribeAsync("afferent/+/numerics", { qos: 1 });
process.stdout.write("ready\n");
