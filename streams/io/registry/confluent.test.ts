import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { heartRate } from "./conformance.ts";
import { confluentRegistry } from "./confluent.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers each request as it is told. */
const serving = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const say =
  (status: number, body: object): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

describe("a registry server in trouble", () => {
  it("is unavailable when nobody listens, and may be asked again", async () => {
    const registry = confluentRegistry({ url: "http://127.0.0.1:1" });
    for (const asking of [registry.register("a-value", heartRate), registry.all("a-value"), registry.byId(1)])
      await expect(asking).rejects.toMatchObject({ code: "registry-unavailable", retry: true });
  });

  it("is unavailable when it goes away between its compatibility and the schema", async () => {
    const url = await serving((request, response) =>
      request.method === "GET"
        ? say(200, { compatibilityLevel: "BACKWARD_TRANSITIVE" })(request, response)
        : void request.socket.destroy(),
    );
    await expect(confluentRegistry({ url }).register("a-value", heartRate)).rejects.toMatchObject({
      code: "registry-unavailable",
      retry: true,
    });
  });

  it("is unavailable when it answers with an error of its own", async () => {
    const url = await serving(say(503, { message: "starting" }));
    await expect(confluentRegistry({ url }).all("a-value")).rejects.toMatchObject({
      code: "registry-unavailable",
      message: expect.stringContaining("starting"),
    });
  });

  it("is not waited for longer than a request may take", async () => {
    const url = await serving((request, response) => {
      if (request.method === "GET") say(200, { compatibilityLevel: "BACKWARD_TRANSITIVE" })(request, response);
    });
    await expect(confluentRegistry({ url, timeoutMs: 100 }).register("a-value", heartRate)).rejects.toMatchObject({
      code: "registry-unavailable",
      message: expect.stringContaining("100 ms"),
    });
  });

  it("is refused when it will not check compatibility", async () => {
    const url = await serving(say(200, { compatibilityLevel: "NONE" }));
    await expect(confluentRegistry({ url }).register("a-value", heartRate)).rejects.toMatchObject({
      code: "registry-misconfigured",
      retry: false,
    });
  });
});
