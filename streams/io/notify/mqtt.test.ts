/** What displays and handhelds get by MQTT, and the banner that stays. */
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { generate, type Packet, parser } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import { aNotification } from "../../../schemas/hl7v2/pcd04.fixture.ts";
import { openBannerDisplays } from "./banner.ts";
import { openMqtt } from "./mqtt.ts";
import type { Notifier } from "./notifier.ts";
import { outcomeOf } from "./scripted-server.fixture.ts";

type Publish = Packet & { cmd: "publish" };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Broker {
  readonly port: number;
  readonly published: Publish[];
  /** What happens to each PUBLISH. */
  becomes(how: "acknowledges" | "is silent" | "drops"): void;
  stop(): Promise<void>;
}

const broker = async (port = 0): Promise<Broker> => {
  const published: Publish[] = [];
  const sockets: Socket[] = [];
  let how: Parameters<Broker["becomes"]>[0] = "acknowledges";
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    const reading = parser();
    const say = (packet: Packet): void => void socket.write(generate(packet));
    reading.on("packet", (packet: Packet) => {
      if (packet.cmd === "connect") say({ cmd: "connack", returnCode: 0, sessionPresent: false });
      if (packet.cmd === "pingreq") say({ cmd: "pingresp" });
      if (packet.cmd !== "publish") return;
      published.push(packet);
      if (how === "drops") socket.destroy();
      if (how === "acknowledges") say({ cmd: "puback", messageId: packet.messageId ?? 0 });
    });
    socket.on("data", (bytes) => void reading.parse(bytes as Buffer));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  closing.push(stop);
  return {
    port: (server.address() as AddressInfo).port,
    published,
    becomes: (next) => {
      how = next;
    },
    stop,
  };
};

const open = (port: number): Notifier => {
  const notifier = openMqtt({ name: "displays", url: `mqtt://127.0.0.1:${port}`, root: "afferent-display" });
  closing.unshift(() => notifier.close());
  return notifier;
};

const send = (notifier: Notifier, limitMs = 1_000, identity = "n-1", to = "icu/desk"): Promise<string> =>
  outcomeOf(notifier.send(aNotification({ identity }), to, AbortSignal.timeout(limitMs)));

const once = async (notifier: Notifier, outcome: string): Promise<void> => {
  await expect.poll(() => send(notifier, 500), { timeout: 5_000, interval: 50 }).toBe(outcome);
};
const identities = ({ published }: Broker): string[] =>
  published.map(({ payload }) => JSON.parse(String(payload)).identity);

describe("a display", () => {
  it("is told at QoS 1 and never retained; the PUBACK confirms", async () => {
    const displays = await broker();
    const notifier = open(displays.port);
    await once(notifier, "confirmed");
    const last = displays.published.at(-1);
    expect(last).toMatchObject({ topic: "afferent-display/icu/desk", qos: 1, retain: false });
    expect(JSON.parse(String(last?.payload))).toMatchObject({ identity: "n-1", bed: "icu-03" });
  });

  it("whose broker is away has failed at once, and nothing is sent of it later", async () => {
    const away = await broker();
    await away.stop();
    const notifier = open(away.port);
    const began = performance.now();
    for (let n = 0; n < 50; n++) expect(await send(notifier, 1_000, `away-${n}`)).toBe("mqtt-away retry");
    expect(performance.now() - began).toBeLessThan(500);
    const back = await broker(away.port);
    await once(notifier, "confirmed");
    expect(new Set(identities(back))).toEqual(new Set(["n-1"]));
  });

  it("whose broker takes it and says nothing has failed in its time", async () => {
    const displays = await broker();
    const notifier = open(displays.port);
    await once(notifier, "confirmed");
    displays.becomes("is silent");
    expect(await send(notifier, 100)).toBe("mqtt-unconfirmed retry");
    displays.becomes("acknowledges");
    expect(await send(notifier)).toBe("confirmed");
  });

  it("whose broker drops has failed before its time, and it is not sent again by itself", async () => {
    const displays = await broker();
    const notifier = open(displays.port);
    await once(notifier, "confirmed");
    displays.becomes("drops");
    expect(await send(notifier, 10_000, "dropped")).toBe("mqtt-unconfirmed retry");
    displays.becomes("acknowledges");
    await once(notifier, "confirmed");
    expect(identities(displays).filter((identity) => identity === "dropped")).toHaveLength(1);
  });

  it("whose broker is silent for long holds a bounded number", async () => {
    const displays = await broker();
    const notifier = open(displays.port);
    await once(notifier, "confirmed");
    displays.becomes("is silent");
    const outcomes = await Promise.all(Array.from({ length: 510 }, (_, n) => send(notifier, 400, `n-${n}`)));
    expect(outcomes.filter((outcome) => outcome === "mqtt-busy retry")).toHaveLength(10);
    displays.becomes("acknowledges");
    expect(await send(notifier)).toBe("confirmed");
  });

  it.each(["", "#", "icu/+", "icu/", "/icu", "a\u0000b"])("is not %j", async (to) => {
    expect(await send(open(1), 1_000, "n-1", to)).toBe("mqtt-topic-refused final");
  });
});

describe("the banner", () => {
  const shown = ({ published }: Broker) => published.map(({ payload }) => JSON.parse(String(payload)).text);

  it("is retained, and the last one is shown again to a broker that was away", async () => {
    const before = await broker();
    const displays = openBannerDisplays({ url: `mqtt://127.0.0.1:${before.port}`, topic: "afferent-display/banner" });
    closing.unshift(() => displays.close());
    displays.show({ text: "charts are behind", priority: "low" }, 1);
    await expect.poll(() => shown(before)).toEqual(["charts are behind"]);
    expect(before.published[0]).toMatchObject({ topic: "afferent-display/banner", qos: 1, retain: true });
    await before.stop();
    displays.show({ text: "watch the bedside", priority: "high" }, 2);
    displays.show(null, 3);
    const after = await broker(before.port);
    await expect.poll(() => shown(after).at(-1), { timeout: 5_000 }).toBeNull();
  });
});
