/** The sockets that kafkajs gets. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { socketFactory } from "./kafka-protocol.ts";

describe("a socket to a broker that is away", () => {
  it("takes any number of disconnects without keeping a listener for each", async () => {
    const broker = createServer().listen(0, "127.0.0.1");
    await once(broker, "listening");
    const { port } = broker.address() as AddressInfo;
    broker.close();
    await once(broker, "close");
    const settings = { ssl: undefined as never, onConnect: () => undefined };
    const socket: Socket = socketFactory({ host: "127.0.0.1", port, ...settings });
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.once("close", resolve));
    for (let i = 0; i < 11; i++) socket.unref();
    expect(socket.listenerCount("connect")).toBeLessThan(2);
  });
});
