/** The password and the mail go out encrypted or not at all. */
import { afterEach, expect, it } from "vitest";
import { aNotification } from "../../../schemas/hl7v2/pcd04.fixture.ts";
import { outcomeOf, scriptedServer } from "./scripted-server.fixture.ts";
import { openSmtp } from "./smtp.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** This machine under a name that is not loopback's: whoever it is, it is asked for STARTTLS. */
const otherName = "0.0.0.0";

it("a server elsewhere that offers no STARTTLS is told nothing", async () => {
  const server = await scriptedServer(
    (socket, _connection, came) => {
      if (/^EHLO .*\r\n$/m.test(came)) socket.write("250 mail\r\n");
      if (came.includes("STARTTLS")) socket.write("502 not here\r\n");
    },
    (socket) => void socket.write("220 mail ESMTP\r\n"),
  );
  const notifier = openSmtp({
    name: "mail",
    host: otherName,
    port: server.port,
    tlsFromStart: false,
    from: "afferent@hospital.example",
    user: "afferent",
    password: "the password",
  });
  closing.push(
    () => notifier.close(),
    () => server.close(),
  );
  const sent = notifier.send(aNotification(), "nurse@hospital.example", AbortSignal.timeout(3_000));
  expect(await outcomeOf(sent)).toBe("smtp-unreachable retry");
  expect(server.came.join("")).not.toMatch(/AUTH|MAIL FROM|DATA/);
  expect(server.came.join("")).toContain("STARTTLS");
});
