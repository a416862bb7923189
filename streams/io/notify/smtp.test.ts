import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, it } from "vitest";
import { aNotification } from "../../../schemas/hl7v2/pcd04.fixture.ts";
import { outcomeOf, scriptedServer } from "./scripted-server.fixture.ts";
import { openSmtp } from "./smtp.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const mailServer = async (options: SMTPServerOptions): Promise<{ port: number; mails: string[] }> => {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    closeTimeout: 50,
    onData: (stream, _session, callback) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        mails.push(Buffer.concat(parts).toString("utf8"));
        callback();
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  const listening = server.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (listening.address() as AddressInfo).port, mails };
};

const open = (port: number, host = "127.0.0.1") => {
  const notifier = openSmtp({ name: "mail", host, port, tlsFromStart: false, from: "afferent@hospital.example" });
  closing.push(() => notifier.close());
  return notifier;
};

const send = (port: number, to = "nurse@hospital.example", limitMs = 3_000, change = {}): Promise<string> =>
  outcomeOf(open(port).send(aNotification(change), to, AbortSignal.timeout(limitMs)));

const replying = (responseCode: number): Error => Object.assign(new Error("no"), { responseCode });

describe("an e-mail", () => {
  it("says to whom is inside what there is, and in its subject only where", async () => {
    const { port, mails } = await mailServer({});
    expect(await send(port)).toBe("confirmed");
    const [head = "", text = ""] = (mails[0] ?? "").split("\r\n\r\n");
    expect(head).toContain("Subject: alarm in unit icu, open the app");
    expect(head).toContain("Message-ID: <notification-1@afferent.invalid>");
    for (const hidden of ["icu-03", "Heart", "mon-01", "180"]) expect(head).not.toContain(hidden);
    for (const told of ["icu-03", "Heart rate above its limit", "2027-01-15T08:00:00.000Z"])
      expect(text.replace(/=\r\n/g, "")).toContain(told);
  });

  it("says to whom is outside nothing but that", async () => {
    const { port, mails } = await mailServer({});
    expect(await send(port, "nurse@example.org", 3_000, { inside: false })).toBe("confirmed");
    const [, text = ""] = (mails[0] ?? "").split("\r\n\r\n");
    expect(text.trim()).toBe("alarm in unit icu, open the app");
  });

  it("has one header for each thing, whatever a unit is called", async () => {
    const { port, mails } = await mailServer({});
    await send(port, "nurse@hospital.example", 3_000, { unit: "icu\r\nBcc: everybody@example.org" });
    expect(mails[0]).not.toMatch(/^Bcc:/m);
  });

  it.each([
    [550, "smtp-refused final"],
    [450, "smtp-later retry"],
  ])("to a mailbox that is refused with %i: %s", async (responseCode, outcome) => {
    const { port } = await mailServer({ onRcptTo: (_to, _session, callback) => callback(replying(responseCode)) });
    expect(await send(port)).toBe(outcome);
  });

  it.each([
    [554, "smtp-refused final"],
    [452, "smtp-later retry"],
  ])("that is refused when all of it is there, with %i: %s", async (responseCode, outcome) => {
    const { port } = await mailServer({
      onData: (stream, _session, callback) => void stream.resume().on("end", () => callback(replying(responseCode))),
    });
    expect(await send(port)).toBe(outcome);
  });

  it.each<[string, Parameters<typeof scriptedServer>]>([
    ["greets nobody", [() => undefined]],
    ["hangs after its greeting", [() => undefined, (socket) => void socket.write("220 mail ESMTP\r\n")]],
    ["speaks something else", [() => undefined, (socket) => void socket.write("\u0000\u0001HTTP/1.1 400\r\n")]],
    ["drops", [(socket) => void socket.destroy(), (socket) => void socket.write("220 mail ESMTP\r\n")]],
  ])("to a server that %s fails in its time, to be tried again", async (_what, script) => {
    const server = await scriptedServer(...script);
    closing.push(() => server.close());
    const began = performance.now();
    expect(await send(server.port, "nurse@hospital.example", 300)).toBe("smtp-unreachable retry");
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it("to a server that takes all of it and never says so fails in its time", async () => {
    const { port } = await mailServer({ onData: (stream) => void stream.resume() });
    expect(await send(port, "nurse@hospital.example", 500)).toBe("smtp-unreachable retry");
  });

  it.each(["a@b.example, c@d.example", "Nurse <a@b.example>", "a@b.example\r\nBcc: x@y.example", "nurse"])(
    "goes to one mailbox and not to %j",
    async (to) => {
      const { port, mails } = await mailServer({});
      expect(await send(port, to)).toBe("smtp-address-refused final");
      expect(mails).toEqual([]);
    },
  );
});
