import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anEpisode, aPatient } from "../../schemas/fhir/clinical.fixture.ts";
import { observationOf } from "../../schemas/fhir/observation.ts";
import { type FhirEndpoint, startFhirEndpoint } from "./fhir-endpoint.ts";

let folder: string;
let endpoint: FhirEndpoint;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "afferent-ehr-"));
  endpoint = await startFhirEndpoint({ port: 0, file: join(folder, "ehr.sqlite") });
  await endpoint.seed([aPatient(), aPatient({ patientKey: "pk-8", fhirId: "p-0008", encounterFhirId: null })]);
});
afterEach(async () => {
  await endpoint.close();
  await rm(folder, { recursive: true });
});

const observation = (change: object = {}) => ({
  ...observationOf({
    episode: anEpisode(),
    patient: aPatient(),
    revision: 0,
    status: "preliminary",
    transform: "gates@1",
    note: null,
  }),
  id: "o-1",
  ...change,
});

interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly json: {
    readonly resourceType: string;
    readonly id?: string;
    readonly meta?: { versionId?: string };
    readonly issue?: readonly { diagnostics: string }[];
    readonly total?: number;
    readonly entry?: readonly { resource: { id: string } }[];
    readonly link?: readonly { url: string }[];
  };
}

const call = async (path: string, init: RequestInit = {}): Promise<Answer> => {
  const response = await fetch(path.startsWith("http") ? path : `${endpoint.url}/${path}`.replace(/\/$/, ""), init);
  return {
    status: response.status,
    etag: response.headers.get("etag"),
    json: (await response.json()) as Answer["json"],
  };
};
const put = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  call(path, {
    method: "PUT",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/fhir+json", ...headers },
  });
const found = ({ json }: Answer): string[] => (json.entry ?? []).map(({ resource }) => resource.id);

describe("the embedded receiving endpoint", () => {
  it("keeps versions: created, unchanged, changed, with history", async () => {
    expect(await put("Observation/o-1", observation())).toMatchObject({ status: 201, etag: 'W/"1"' });
    expect(await put("Observation/o-1", observation())).toMatchObject({ status: 200, etag: 'W/"1"' });
    const changed = await put("Observation/o-1", observation({ status: "final" }));
    expect(changed).toMatchObject({ status: 200, json: { id: "o-1", meta: { versionId: "2" } } });
    expect((await call("Observation/o-1/_history")).json.total).toBe(2);
    expect(await call("Observation/o-1/_history/1")).toMatchObject({ json: { status: "preliminary" } });
    expect(await call("Observation/o-1")).toMatchObject({ etag: 'W/"2"', json: { status: "final" } });
  });

  it("lets nobody write over a version that he has not read", async () => {
    await put("Observation/o-1", observation());
    await put("Observation/o-1", observation({ status: "final" }), { "if-match": 'W/"1"' });
    expect(await put("Observation/o-1", observation({ status: "amended" }), { "if-match": 'W/"1"' })).toMatchObject({
      status: 412,
    });
    expect(await put("Observation/o-1", observation({ status: "amended" }), { "if-none-match": "*" })).toMatchObject({
      status: 412,
    });
    expect(await call("Observation/o-1")).toMatchObject({ json: { status: "final" } });
  });

  it.each([
    ["malformed JSON", "{", 400, "malformed JSON"],
    ["another id than the address", observation({ id: "o-2" }), 400, "is not Observation/o-1"],
    ["no status", observation({ status: undefined }), 422, "Observation.status"],
    ["a status that FHIR has not", observation({ status: "done" }), 422, "Observation.status"],
    ["an unknown element", observation({ bed: "7" }), 422, "bed"],
    ["two values", observation({ valueString: "high" }), 422, "value[x]"],
    ["an absence beside a value", observation({ dataAbsentReason: { text: "error" } }), 422, "obs-6"],
    ["a day that is none", observation({ effectiveDateTime: "2026-13-41" }), 422, "effectiveDateTime"],
    [
      "an unknown patient",
      observation({ subject: { reference: "Patient/p-9" } }),
      400,
      "Resource Patient/p-9 not found",
    ],
    ["a reference elsewhere", observation({ subject: { reference: "http://a/Patient/p-0007" } }), 400, "not found"],
  ])("refuses %s, says why, and keeps nothing", async (_, body, status, why) => {
    const answer = await put("Observation/o-1", body);
    expect(answer).toMatchObject({ status, json: { resourceType: "OperationOutcome" } });
    expect(answer.json.issue?.map(({ diagnostics }) => diagnostics).join()).toContain(why);
    expect((await call("Observation/o-1")).status).toBe(404);
  });

  it("finds by code, subject, identifier, status and time, page after page", async () => {
    for (const n of [1, 2, 3]) await put(`Observation/o-${n}`, observation({ id: `o-${n}` }));
    const other = { id: "o-4", subject: { reference: "Patient/p-0008" }, encounter: undefined, status: "final" };
    await put("Observation/o-4", observation(other));
    expect(found(await call("Observation?subject=Patient/p-0008"))).toEqual(["o-4"]);
    expect(found(await call("Observation?patient=p-0007&code=http://loinc.org|8867-4"))).toEqual(["o-1", "o-2", "o-3"]);
    expect(found(await call("Observation?code=http://example.org|8867-4"))).toEqual([]);
    expect(found(await call("Observation?status=final"))).toEqual(["o-4"]);
    expect(found(await call("Patient?identifier=urn:example:mrn|0007"))).toContain("p-0007");
    const page = await call("Observation?_count=3&_sort=_lastUpdated");
    expect([page.json.total, found(page).length]).toEqual([4, 3]);
    expect(found(await call(page.json.link?.[0]?.url ?? ""))).toEqual(["o-4"]);
    expect(found(await call("Observation?_lastUpdated=gt2999-01-01T00:00:00Z"))).toEqual([]);
    expect(await call("Observation?colour=red")).toMatchObject({ status: 400 });
  });

  it("has what it acknowledged after a restart", async () => {
    await put("Observation/o-1", observation());
    await endpoint.close();
    endpoint = await startFhirEndpoint({ port: 0, file: join(folder, "ehr.sqlite") });
    expect(await call("Observation/o-1")).toMatchObject({ status: 200, etag: 'W/"1"' });
    expect(await call("Encounter/e-0007")).toMatchObject({ status: 200 });
  });

  it("keeps all of a transaction or nothing of it", async () => {
    const provenance = {
      resourceType: "Provenance",
      id: "pr-1",
      target: [{ reference: "Observation/o-1" }],
      recorded: "2026-11-21T14:06:00Z",
      agent: [{ who: { display: "Afferent" } }],
    };
    const transaction = (first: object, condition: object): Promise<Answer> =>
      call("", {
        method: "POST",
        body: JSON.stringify({
          resourceType: "Bundle",
          type: "transaction",
          entry: [
            { resource: first, request: { method: "PUT", url: "Observation/o-1", ...condition } },
            { resource: provenance, request: { method: "PUT", url: "Provenance/pr-1" } },
          ],
        }),
      });
    expect(await transaction(observation({ status: "done" }), { ifNoneMatch: "*" })).toMatchObject({ status: 422 });
    expect(await transaction(observation(), { ifMatch: 'W/"1"' })).toMatchObject({ status: 412 });
    expect(await call("Provenance/pr-1")).toMatchObject({ status: 404 });
    const kept = await transaction(observation(), { ifNoneMatch: "*" });
    expect(kept.json.entry).toMatchObject([
      { response: { status: "201 Created", etag: 'W/"1"' } },
      { response: { status: "201 Created", etag: 'W/"1"' } },
    ]);
    const again = await transaction(observation(), { ifMatch: 'W/"1"' });
    expect(again.json.entry).toMatchObject([{ response: { status: "200 OK", etag: 'W/"1"' } }, {}]);
    expect(await call("Provenance/pr-1")).toMatchObject({ status: 200 });
  });

  it("keeps no other kind of resource", async () => {
    expect(await put("Device/d-1", { resourceType: "Device", id: "d-1" })).toMatchObject({ status: 404 });
    expect(await call("metadata")).toMatchObject({ status: 200, json: { resourceType: "CapabilityStatement" } });
  });
});
