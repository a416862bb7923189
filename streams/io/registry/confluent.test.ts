import type { RequestListener } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { type Answering, answering } from "../answering.fixture.ts";
import { heartRate } from "./conformance.ts";
import { confluentRegistry } from "./confluent.ts";

const servers: Answering[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const serving = async (answer: RequestListener): Promise<string> => {
  const server = await answering(answer);
  servers.push(server);
  return server.url;
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
