/**
 * Everything that goes with a promotion, in a real EHR: HAPI of the stack, and the embedded endpoint. A pressure's panel with its statistics and
 * Provenance, amended and retracted; the two reports; and the AuditEvents in a FHIR audit repository.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anAssociation, anEpisode, aPatient, aRule, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import { type Disclosure, disclosureOf, type Written } from "../schemas/fhir/disclosure.ts";
import { episodeOf } from "../schemas/fhir/every-kind.fixture.ts";
import { dialysisReportOf } from "../schemas/fhir/report-dialysis.ts";
import { news2ReportOf } from "../schemas/fhir/report-news2.ts";
import { aNews2, aSession, reporting } from "../schemas/fhir/report.fixture.ts";
import { retractionOf } from "../schemas/fhir/retraction.ts";
import { type Intent, writesAlone } from "../schemas/records/clinical.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { logTime } from "../streams/core/time.ts";
import { type FhirEndpoint, startFhirEndpoint } from "../streams/io/fhir-endpoint.ts";
import { fhirClient } from "../streams/io/fhir/client.ts";
import { seedPatients } from "../streams/io/fhir/patients.ts";
import { fhirAdapter } from "../streams/io/fhir.ts";
import { entriesOf, sinkTo } from "../streams/io/outbox/outbox.fixture.ts";
import { intended, type Promotion, wellFormed } from "../topologies/gates/well-formed.ts";
import { sharedStack } from "./stack.ts";

const patient = aPatient({ patientKey: "pk-resources", fhirId: "p-resources", encounterFhirId: "e-resources" });
const at = two + minutes(6);

const intentOf = (identity: string, revision: number, promotion: Promotion, action: Intent["action"]): Intent => ({
  kind: "intent",
  ...writesAlone,
  identity,
  revision,
  patientKey: patient.patientKey,
  destination: "ehr",
  ...intended(promotion),
  action,
  at: logTime(at),
});

/** As the gates make it. */
const promoted = (episode: Episode): Intent => {
  const { promotion, gate } = wellFormed({
    episode,
    patient,
    revision: episode.revision,
    status: episode.phase === "end" ? "final" : "preliminary",
    transform: "gates@2",
    note: null,
    association: anAssociation(),
    destination: { name: "ehr", purpose: "TREAT" },
    stands: episode.revision > 0,
    at,
  });
  if (promotion === null) throw new Error(gate.detail);
  return intentOf(episode.identity, episode.revision, promotion, "write");
};

const about = {
  destination: "ehr",
  purpose: "TREAT",
  revision: 0,
  activity: "create",
  at,
  transform: "reports@1",
  rule: aRule(),
  inputs: [anEpisode().qualifyingIdentity],
  association: { id: "link-7", revision: 1 },
} as const;

const reported = (identity: string, written: Written): Intent =>
  intentOf(identity, 0, { resource: written.resource, ...disclosureOf({ ...about, written }) }, "write");

const retracted = (before: Intent, revision: number): Intent => {
  const { destination: _, activity: __, ...rest } = about;
  const taken = retractionOf(before, { ...rest, revision, reason: "Entered in error: the link was another's" });
  return intentOf(before.identity, revision, taken, "retract");
};

interface Kept {
  readonly id: string;
  readonly status: string;
  readonly meta: { readonly versionId: string };
  readonly component?: readonly unknown[];
  readonly hasMember?: readonly { readonly reference: string }[];
  readonly result?: readonly { readonly reference: string }[];
  readonly target?: readonly { readonly reference: string }[];
}

const ehrAt = (baseUrl: () => string) => ({
  write: async (intent: Intent): Promise<string> => {
    const { sink } = sinkTo(fhirAdapter(fhirClient({ baseUrl: baseUrl(), timeoutMs: 30_000, now: Date.now })));
    const [answer] = await sink.write(entriesOf([intent]));
    return answer?.body.kind === "delivery" ? `${answer.body.outcome} ${answer.body.detail}` : "nothing";
  },
  read: async (reference: string): Promise<Kept> => {
    const response = await fetch(`${baseUrl()}/${reference}`);
    expect(response.status, reference).toBe(200);
    return (await response.json()) as Kept;
  },
});

const provenanceIn = ({ beside }: Intent): string => {
  const last = JSON.parse(beside.at(-1) ?? "{}") as { resourceType: string; id: string };
  expect(last.resourceType).toBe("Provenance");
  return `Provenance/${last.id}`;
};

let folder: string;
let endpoint: FhirEndpoint;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "afferent-resources-"));
  endpoint = await startFhirEndpoint({ port: 0, file: join(folder, "ehr.sqlite") });
  await endpoint.seed([patient]);
  await seedPatients(sharedStack().server("hapi").url, [patient]);
});
afterAll(async () => {
  await endpoint.close();
  await rm(folder, { recursive: true });
});

describe.each([
  ["HAPI", () => sharedStack().server("hapi").url],
  ["the embedded endpoint", () => endpoint.url],
])("%s", (_, baseUrl) => {
  const ehr = ehrAt(baseUrl);
  const identity = "resources-pressure";
  const first = promoted(episodeOf("nibpSystolic", "start", { identity }));
  const second = promoted(episodeOf("nibpSystolic", "end", { identity }));
  const panel = `Observation/${first.resourceId}`;

  it("keeps a pressure's panel with its statistics and Provenance, as one", async () => {
    expect(await ehr.write(first)).toBe("written 201");
    const kept = await ehr.read(panel);
    expect(kept).toMatchObject({ status: "preliminary", code: { coding: [{ code: "85354-9" }, { code: "150020" }] } });
    expect(kept.component).toHaveLength(3);
    const [member] = kept.hasMember ?? [];
    expect(await ehr.read(member?.reference ?? "")).toMatchObject({ status: "preliminary" });
    const { target } = await ehr.read(provenanceIn(first));
    expect(target?.map(({ reference }) => reference)).toEqual([panel, member?.reference]);
  });

  it("keeps it amended at its end, the earlier Provenance beside the new one", async () => {
    expect(await ehr.write(second)).toBe("written 200");
    expect(await ehr.write(second)).toMatch(/^alreadyThere/);
    expect(await ehr.read(panel)).toMatchObject({ status: "final", meta: { versionId: "2" } });
    for (const intent of [first, second]) await ehr.read(provenanceIn(intent));
    expect(provenanceIn(first)).not.toBe(provenanceIn(second));
  });

  it("keeps it entered in error with its values, its member too, and why", async () => {
    const taken = retracted(second, 2);
    expect(await ehr.write(taken)).toBe("written 200");
    const kept = await ehr.read(panel);
    expect(kept).toMatchObject({ status: "entered-in-error", note: [{ text: expect.stringContaining("link") }] });
    expect(kept.component).toHaveLength(3);
    expect(await ehr.read(kept.hasMember?.[0]?.reference ?? "")).toMatchObject({ status: "entered-in-error" });
    expect(await ehr.read(provenanceIn(taken))).toMatchObject({ activity: { coding: [{ code: "NULLIFY" }] } });
    expect(await ehr.write(second)).toMatch(/^alreadyThere revision 2/);
  });

  it.each([
    ["a dialysis session", dialysisReportOf({ ...reporting(aSession()), patient })],
    ["a deterioration", news2ReportOf({ ...reporting(aNews2()), patient })],
  ])("keeps the report of %s with its findings", async (what, result) => {
    if (!result.ok) throw new Error(result.problem.detail);
    const intent = reported(what, result.value);
    expect(await ehr.write(intent)).toBe("written 201");
    const kept = await ehr.read(`DiagnosticReport/${intent.resourceId}`);
    expect(kept.result?.length).toBe(result.value.beside.length);
    for (const { reference } of kept.result ?? []) await ehr.read(reference);
  });
});

describe("an audit repository (HAPI)", () => {
  it("keeps the AuditEvent of a write and of a retraction", async () => {
    const write = promoted(episodeOf("heartRate", "start", { identity: "resources-audit" }));
    const events = [write, retracted(write, 1)].map(({ audit }) => JSON.parse(audit ?? "{}") as Disclosure["audit"]);
    const url = sharedStack().server("hapi").url;
    // It refers to what the repository itself need not keep; this server wants it there.
    await ehrAt(() => url).write(write);
    for (const event of events) {
      const response = await fetch(`${url}/AuditEvent/${event.id}`, {
        method: "PUT",
        headers: { "content-type": "application/fhir+json" },
        body: JSON.stringify(event),
      });
      expect(response.status, await response.text()).toBe(201);
    }
  });
});
