/** The roster reads a real HAPI FHIR server: what was written there since, page by page, from where it was; a merge and a stay that was taken back. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { patientKeyOf } from "../topologies/roster/base.ts";
import { type FeedOptions, readChanges } from "../streams/roles/roster/fhir-feed.ts";
import { authorities, type House, openHouse } from "../streams/roles/roster/house.fixture.ts";
import { sharedStack } from "./stack.ts";

const system = authorities[0]?.system ?? "";
/** Other files of the run write to the same server: what is found is told apart by this. */
const run = `r${process.pid}`;

let house: House;
let baseUrl: string;
const outcomes: string[] = [];

beforeAll(async () => {
  house = await openHouse();
  baseUrl = sharedStack().server("hapi").url.replace(/\/+$/, "");
});
afterAll(() => house.close());

const put = async (resource: { readonly resourceType: string; readonly id: string }): Promise<void> => {
  const response = await fetch(`${baseUrl}/${resource.resourceType}/${resource.id}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });
  expect(response.status, await response.text()).toBeLessThan(300);
};
const patient = (n: number, more: object = {}) => ({
  resourceType: "Patient",
  id: `${run}-p${n}`,
  identifier: [{ system, value: `${run}-${n}` }],
  name: [{ family: "Quellmann", given: ["Ines"] }],
  birthDate: "1958-04-12",
  ...more,
});
const encounter = (bed: string, status = "in-progress") => ({
  resourceType: "Encounter",
  id: `${run}-e1`,
  status,
  class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "IMP" },
  identifier: [{ value: `${run}-visit` }],
  subject: { reference: `Patient/${run}-p1` },
  location: [{ location: { display: bed }, period: { start: "2026-11-21T08:00:00Z" } }],
});

const read = async (): Promise<void> => {
  const options: FeedOptions = {
    baseUrl,
    everyMs: 0,
    naming: { ...house.service.naming, destination: "ehr", deviceSystem: "urn:devices" },
    service: house.service,
    store: house.store,
    onResource: (outcome) => outcomes.push(outcome),
    onRound: () => undefined,
    onError: () => undefined,
    now: Date.now,
  };
  for (const type of ["Patient", "Device", "Encounter"] as const)
    await readChanges(type, options, new AbortController().signal);
};
const ours = () => house.service.view.links.filter(({ device }) => device === "mon-a");
const keyOf = (n: number): string => patientKeyOf(house.service.naming.secret, system, `${run}-${n}`);

describe("a HAPI FHIR server", () => {
  it("tells of a patient in a bed, and of what changed since, after a restart too", async () => {
    // more than a page of patients
    for (let n = 1; n <= 230; n += 10) await Promise.all(Array.from({ length: 10 }, (_, m) => put(patient(n + m))));
    await put(encounter("A"));
    await read();
    expect(ours()).toMatchObject([{ bed: "A", patientKey: keyOf(1), confirmedBy: null, toMs: null }]);
    expect(house.service.told.get(`patient/${keyOf(1)}`)).toMatchObject({
      fhirId: `${run}-p1`,
      encounterFhirId: `${run}-e1`,
    });
    house.restart();
    outcomes.length = 0;
    const waiting = house.store.waitingCount();
    await put(patient(231, { name: [{ family: "Roth" }] }));
    await put(
      patient(1, { active: false, link: [{ type: "replaced-by", other: { reference: `Patient/${run}-p231` } }] }),
    );
    await read();
    expect(outcomes.length).toBeGreaterThan(1);
    expect(house.store.waitingCount()).toBeGreaterThan(waiting);
    expect(ours()).toMatchObject([{ patientKey: keyOf(231) }]);
    await put(encounter("A", "entered-in-error"));
    await read();
    expect(ours()).toEqual([]);
  });
});
