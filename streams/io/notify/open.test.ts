/** Each way of telling people, opened by its name. */
import { expect, it } from "vitest";
import { openNotifiers } from "./open.ts";

it("opens every kind by its name, though nobody is there yet", async () => {
  const notifiers = await openNotifiers({
    paper: { kind: "console", to: "stderr" },
    displays: { kind: "mqtt", url: "mqtt://127.0.0.1:1" },
    hook: { kind: "webhook", secret: "sixteen characters" },
    mail: { kind: "smtp", host: "127.0.0.1", port: 1, from: "afferent@hospital.example" },
    manager: { kind: "mllp", host: "127.0.0.1", port: 1 },
  });
  expect([...notifiers].map(([name, notifier]) => [name, notifier.name])).toEqual(
    ["paper", "displays", "hook", "mail", "manager"].map((name) => [name, name]),
  );
  for (const notifier of notifiers.values()) await notifier.close();
});

it.each([
  [{ a: { kind: "pigeon" } }, /a\.kind/],
  [{ a: { kind: "webhook", secret: "short" } }, /a\.secret/],
  [{ a: { kind: "mqtt", url: "http://broker" } }, /a\.url/],
  [{ a: { kind: "console", colour: true } }, /colour/],
])("refuses %j and says where", async (settings, place) => {
  await expect(openNotifiers(settings)).rejects.toThrow(place);
});

it("names the PEM file that it can't read", async () => {
  const settings = { displays: { kind: "mqtt", url: "mqtts://127.0.0.1:1", caFile: "/nowhere/ca.pem" } };
  await expect(openNotifiers(settings)).rejects.toMatchObject({ code: "config-unreadable", retry: false });
});
