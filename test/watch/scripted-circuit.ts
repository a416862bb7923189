/**
 * The alert circuit and its broker, as far as the watch can tell: takes beats over MQTT, gives each back as a signed notification, and posts
 * a sign of life. As a process of its own (`node scripted-circuit.ts <JSON of CircuitOptions>`) it can be killed as the platform can.
 */
import { createServer, type Socket } from "node:net";
import { generate, type Packet, parser } from "mqtt-packet";
import { signatureHeader, sign } from "../../streams/io/notify/signature.ts";
import { giveSignOfLife } from "../../streams/io/notify/sign-of-life.ts";

export interface CircuitOptions {
  readonly port: number;
  readonly watchUrl: string;
  readonly secret: string;
  readonly aliveEveryMs: number;
}

export interface ScriptedCircuit {
  readonly port: number;
  /** Beats are taken and go nowhere; the circuit says that it lives all the same. */
  loseBeats(lost: boolean): void;
  /** The audit fails: beats come back, but no sign of life. */
  failAudit(fails: boolean): void;
  /** What beats came. */
  readonly beats: readonly { readonly topic: string; readonly payload: string }[];
  close(): Promise<void>;
}

export const post = (url: string, body: string, headers: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });

export const signed = (secret: string, body: string): Record<string, string> => ({
  [signatureHeader]: sign(secret, body, Date.now()),
});

export const startCircuit = async ({
  port,
  watchUrl,
  secret,
  aliveEveryMs,
}: CircuitOptions): Promise<ScriptedCircuit> => {
  const beats: { topic: string; payload: string }[] = [];
  const sockets = new Set<Socket>();
  const set = { lost: false, failing: false };

  const giveBack = (topic: string, payload: string): void => {
    beats.push({ topic, payload });
    if (set.lost) return;
    const { device, seq } = JSON.parse(payload) as { readonly device: string; readonly seq: number };
    const body = JSON.stringify({ what: "test", event: "heartbeat", device, value: seq });
    void post(`${watchUrl}/beat`, body, signed(secret, body)).catch(() => undefined); // the watch is being tested, and may be gone
  };

  const broker = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    const reading = parser({ protocolVersion: 4 });
    socket.on("data", (bytes) => reading.parse(bytes as Buffer));
    reading.on("packet", (packet: Packet) => {
      const answer = (reply: Packet): void => void socket.write(generate(reply));
      if (packet.cmd === "connect") answer({ cmd: "connack", returnCode: 0, sessionPresent: false });
      if (packet.cmd === "pingreq") answer({ cmd: "pingresp" });
      if (packet.cmd !== "publish") return;
      answer({ cmd: "puback", messageId: packet.messageId ?? 0 });
      giveBack(packet.topic, String(packet.payload));
    });
  });
  await new Promise<void>((resolve) => broker.listen(port, "127.0.0.1", resolve));
  const address = broker.address();
  const live = (): void => {
    if (set.failing) return;
    const to = { url: `${watchUrl}/alive`, secret };
    void giveSignOfLife(to, "scripted", Date.now(), AbortSignal.timeout(1_000)).catch(() => undefined);
  };
  live();
  const living = setInterval(live, aliveEveryMs);
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    loseBeats(lost) {
      set.lost = lost;
    },
    failAudit(fails) {
      set.failing = fails;
    },
    beats,
    close: async () => {
      clearInterval(living);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => broker.close(resolve));
    },
  };
};

if (import.meta.main) {
  const { port } = await startCircuit(JSON.parse(process.argv[2] ?? "{}") as CircuitOptions);
  process.stdout.write(`circuit: ${port}\n`);
}
