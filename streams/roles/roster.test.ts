/**
 * The roster service as its configuration opens it: ADT by MLLP beside a FHIR server that wants a token. What one of them refuses is called by its name
 * and touches nobody else.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdtOf, adtText, ines, otto } from "../../schemas/hl7v2/adt.fixture.ts";
import { openPlatform, type Platform } from "../compose.ts";
import { checkConfig } from "../config.ts";
import { type GuardedServer, guardedServer } from "../io/authorization/guarded.fixture.ts";
import { MllpSender } from "../io/mllp/sender.ts";
import { eventually } from "../log/conformance-fixtures.ts";
import { openRoster } from "./roster.ts";
import type { ShownRoster } from "./roster/api.ts";
import { authorities, rosterFile } from "./roster/house.fixture.ts";
import type { Running } from "./running.ts";
import { smallConfig } from "../small-config.fixture.ts";

const closing: (() => unknown)[] = [];
let server: GuardedServer;
beforeEach(async () => {
  server = await guardedServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://host");
    const found = { "/fhir/Patient": [patient], "/fhir/Encounter": [encounter] }[pathname] ?? [];
    response.end(
      JSON.stringify({ resourceType: "Bundle", type: "searchset", entry: found.map((resource) => ({ resource })) }),
    );
  });
  closing.push(() => server.close());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const token = "a token of the test";
const patient = {
  resourceType: "Patient",
  id: "p-1",
  meta: { versionId: "1", lastUpdated: "2026-11-21T08:01:00Z" },
  identifier: [{ system: authorities[0]?.system, value: otto.number }],
};
const encounter = {
  resourceType: "Encounter",
  id: "e-1",
  meta: { versionId: "1", lastUpdated: "2026-11-21T08:02:00Z" },
  status: "in-progress",
  identifier: [{ value: "V-9002" }],
  subject: { reference: "Patient/p-1" },
  location: [{ location: { display: "bed by the window" }, period: { start: "2026-11-21T08:00:00Z" } }],
};

interface Opened {
  readonly platform: Platform;
  readonly api: string;
  /** The code that a message is answered with. */
  send(message: AdtOf): Promise<string>;
  shown(): Promise<ShownRoster>;
  metrics(): Promise<string>;
}

const opened = async (section: object = {}): Promise<Opened> => {
  const data = await mkdtemp(join(tmpdir(), "afferent-roster-"));
  closing.push(() => rm(data, { recursive: true, force: true }));
  const { devices, beds } = rosterFile();
  await writeFile(
    join(data, "roster.json"),
    JSON.stringify({
      version: 1,
      devices: devices.map(({ device, model, unit, bed }) => ({ device, model, serial: null, unit, bed })),
      beds: beds.map(({ bed, unit }) => ({ bed, unit })),
      associations: [],
      patients: [],
      consents: [],
    }),
  );
  const config = checkConfig(
    smallConfig(data, {
      rosterService: {
        authorities,
        locations: { "bed by the window": "B" },
        mllp: { host: "127.0.0.1", port: 0 },
        api: { host: "127.0.0.1", port: 0, token },
        fhir: { baseUrl: server.url, auth: server.auth, everyMs: 100, destination: "ehr" },
        ...section,
      },
    }),
    "of a test",
  );
  const platform = await openPlatform(config, "roster");
  platform.say.level = "silent";
  closing.push(platform.close);
  const running: Running = await openRoster(platform);
  closing.push(running.close);
  const [, port, api] = /^mllp:\/\/127\.0\.0\.1:(\d+), api (\S+)$/.exec(running.where) ?? [];
  const sender = new MllpSender({ host: "127.0.0.1", port: Number(port), answerWithinMs: 5_000 });
  closing.push(() => sender.close());
  const get = async (path: string): Promise<Response> =>
    fetch(`${api}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return {
    platform,
    api: api ?? "",
    send: async (message) =>
      (await sender.send({ text: adtText(message), controlId: message.controlId }, AbortSignal.timeout(5_000))).code,
    shown: async () => (await (await get("/roster")).json()) as ShownRoster,
    metrics: async () => (await get("/metrics")).text(),
  };
};

const admitted: AdtOf = { event: "A01", patient: ines, location: "ICU-1^01^A", occurred: "0800", controlId: "1" };
const linked = async ({ shown }: Opened): Promise<string[]> =>
  (await shown()).links.map(({ device, bed }) => `${device} ${bed}`).toSorted();
const round = (outcome: string): string => `afferent_roster_fhir_rounds_total{outcome="${outcome}"}`;

describe("a FHIR server that wants a token", () => {
  it("is read with one that is asked for once, and with a new one within the round in which that was taken back", async () => {
    const roster = await opened();
    await eventually(async () => expect(await linked(roster)).toEqual(["mon-b B"]), 5_000);
    await eventually(async () => expect(server.asked.length).toBeGreaterThan(6), 5_000);
    expect(new Set(server.asked)).toEqual(new Set(["1 /fhir/Patient", "1 /fhir/Encounter"]));
    server.withdraw();
    await eventually(async () => expect(server.asked.at(-1)).toMatch(/^2 /), 5_000);
    expect(server.asked.filter((one) => one.startsWith("0"))).toHaveLength(1);
    expect(server.given).toBe(2);
    expect(await roster.metrics()).not.toContain(round("fhir-refused"));
  });

  it.each([
    ["invalid_client", "credentials-refused"],
    ["503", "token-unavailable"],
  ] as const)(
    "that gives none (%s) is told as such, takes nothing from ADT, and is read once it gives one",
    async (tokens, code) => {
      server.tokens = tokens;
      const roster = await opened({
        fhir: { baseUrl: server.url, auth: server.auth, everyMs: 100, destination: "ehr", silentAfterMs: 1_000 },
      });
      expect(await roster.send(admitted)).toBe("AA");
      expect(await linked(roster)).toEqual(["mon-a A"]);
      await eventually(async () => expect(await roster.metrics()).toContain(round(code)), 5_000);
      await eventually(async () => expect((await roster.shown()).off).toMatchObject([{ what: "fhir-silent" }]), 5_000);
      const health = await fetch(`${roster.api}/health`);
      expect(health.status, "to restart it would help nobody").toBe(200);
      expect(await health.text()).toMatch(/fhir-silent since 20/);
      expect(server.asked, "nothing is asked without a token").toEqual([]);
      server.tokens = "given";
      await eventually(async () => expect(await linked(roster)).toEqual(["mon-a A", "mon-b B"]), 5_000);
      await eventually(async () => expect((await roster.shown()).off).toEqual([]), 5_000);
    },
  );

  it("and is configured without one is refused by that server, by its name", async () => {
    const roster = await opened({ fhir: { baseUrl: server.url, everyMs: 100, destination: "ehr" } });
    await eventually(async () => expect(await roster.metrics()).toContain(round("fhir-refused")), 5_000);
    expect(await roster.send(admitted)).toBe("AA");
    expect(await linked(roster)).toEqual(["mon-a A"]);
  });

  it("keeps the service from starting where our key can't be read, as it keeps a destination", async () => {
    const auth = { ...server.auth, keyFile: join(tmpdir(), "no-such-key.pem") };
    await expect(
      opened({ fhir: { baseUrl: server.url, auth, everyMs: 100, destination: "ehr" } }),
    ).rejects.toMatchObject({ code: "file-unreadable" });
  });
});

describe("the ADT door", () => {
  it("counts who is connected and when somebody was last heard", async () => {
    const roster = await opened();
    expect(await roster.metrics()).toContain("afferent_roster_mllp_connections 0");
    const before = Date.now();
    expect(await roster.send(admitted)).toBe("AA");
    const text = await roster.metrics();
    expect(text).toContain("afferent_roster_mllp_connections 1");
    const heard = Number(/heard_timestamp_seconds\{source="adt"\} ([\d.]+)/.exec(text)?.[1]);
    expect(heard * 1_000).toBeGreaterThanOrEqual(before - 1);
  });
});
