/** What a FHIR server tells of patients, encounters and devices, read on from where it was; and a server that hangs, drips or talks rubbish. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ines } from "../../../schemas/hl7v2/adt.fixture.ts";
import { type FeedOptions, readChanges } from "./fhir-feed.ts";
import { type House, openHouse, rosterFile } from "./house.fixture.ts";

let house: House;
let baseUrl: string;
let asked: string[];
let respond: (response: ServerResponse, url: URL) => void;
let close: () => void;
let outcomes: string[];

interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [member: string]: unknown;
}
let server: Resource[];

const bundle = (found: readonly Resource[]): string =>
  JSON.stringify({ resourceType: "Bundle", type: "searchset", entry: found.map((resource) => ({ resource })) });

const answering = (response: ServerResponse, url: URL): void => {
  const since = Date.parse(url.searchParams.get("_lastUpdated")?.slice(2) ?? "1970-01-01T00:00:00Z");
  const updated = (one: Resource): number => Date.parse((one["meta"] as { lastUpdated: string }).lastUpdated);
  const found = server.filter((one) => one.resourceType === url.pathname.slice(6) && updated(one) >= since);
  response.end(bundle(found.toSorted((a, b) => updated(a) - updated(b))));
};

beforeEach(async () => {
  [asked, outcomes, server, respond] = [[], [], [], answering];
  house = await openHouse();
  const http = createServer((request, response) => {
    asked.push(request.url ?? "");
    respond(response, new URL(request.url ?? "", "http://host"));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}/fhir`;
  close = () => {
    http.closeAllConnections();
    http.close();
  };
});
afterEach(async () => {
  close();
  await house.close();
});

const meta = (time: string, version = 1) => ({
  versionId: String(version),
  lastUpdated: `2026-11-21T${time}:00.000+00:00`,
});
const patient = (id: string, number: string, time: string, more: object = {}): Resource => ({
  resourceType: "Patient",
  id,
  meta: meta(time),
  identifier: [
    { system: "urn:other", value: "x" },
    { system: "urn:oid:1.2.276.1", value: number },
  ],
  name: [{ use: "official", family: "Quellmann", given: ["Ines", "Maria"] }],
  birthDate: "1958-04-12",
  ...more,
});
const encounter = (time: string, location: readonly object[], more: object = {}): Resource => ({
  resourceType: "Encounter",
  id: "e-1",
  meta: meta(time, Number(time.replace(":", ""))),
  status: "in-progress",
  identifier: [{ value: "V-9001" }],
  subject: { reference: "Patient/p-1" },
  location,
  ...more,
});
const at = (bed: string, start: string, end?: string) => ({
  location: { identifier: { value: bed }, display: bed },
  period: { start: `2026-11-21T${start}:00Z`, ...(end !== undefined && { end: `2026-11-21T${end}:00Z` }) },
});

const read = async (): Promise<void> => {
  const options: FeedOptions = {
    baseUrl,
    everyMs: 0,
    timeoutMs: 200,
    naming: { ...house.service.naming, destination: "ehr", deviceSystem: "urn:devices" },
    service: house.service,
    store: house.store,
    onResource: (outcome) => outcomes.push(outcome),
    onRound: () => undefined,
    onError: () => undefined,
    now: () => house.nowMs,
  };
  for (const type of ["Patient", "Device", "Encounter"] as const)
    await readChanges(type, options, new AbortController().signal);
};
const lines = (): string[] =>
  house.service.view.links.map(({ device, bed, fromMs, toMs }) =>
    [device, bed, ...[fromMs, toMs].map((ms) => (ms === null ? "now" : new Date(ms).toISOString().slice(11, 16)))].join(
      " ",
    ),
  );

describe("a FHIR server's patients, encounters and devices", () => {
  it("link a bed's monitor as ADT does, and give the patient's id at that destination", async () => {
    server = [patient("p-1", ines.number, "08:01"), encounter("08:02", [at("A", "08:00")])];
    await read();
    expect(lines()).toEqual(["mon-a A 08:00 now"]);
    const told = [...house.service.told.values()].find(({ kind }) => kind === "patient");
    expect(told).toMatchObject({
      fhirId: "p-1",
      encounterFhirId: "e-1",
      givenName: "Ines",
      identities: [{ destination: "ehr", fhirId: "p-1", value: ines.number, namespace: "KH-NORD" }],
    });
  });

  it("are read on from where they were, after a restart too, and what comes twice changes nothing", async () => {
    server = [patient("p-1", ines.number, "08:01"), encounter("08:02", [at("A", "08:00")])];
    await read();
    house.restart();
    const revisions = house.store.waitingCount();
    await read();
    expect(house.store.waitingCount()).toBe(revisions);
    expect(asked.at(-1)).toContain("_lastUpdated=ge2026-11-21T08:01:00.000Z");
    server.push(encounter("10:05", [at("A", "08:00", "10:00"), at("B", "10:00")]));
    await read();
    expect(lines()).toEqual(["mon-a A 08:00 10:00", "mon-b B 10:00 now"]);
  });

  it("that bear a time which is yet to come leave nothing unread that is written after them, nor does a mark that was set by one", async () => {
    house.nowMs = Date.parse("2026-11-21T09:00:00Z");
    server = [patient("p-1", ines.number, "10:00"), encounter("08:02", [at("A", "08:00")])];
    await read();
    server.push(patient("p-2", "4711002", "09:01"));
    house.nowMs += 120_000;
    outcomes = [];
    await read();
    expect(outcomes, "p-1 once more, p-2, and the encounter").toEqual(["applied", "applied", "applied"]);
    house.store.setMeta("fhir/ehr/Patient", String(Date.parse("2027-01-01T00:00:00Z")));
    server.push(patient("p-3", "4711003", "09:02"));
    outcomes = [];
    await read();
    expect(outcomes).toHaveLength(4);
  });

  it("at a bed of which the ward is not told link nobody, and are told by name", async () => {
    server = [patient("p-1", ines.number, "08:01"), encounter("08:02", [at("ICU-1", "08:00")])];
    await read();
    expect(house.service.view.problems).toEqual([]);
    house.restart(
      rosterFile((file) => ({ ...file, beds: [...(file["beds"] as object[]), { bed: "C", unit: "icu-1" }] })),
    );
    server = [
      encounter("08:03", [at("C", "08:00")]),
      {
        resourceType: "Device",
        id: "d-1",
        meta: meta("08:00"),
        modelNumber: "simpump-1",
        identifier: [{ system: "urn:devices", value: "pump-7" }],
        location: { display: "C" },
      },
    ];
    await read();
    expect(lines()).toEqual([]);
    expect(house.service.view.problems.map(({ event, reason }) => `${event} ${reason}`).toSorted()).toEqual([
      "fhir/ehr/Device/d-1/1 location-ambiguous",
      "fhir/ehr/Encounter/e-1/803 location-ambiguous",
    ]);
  });

  it("give way to ADT where that places the visit", async () => {
    house.hears({ event: "A01", patient: ines, location: "ICU-1^1^B", occurred: "0810", controlId: "1" });
    server = [patient("p-1", ines.number, "08:01"), encounter("08:02", [at("A", "08:00")])];
    await read();
    expect(lines()).toEqual(["mon-b B 08:10 now"]);
    expect([...house.service.told.values()].find(({ kind }) => kind === "patient")).toMatchObject({
      encounterFhirId: "e-1",
    });
  });

  it("void a stay that the server takes back, and merge who was replaced", async () => {
    server = [patient("p-1", ines.number, "08:01"), encounter("08:02", [at("A", "08:00")])];
    await read();
    const [before] = house.service.view.links;
    server = [
      patient("p-2", "4711009", "09:00"),
      patient("p-1", ines.number, "09:01", {
        meta: meta("09:01", 2),
        active: false,
        link: [{ type: "replaced-by", other: { reference: "Patient/p-2" } }],
      }),
    ];
    await read();
    const [after] = house.service.view.links;
    expect(after?.id).toBe(before?.id);
    expect(after?.patientKey).not.toBe(before?.patientKey);
    server = [encounter("09:30", [at("A", "08:00")], { status: "entered-in-error" })];
    await read();
    expect(lines()).toEqual([]);
  });

  it("bring devices, by the identifier that the configuration names; one without is passed by", async () => {
    const device = {
      resourceType: "Device",
      meta: meta("08:00"),
      modelNumber: "simpump-1",
      location: { display: "A" },
    };
    server = [
      {
        ...device,
        id: "d-1",
        identifier: [{ system: "urn:devices", value: "pump-7" }],
        serialNumber: "SN-1",
        version: [{ value: "4.2" }],
      },
      { ...device, id: "d-2", identifier: [{ system: "urn:devices", value: "a/b" }] },
      { ...device, id: "d-3" },
    ];
    await read();
    expect(outcomes).toEqual(["applied", "identifier-unknown", "identifier-unknown"]);
    expect(house.service.told.get("device/pump-7")).toMatchObject({
      model: "simpump-1",
      unit: "icu-1",
      serial: "SN-1",
      firmware: "4.2",
      version: 1,
    });
    house.hears({ event: "A01", patient: ines, location: "ICU-1^1^A", occurred: "0810", controlId: "1" });
    expect(lines().toSorted()).toEqual(["mon-a A 08:10 now", "pump-7 A 08:10 now"]);
  });

  it("that can't be used are passed by, and the others are not", async () => {
    server = [
      patient("p-0", "", "08:00"),
      { ...patient("p-9", "1", "08:00"), meta: { lastUpdated: "yesterday" } },
      patient("p-1", ines.number, "08:01"),
      encounter("08:02", [at("A", "08:00")], { subject: { reference: "Group/1" } }),
    ];
    respond = (response, url) => {
      const found = server.filter(({ resourceType }) => resourceType === url.pathname.slice(6));
      response.end(bundle(found));
    };
    await read();
    expect(outcomes).toEqual(["identifier-unknown", "no-last-updated", "applied", "subject-unknown"]);
  });
});

describe("a FHIR server", () => {
  it.each<[string, (response: ServerResponse) => void, string]>([
    ["hangs", () => undefined, "fhir-unavailable"],
    ["drips", (response) => void response.write('{"resourceType":'), "fhir-unavailable"],
    ["answers 200 with rubbish", (response) => void response.end("<html>"), "fhir-garbage"],
    ["is down", (response) => void response.writeHead(503).end(), "fhir-unavailable"],
    ["drops the connection", (response) => void response.destroy(), "fhir-unavailable"],
  ])("that %s changes nothing, and is read on from where it was once it is well", async (_what, badly, code) => {
    server = [patient("p-1", ines.number, "08:01"), encounter("08:02", [at("A", "08:00")])];
    await read();
    const before = house.service.view.links;
    respond = (response) => badly(response);
    await expect(read()).rejects.toMatchObject({ code });
    expect(house.service.view.links).toEqual(before);
    respond = answering;
    server.push(encounter("10:05", [at("A", "08:00", "10:00")]));
    await read();
    expect(lines()).toEqual(["mon-a A 08:00 10:00"]);
  });
});
