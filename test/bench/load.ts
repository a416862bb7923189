/** A child of the bench: publishes `messages` readings of `devices` devices at QoS 1 as fast as the broker takes them. */
import { connectAsync } from "mqtt";

const [url = "", messagesText = "0", devicesText = "1"] = process.argv.slice(2);
const messages = Number(messagesText);
const devices = Number(devicesText);
const window = 2000;

/** About 200 bytes with four vitals, as a monitor sends each second. */
const payloadOf = (device: string, sequence: number): string =>
  JSON.stringify({
    device,
    boot: "b1",
    seq: sequence,
    time: new Date(1_780_000_000_000 + sequence * 1000).toISOString(),
    values: { hr: 72 + (sequence % 7), spo2: 97, rr: 14, pulse: 72 + (sequence % 5) },
    units: { hr: "bpm", spo2: "%", rr: "/min", pulse: "bpm" },
  });

const client = await connectAsync(url, { clientId: `load-${process.pid}`, clean: true });
let inFlight = 0;
let sent = 0;
const { promise: done, resolve, reject } = Promise.withResolvers<void>();
const pump = (): void => {
  while (inFlight < window && sent < messages) {
    const device = `mon-${String(sent % devices).padStart(4, "0")}`;
    const sequence = Math.floor(sent / devices);
    sent++;
    inFlight++;
    client.publish(`afferent/${device}/numerics`, payloadOf(device, sequence), { qos: 1 }, (error) => {
      if (error) return reject(error);
      inFlight--;
      if (sent === messages && inFlight === 0) resolve();
      else pump();
    });
  }
};
pump();
await done;
await client.endAsync();
