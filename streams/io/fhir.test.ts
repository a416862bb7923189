/** The writer against the embedded endpoint, with a proxy between them that can be told to misbehave. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anEpisode, aPatient, ended } from "../../schemas/fhir/clinical.fixture.ts";
import { observationId, observationOf } from "../../schemas/fhir/observation.ts";
import { anObservationIntent, aPressureEpisode, aRetraction } from "../../schemas/hl7v2/pcd01.fixture.ts";
import { type Intent, writesAlone } from "../../schemas/records/clinical.ts";
import type { Patient } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { logTime } from "../core/time.ts";
import { fhirClient } from "./fhir/client.ts";
import { fhirAdapter } from "./fhir.ts";
import { type FhirEndpoint, startFhirEndpoint } from "./fhir-endpoint.ts";
import type { ConsentCheck } from "./outbox/attempt.ts";
import { entriesOf, sinkTo } from "./outbox/outbox.fixture.ts";
import type { DestinationSink, OutboxSinkOptions } from "./outbox/sink.ts";

/** What the proxy does with one request: answer it itself (true), or let it pass. */
type Fault = (request: IncomingMessage, response: ServerResponse, forward: () => Promise<void>) => Promise<boolean>;

let ehr: FhirEndpoint;
let proxy: Server;
let baseUrl: string;
let faults: Fault[];
let requests: string[];
let historyStatus: number | null;

const passOn = async (to: string, request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> => {
  const answer = await fetch(to.replace("/fhir", request.url ?? ""), {
    method: request.method ?? "GET",
    headers: Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !["host", "connection", "content-length"].includes(name)),
    ) as Record<string, string>,
    ...(body.length > 0 && { body: new Uint8Array(body) }),
  });
  response.writeHead(answer.status, { etag: answer.headers.get("etag") ?? "" }).end(await answer.text());
};

beforeEach(async () => {
  ehr = await startFhirEndpoint({ port: 0, file: ":memory:" });
  await ehr.seed([aPatient(), aPatient({ patientKey: "pk-8", fhirId: "p-0008", encounterFhirId: null })]);
  faults = [];
  requests = [];
  historyStatus = null;
  // what comes too late comes to the server of its own test
  const { url: to } = ehr;
  proxy = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      requests.push(request.method ?? "");
      if (historyStatus !== null && request.url?.includes("_history"))
        return void response.writeHead(historyStatus).end();
      const forward = (): Promise<void> =>
        passOn(to, request, Buffer.concat(chunks), response).catch(() => void response.destroy());
      const fault = request.method === "PUT" || request.method === "POST" ? faults.shift() : undefined;
      if (fault === undefined || !(await fault(request, response, forward))) await forward();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/fhir`;
});
afterEach(async () => {
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await ehr.close();
});

const intent = (episode: Episode = anEpisode(), patient: Patient = aPatient(), change: object = {}): Intent => {
  const resource = observationOf({
    episode,
    patient,
    revision: episode.revision,
    status: episode.phase === "end" ? "final" : "preliminary",
    transform: "gates@1",
    note: null,
  });
  return {
    kind: "intent",
    ...writesAlone,
    identity: episode.identity,
    revision: episode.revision,
    patientKey: patient.patientKey,
    destination: "ehr",
    resourceType: "Observation",
    resourceId: observationId(episode, patient),
    resource: JSON.stringify({ ...resource, ...change }),
    at: logTime(0),
  };
};

const sink = ({ to = baseUrl, ...change }: Partial<OutboxSinkOptions> & { to?: string } = {}): DestinationSink => {
  const client = fhirClient({ baseUrl: to, timeoutMs: 1_000, now: Date.now });
  return sinkTo(fhirAdapter(client), { triesMost: 3, ...change }).sink;
};
const write = async (intents: readonly Intent[], writer = sink()): Promise<string[]> =>
  (await writer.write(entriesOf(intents))).map(({ body }) =>
    body.kind === "delivery" ? `${body.outcome} ${body.detail}` : body.kind,
  );

const inEhr = async (of: Intent): Promise<{ status?: string; meta?: { versionId: string } } | null> => {
  const answer = await fetch(`${ehr.url}/Observation/${of.resourceId}`);
  return answer.status === 200 ? ((await answer.json()) as object) : null;
};

const status =
  (code: number, headers: Record<string, string> = {}): Fault =>
  (_request, response) => {
    response.writeHead(code, headers).end(JSON.stringify({ resourceType: "OperationOutcome", issue: [] }));
    return Promise.resolve(true);
  };
const drop: Fault = (request) => {
  request.socket.destroy();
  return Promise.resolve(true);
};
const dropAfterAccepting: Fault = async (request, response, forward) => {
  response.writeHead = (() => {
    request.socket.destroy();
    return response;
  }) as unknown as typeof response.writeHead;
  await forward();
  return true;
};
const slow: Fault = async () => {
  await sleep(1_200);
  return false;
};
const garbage: Fault = (_request, response) => {
  response.writeHead(200).end("<html>please log in</html>");
  return Promise.resolve(true);
};

describe("writing an outbox to a FHIR server", () => {
  it("writes an episode and its end under one id, and repeats add nothing", async () => {
    const [start, end] = [intent(), intent(ended(anEpisode()))];
    expect(await write([start, end])).toEqual(["written 201", "written 200"]);
    expect(await inEhr(end)).toMatchObject({ status: "final", meta: { versionId: "2" } });
    expect(await write([start, end])).toEqual(["alreadyThere revision 1 is there", "alreadyThere revision 1 is there"]);
    expect(await inEhr(end)).toMatchObject({ status: "final", meta: { versionId: "2" } });
  });

  it("leaves other destinations' intents alone, and says each answer about the entry that it belongs to", async () => {
    const other = { ...intent(), destination: "research" };
    const emissions = await sink().write(entriesOf([other, intent()]));
    expect(emissions.map(({ offset, key, to }) => [offset, key, to])).toEqual([[1, "pk-7", "deliveries"]]);
    expect(requests).toEqual(["GET", "PUT"]);
  });

  it.each<[string, readonly Fault[]]>([
    ["a connection that breaks before", [drop]],
    ["503 twice", [status(503), status(503)]],
    ["429 with a Retry-After", [status(429, { "retry-after": "0" })]],
    ["a stale If-Match as HAPI answers it, 409", [status(409)]],
    ["a stale If-Match as the specification has it, 412", [status(412)]],
    ["an answer that comes too late", [slow]],
    ["an answer that is no FHIR", [garbage]],
    ["500 once", [status(500)]],
  ])("comes through %s", async (_, planted) => {
    faults = [...planted];
    const [outcome] = await write([intent()]);
    expect(outcome).toMatch(/^written/);
    expect(await inEhr(intent())).toMatchObject({ meta: { versionId: "1" } });
  });

  it("reads what became of a write whose answer was lost, and does not write it again", async () => {
    faults = [dropAfterAccepting];
    expect(await write([intent()])).toEqual(["written confirmed by reading"]);
    expect(requests).toEqual(["GET", "PUT", "GET"]);
    expect(await inEhr(intent())).toMatchObject({ meta: { versionId: "1" } });
  });

  it("lets no older revision win, though it comes late from a writer that was superseded meanwhile", async () => {
    const end = intent(ended(anEpisode()));
    faults = [
      async (_request, _response, forward) => {
        await write([end], sink({ to: ehr.url }));
        await forward();
        return true;
      },
    ];
    expect(await write([intent()])).toEqual(["alreadyThere revision 1 is there"]);
    expect(await inEhr(end)).toMatchObject({ status: "final", meta: { versionId: "1" } });
  });

  it("waits for a server that is down, and goes on where it stopped", async () => {
    const writer = sink({ patienceMs: 100 });
    faults = [(_request, _response, forward) => forward().then(() => true), drop];
    const batch = [intent(), intent(ended(anEpisode()))];
    await expect(write(batch, writer)).rejects.toMatchObject({ code: "destination-down", retry: true });
    requests = [];
    expect(await write(batch, writer)).toEqual(["written 201", "written 200"]);
    expect(requests).toEqual(["GET", "PUT"]);
  });

  it("waits when nobody listens at all", async () => {
    await expect(write([intent()], sink({ to: "http://127.0.0.1:9/fhir", patienceMs: 0 }))).rejects.toMatchObject({
      code: "destination-down",
      retry: true,
    });
  });

  it.each([401, 403, 404, 405])(
    "holds everything on %d, which speaks of the way and not of the resource",
    async (code) => {
      faults = [status(code)];
      await expect(write([intent()], sink({ patienceMs: 0 }))).rejects.toMatchObject({
        code: "destination-misconfigured",
        retry: true,
      });
    },
  );
});

describe("the AuditEvent of a disclosure", () => {
  const audited = (of: Intent): Intent => ({
    ...of,
    audit: JSON.stringify({ resourceType: "AuditEvent", id: `disclosed-${of.revision}` }),
  });
  const [start, end] = [audited(intent()), audited(intent(ended(anEpisode())))];
  const told = async (intents: readonly Intent[]): Promise<unknown[]> =>
    (await sink().write(entriesOf(intents))).map(({ body }) =>
      body.kind === "delivery" ? [body.outcome, body.audit] : body.kind,
    );

  it("is told by the next start, when promote dies between the server's answer and the commit", async () => {
    expect(await told([start])).toEqual([["written", start.audit]]);
    expect(await told([start])).toEqual([["alreadyThere", start.audit]]);
  });

  it("is told for each revision that was disclosed, covered ones too", async () => {
    await told([start, end]);
    expect(await told([start, end])).toEqual([
      ["alreadyThere", start.audit],
      ["alreadyThere", end.audit],
    ]);
  });

  it("its twin, of a revision that a later one forestalled, is not told: it was never there", async () => {
    await told([end]);
    expect(await told([start])).toEqual([["alreadyThere", null]]);
  });

  it("is told where the server keeps no history that could say: better one too many than a disclosure that nobody finds", async () => {
    await told([end]);
    historyStatus = 501;
    expect(await told([start])).toEqual([["alreadyThere", start.audit]]);
  });

  it("waits for the history of a server that is busy", async () => {
    await told([end]);
    historyStatus = 503;
    await expect(sink({ patienceMs: 0 }).write(entriesOf([start]))).rejects.toMatchObject({ code: "destination-down" });
  });
});

describe("what one resource does to the others", () => {
  const other = intent(
    anEpisode({ identity: "f".repeat(32) }),
    aPatient({ patientKey: "pk-8", fhirId: "p-0008", encounterFhirId: null }),
  );

  it("is nothing, when the server refuses it with its reason", async () => {
    const dangling = intent(anEpisode(), aPatient({ fhirId: "p-9999" }));
    const malformed = intent(anEpisode({ identity: "e".repeat(32) }), aPatient(), { status: "done" });
    const outcomes = await write([dangling, malformed, other]);
    expect(outcomes[0]).toBe("refused 400: Resource Patient/[patient] not found");
    expect(outcomes[1]).toMatch(/^refused 422: Observation.status/);
    expect(outcomes[2]).toBe("written 201");
  });

  it("is nothing, when a healthy server fails on it each time", async () => {
    const poison = intent();
    faults = [status(500), status(500), status(500)];
    const outcomes = await write([poison]);
    expect(outcomes[0]).toMatch(/^refused update: 500 \(3 tries, the destination is well\)/);
    expect(await write([other])).toEqual(["written 201"]);
  });

  it("never takes over a resource that belongs to another subject, or that is not ours", async () => {
    const foreign = { ...(JSON.parse(other.resource) as object), id: intent().resourceId };
    const theirs = { ...(JSON.parse(intent().resource) as object), id: "theirs", meta: {} };
    for (const resource of [foreign, theirs])
      await fetch(`${ehr.url}/Observation/${resource.id}`, { method: "PUT", body: JSON.stringify(resource) });
    const [changed, taken] = await write([intent(), { ...intent(), resourceId: "theirs" }]);
    expect(changed).toMatch(/^refused .* belongs to another subject/);
    expect(taken).toMatch(/^refused .* is not ours/);
  });
});

const provenanceOf = ({ resourceId, revision }: Intent): object => ({
  resourceType: "Provenance",
  id: `pr-${revision}`,
  target: [{ reference: `Observation/${resourceId}` }],
  recorded: "2026-11-21T14:06:00.000Z",
  agent: [{ who: { display: "Afferent" } }],
});
const pressure = (change: object = {}): Intent => {
  const made = anObservationIntent({ episode: aPressureEpisode(), change });
  return { ...made, beside: [...made.beside, JSON.stringify(provenanceOf(made))] };
};
const standing = async (reference: string): Promise<number> => (await fetch(`${ehr.url}/${reference}`)).status;

describe("what belongs beside a resource", () => {
  const member = (): string =>
    (JSON.parse(pressure().resource) as { hasMember: { reference: string }[] }).hasMember[0]?.reference ?? "";

  it("is written with it in one transaction, and repeats add nothing", async () => {
    expect(await write([pressure()])).toEqual(["written 201"]);
    expect(requests).toEqual(["GET", "POST"]);
    expect([await standing(member()), await standing("Provenance/pr-0")]).toEqual([200, 200]);
    expect(await write([pressure()])).toEqual(["alreadyThere revision 0 is there"]);
    expect(await inEhr(pressure())).toMatchObject({ meta: { versionId: "1" } });
  });

  it("is not there without it: a transaction that is refused leaves nothing", async () => {
    const made = pressure();
    const broken = { ...made, beside: [...made.beside, JSON.stringify({ ...provenanceOf(made), id: "b", agent: [] })] };
    expect((await write([broken]))[0]).toMatch(/^refused 422/);
    expect([await inEhr(made), await standing(member()), await standing("Provenance/pr-0")]).toEqual([null, 404, 404]);
  });

  it.each<[string, readonly Fault[]]>([
    ["whose answer was lost", [dropAfterAccepting]],
    ["that was not taken, 503", [status(503)]],
    ["that met another writer, 409", [status(409)]],
    ["that was answered by something else", [garbage]],
  ])("is there once after a transaction %s", async (_, planted) => {
    faults = [...planted];
    expect((await write([pressure()]))[0]).toMatch(/^written/);
    expect(await inEhr(pressure())).toMatchObject({ meta: { versionId: "1" } });
    expect(await standing("Provenance/pr-0")).toBe(200);
  });
});

describe("a retraction", () => {
  it("puts the form entered in error over what stands, and over what stands beside it", async () => {
    const made = pressure();
    await write([made]);
    const back = aRetraction(made);
    expect(await write([back])).toEqual(["written 200"]);
    expect(await inEhr(made)).toMatchObject({ status: "entered-in-error", meta: { versionId: "2" } });
    expect(await write([back, made])).toEqual(["alreadyThere revision 1 is there", "alreadyThere revision 1 is there"]);
    expect(await inEhr(made)).toMatchObject({ status: "entered-in-error", meta: { versionId: "2" } });
  });

  it("creates nothing where nothing was written; its twin above has something to take back", async () => {
    expect(await write([aRetraction(pressure())])).toEqual(["alreadyThere 404: nothing to take back there"]);
    expect(await inEhr(pressure())).toBeNull();
    expect(requests).toEqual(["GET"]);
  });

  it("is not undone by the write that a person has sent again", async () => {
    const again = { ...pressure(), resentBy: "Dr. Ada Brandt" };
    expect(await write([aRetraction(pressure()), again])).toEqual([
      "alreadyThere 404: nothing to take back there",
      "alreadyThere superseded: revision 1 was settled after it",
    ]);
    expect(await inEhr(pressure())).toBeNull();
  });
});

describe("a server that adds the tags of a new version to those of the old", () => {
  it("is read by the highest revision among them", async () => {
    const end = intent(ended(anEpisode()));
    const tag = ["0", "1"].map((code) => ({ system: "urn:afferent:revision", code }));
    await fetch(`${ehr.url}/Observation/${end.resourceId}`, {
      method: "PUT",
      body: JSON.stringify({ ...(JSON.parse(end.resource) as object), meta: { tag } }),
    });
    expect(await write([end])).toEqual(["alreadyThere revision 1 is there"]);
  });
});

describe("consent at the moment of writing", () => {
  it("withholds what was permitted when the gates decided; its twin is written", async () => {
    const withdrawn: ConsentCheck = ({ patientKey }) =>
      Promise.resolve(
        patientKey === "pk-7"
          ? { passed: false, reason: "consent-denied", detail: "withdrawn at the bedside" }
          : { passed: true, reason: "passed", detail: "" },
      );
    const twin = intent(
      anEpisode({ identity: "f".repeat(32) }),
      aPatient({ patientKey: "pk-8", fhirId: "p-0008", encounterFhirId: null }),
    );
    expect(await write([intent(), twin], sink({ consent: withdrawn }))).toEqual([
      "withheld consent-denied: withdrawn at the bedside",
      "written 201",
    ]);
    expect(await inEhr(intent())).toBeNull();
    expect(await inEhr(twin)).not.toBeNull();
  });

  it("is asked again before each try", async () => {
    let asked = 0;
    faults = [status(503)];
    const once: ConsentCheck = () =>
      Promise.resolve({ passed: asked++ === 0, reason: "consent-denied", detail: "withdrawn meanwhile" });
    expect(await write([intent()], sink({ consent: once }))).toEqual(["withheld consent-denied: withdrawn meanwhile"]);
    expect(await inEhr(intent())).toBeNull();
  });
});
