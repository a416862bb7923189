import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { aNotification } from "../../../schemas/hl7v2/pcd04.fixture.ts";
import { outcomeOf } from "./scripted-server.fixture.ts";
import { signatureHeader, verifySignature } from "./signature.ts";
import { openWebhook } from "./webhook.ts";

const secret = "shared with the receiver";
const at = 1_800_000_000_000;
const notifier = openWebhook({ name: "webhook", secret, now: () => at });

interface Came {
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const receiver = async (answer: (response: ServerResponse) => void): Promise<{ url: string; came: Came[] }> => {
  const came: Came[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    came.push({ headers: request.headers, body });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarm`, came };
};

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end("words");
const send = (url: string, limitMs = 2_000, change = {}): Promise<void> =>
  notifier.send(aNotification(change), url, AbortSignal.timeout(limitMs));

describe("a webhook", () => {
  it("carries the notification, its identity as the key, and a signature that the receiver verifies", async () => {
    const { url, came } = await receiver(status(204));
    await send(url, 2_000, { addresses: [{ notifier: "sms", to: "+49 170 0000000" }] });
    const [{ headers, body } = { headers: {}, body: Buffer.alloc(0) }] = came;
    expect(headers["idempotency-key"]).toBe("notification-1");
    expect(verifySignature(secret, body, String(headers[signatureHeader]), at)).toEqual({ ok: true, value: at });
    const told = JSON.parse(body.toString());
    expect(told).toMatchObject({ identity: "notification-1", bed: "icu-03", event: "high", value: 180 });
    expect(body.toString()).not.toContain("+49");
  });

  it("tells a receiver outside that there is an alarm in a unit and nothing else", async () => {
    const { url, came } = await receiver(status(200));
    await send(url, 2_000, { inside: false });
    expect(JSON.parse(came[0]?.body.toString() ?? "")).toEqual({
      kind: "notification",
      identity: "notification-1",
      page: "page-1",
      what: "alarm",
      unit: "icu",
      text: "alarm in unit icu, open the app",
    });
  });

  it("is the same message when it is sent again", async () => {
    const { url, came } = await receiver(status(200));
    await send(url);
    await send(url);
    expect(came[0]?.body).toEqual(came[1]?.body);
  });

  it.each([
    [200, "confirmed"],
    [202, "confirmed"],
    [301, "webhook-redirected final"],
    [307, "webhook-redirected final"],
    [400, "webhook-refused final"],
    [401, "webhook-refused final"],
    [404, "webhook-refused final"],
    [422, "webhook-refused final"],
    [408, "webhook-unavailable retry"],
    [425, "webhook-unavailable retry"],
    [429, "webhook-unavailable retry"],
    [500, "webhook-unavailable retry"],
    [503, "webhook-unavailable retry"],
  ])("answered %i: %s", async (code, outcome) => {
    const { url } = await receiver(status(code, { location: "http://127.0.0.1:1/elsewhere" }));
    expect(await outcomeOf(send(url))).toBe(outcome);
  });

  it("follows no redirect, to whomever it leads", async () => {
    const elsewhere = await receiver(status(200));
    const { url } = await receiver(status(308, { location: elsewhere.url }));
    expect(await outcomeOf(send(url))).toBe("webhook-redirected final");
    expect(elsewhere.came).toEqual([]);
  });

  it("says for how long its receiver asks to be left alone, and why", async () => {
    const { url } = await receiver(status(503, { "retry-after": "7" }));
    await expect(send(url)).rejects.toThrow(/answered 503: words; it asks to wait: Retry-After 7$/);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["never answers", () => undefined],
    ["drops after it took it", (response) => void response.destroy()],
    ["answers with garbage", (response) => void response.socket?.end("\u0000\u0001 no HTTP\r\n\r\n")],
    [
      "drips",
      (response) => {
        const timer = setInterval(() => response.socket?.write("H"), 20);
        response.socket?.on("close", () => clearInterval(timer));
      },
    ],
  ])("whose receiver %s fails in its time, to be tried again", async (_what, answer) => {
    const { url } = await receiver(answer);
    const began = performance.now();
    expect(await outcomeOf(send(url, 200))).toBe("webhook-unreachable retry");
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("whose receiver refuses and then drips its reasons for ever fails in its time too", async () => {
    const { url } = await receiver((response) => {
      response.writeHead(422);
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const began = performance.now();
    expect(await outcomeOf(send(url, 200))).toBe("webhook-refused final");
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it.each([
    "http://10.0.0.7/alarm",
    "http://localhost.evil.example/",
    "http://127.0.0.1.evil.example/",
    "https://user:secret@hospital.example/",
    "file:///etc/passwd",
    "nurse-1",
  ])("goes to no such address: %s", async (to) => {
    expect(await outcomeOf(send(to))).toBe("webhook-url-refused final");
  });
});
