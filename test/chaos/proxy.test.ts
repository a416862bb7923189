import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { httpDialect, kafkaDialect } from "./dialects.ts";
import { type LossyProxy, startProxy } from "./proxy.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server that remembers what it was told. */
const remembering = async (): Promise<{ readonly port: number; readonly told: string[] }> => {
  const told: string[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += String(part);
    });
    request.on("end", () => {
      told.push(`${request.method} ${body}`);
      response.end("done");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { port: (server.address() as AddressInfo).port, told };
};

const inFrontOf = async (port: number): Promise<LossyProxy> => {
  const proxy = await startProxy(0, port, httpDialect);
  closing.push(() => proxy.close());
  return proxy;
};

describe("a proxy that loses acknowledgements", () => {
  it("lets the request take effect and resets the connection instead of answering", async () => {
    const server = await remembering();
    const proxy = await inFrontOf(server.port);
    const url = `http://127.0.0.1:${proxy.port}/`;
    const put = (body: string): Promise<string> => fetch(url, { method: "PUT", body }).then((answer) => answer.text());
    expect(await put("first")).toBe("done");
    proxy.lose("PUT", 1);
    expect(await (await fetch(url)).text()).toBe("done"); // another kind of request is left alone
    await expect(put("second")).rejects.toThrow("fetch failed");
    expect(await put("third")).toBe("done");
    expect(server.told).toEqual(["PUT first", "GET ", "PUT second", "PUT third"]);
    expect(proxy.lost).toEqual(new Map([["PUT", 1]]));
  });
});

describe("Kafka's protocol", () => {
  const frame = (...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  };
  const request = (api: number, correlation: number): Buffer => {
    const header = Buffer.alloc(8);
    header.writeInt16BE(api, 0);
    header.writeInt32BE(correlation, 4);
    return frame(header, Buffer.from("rest of the request"));
  };
  const answer = (correlation: number): Buffer => {
    const header = Buffer.alloc(4);
    header.writeInt32BE(correlation);
    return frame(header, Buffer.from("rest of the answer"));
  };

  it("is cut into answers by their frames, however the bytes arrive, and each is known by its correlation id", () => {
    const dialect = kafkaDialect();
    dialect.asked(request(0, 7));
    dialect.asked(Buffer.concat([request(1, 8), request(26, 9)]));
    const bytes = Buffer.concat([answer(8), answer(7), answer(9)]);
    const parts = [...bytes].flatMap((_, i) => dialect.answered(bytes.subarray(i, i + 1)));
    expect(parts.map(({ to }) => to)).toEqual(["", "Produce", "EndTxn"]);
    expect(Buffer.concat(parts.map((part) => part.bytes))).toEqual(bytes);
  });
});
