/** What goes out on the wire, and over one connection. */
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { afterEach, expect, it } from "vitest";
import { httpCaller } from "./http-call.ts";

const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

interface Heard {
  readonly request: IncomingMessage;
  readonly body: string;
}

const listening = async (address = "127.0.0.1") => {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      heard.push({ request, body: Buffer.concat(parts).toString() });
      response.end("ok");
    });
  });
  await new Promise<void>((up, failed) => server.on("error", failed).listen(0, address, up));
  const caller = httpCaller({ timeoutMs: 2_000, answerBytesMost: 100 });
  closes.push(() => {
    caller.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { heard, caller, port, host: `${isIPv6(address) ? `[${address}]` : address}:${port}` };
};

it("sends path, query, headers and a body in bytes, to the host of the address", async () => {
  const { heard, caller, host } = await listening();
  const body = '{"name":"Å"}';
  const headers = { accept: "text/plain", prefer: "return=minimal" };
  const { status, text } = await caller.call(`http://${host}/a b/c?x=1&y=ä#z`, { method: "PUT", headers, body });
  expect([status, text]).toEqual([200, "ok"]);
  const [{ request, body: got } = { request: undefined, body: "" }] = heard;
  expect([request?.method, request?.url, got]).toEqual(["PUT", "/a%20b/c?x=1&y=%C3%A4", body]);
  expect(request?.headers).toEqual({ ...headers, "content-length": "13", host, connection: "keep-alive" });
});

it("keeps the connection, sends nothing beside a head without a body, and takes an address without a path", async () => {
  const { heard, caller, host } = await listening();
  for (let i = 0; i < 3; i++) await caller.call(`http://${host}`, { method: "GET", headers: {} });
  expect(heard.map(({ request }) => [request.url, request.headers])).toEqual(
    Array.from({ length: 3 }, () => ["/", { host, connection: "keep-alive" }]),
  );
  expect(new Set(heard.map(({ request }) => request.socket.remotePort)).size).toBe(1);
});

it("says who it is as the address does, unless a header says it", async () => {
  const { heard, caller, host } = await listening();
  const url = `http://an%40a:p%3Aw@${host}/`;
  await caller.call(url, { method: "GET", headers: {} });
  await caller.call(url, { method: "GET", headers: { authorization: "Bearer t" } });
  const basic = `Basic ${Buffer.from("an@a:p:w").toString("base64")}`;
  expect(heard.map(({ request }) => request.headers.authorization)).toEqual([basic, "Bearer t"]);
});

it("reaches an IPv6 address", async () => {
  const { heard, caller, host } = await listening("::1");
  await caller.call(`http://${host}/x`, { method: "GET", headers: {} });
  expect(heard[0]?.request.headers.host).toBe(host);
});

it("sends no header that would be two", async () => {
  const { heard, caller, host } = await listening();
  const split = { prefer: "a\r\nx-injected: b" };
  await expect(caller.call(`http://${host}/`, { method: "GET", headers: split })).rejects.toThrow(/Invalid character/);
  await expect(caller.call("no address", { method: "GET", headers: {} })).rejects.toThrow(/Invalid URL/);
  expect(heard).toEqual([]);
});
