/** The source of consents against the real HAPI FHIR server of the stack: its search, its pages, its cache of searches, its deletions. */
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aPatient, two } from "../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, policyRule } from "../schemas/fhir/consent.fixture.ts";
import { type Intent, writesAlone } from "../schemas/records/clinical.ts";
import type { Patient } from "../schemas/records/roster.ts";
import { events } from "../schemas/topics.ts";
import type { Platform } from "../streams/compose.ts";
import { partitionOf } from "../streams/core/hash.ts";
import { logTime } from "../streams/core/time.ts";
import { bareWire as wire } from "../streams/io/registry/bare-wire.fixture.ts";
import { openConsentReader } from "../streams/io/consent/reader.ts";
import { seedPatients } from "../streams/io/fhir/patients.ts";
import { memoryLog } from "../streams/log/memory.ts";
import { consentAtWriting } from "../streams/roles/consent-at-writing.ts";
import { openConsentSource } from "../streams/roles/consent-source.ts";
import { consentTable } from "../streams/roles/consent-table.ts";
import { sharedStack } from "./stack.ts";

/** Other tests share the server: this file has a patient of its own. */
const patient = aPatient({ patientKey: "pk-consent", fhirId: "p-consent", encounterFhirId: null });
const log = memoryLog();
const table = consentTable(log, wire);
let baseUrl: string;
let source: { close(): Promise<void> };

const config = () => ({
  name: "ehr",
  baseUrl,
  pollMs: 1_000,
  timeoutMs: 20_000,
  freshForMs: 60_000,
  confirmEveryMs: 3_000,
  rereadEveryMs: 10_000,
});

const consentOf = (id: string, change: Record<string, unknown> = {}) =>
  aConsentJson({ id, patient: { reference: "Patient/p-consent" }, dateTime: "2020-01-01T00:00:00Z", ...change });

const send = async (method: string, path: string, body?: unknown): Promise<void> => {
  const answer = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { "content-type": "application/fhir+json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
};

const reason = async (): Promise<string> => {
  const intent: Intent = {
    kind: "intent",
    ...writesAlone,
    identity: "consent-source",
    revision: 0,
    patientKey: patient.patientKey,
    destination: "ehr",
    resourceType: "Observation",
    resourceId: "o-consent",
    resource: JSON.stringify({ resourceType: "Observation", effectiveDateTime: "2026-11-21T14:05:00Z" }),
    at: logTime(two),
  };
  const hops = [{ name: "ehr", purpose: "TREAT" }];
  return (await consentAtWriting({ table, now: Date.now, hops, source: { name: "ehr", freshForMs: 60_000 } })(intent))
    .reason;
};
const until = async (wanted: string): Promise<number> => {
  const began = performance.now();
  await expect.poll(() => reason(), { timeout: 20_000, interval: 50 }).toBe(wanted);
  return Math.round(performance.now() - began);
};

beforeAll(async () => {
  baseUrl = sharedStack().server("hapi").url;
  await seedPatients(baseUrl, [patient]);
  await log.ensure([{ name: events.name, partitions: events.partitions }]);
  await (await log.appender("test")).append([
    {
      topic: events.name,
      partition: partitionOf(patient.patientKey, events.partitions),
      key: patient.patientKey,
      value: wire.encode(events, { position: null, logTime: logTime(two), body: patient }),
    },
  ]);
  await send("PUT", "/Consent/consent-a", consentOf("consent-a"));
  source = await openConsentSource(config(), {
    platform: {
      log,
      wire,
      metrics: new Registry(),
      say: { info: () => undefined, warn: () => undefined, error: () => undefined },
      config: { speed: 1 },
    } as unknown as Platform,
    table,
    now: Date.now,
  });
}, 180_000);

afterAll(async () => {
  await source.close();
  await table.close();
  await log.close();
});

it("hears a permit, its revocation within five seconds, a new permit and its deletion", {
  timeout: 90_000,
}, async () => {
  await until("passed");
  await send("PUT", "/Consent/consent-a", consentOf("consent-a", { policyRule: policyRule("OPTOUT") }));
  const deniedMs = await until("consent-denied");
  await send("PUT", "/Consent/consent-b", consentOf("consent-b", { dateTime: "2020-01-02T00:00:00Z" }));
  const permittedMs = await until("passed");
  await send("DELETE", "/Consent/consent-b");
  const goneMs = await until("consent-denied");
  console.error(
    `HAPI: revoked ${deniedMs} ms, permitted ${permittedMs} ms, deletion found ${goneMs} ms after it was answered`,
  );
  expect(deniedMs).toBeLessThan(5_000);
});

it("reads more than one page", { timeout: 90_000 }, async () => {
  const ids = Array.from({ length: 230 }, (_, i) => `consent-page-${i}`);
  await send("POST", "", {
    resourceType: "Bundle",
    type: "transaction",
    entry: ids.map((id) => ({
      fullUrl: `${baseUrl}/Consent/${id}`,
      request: { method: "PUT", url: `Consent/${id}` },
      resource: consentOf(id),
    })),
  });
  const known = async () =>
    (await table.of(patient.patientKey)).consents.filter(({ id }) => id.startsWith("ehr/consent-page-")).length;
  await expect.poll(known, { timeout: 60_000, interval: 100 }).toBe(ids.length);
});

it("finds several patients' consents in one search", { timeout: 90_000 }, async () => {
  const other: Patient = { ...patient, patientKey: `${patient.patientKey}-2`, fhirId: `${patient.fhirId}-2` };
  await seedPatients(baseUrl, [other]);
  await send(
    "PUT",
    "/Consent/consent-other",
    consentOf("consent-other", { patient: { reference: `Patient/${other.fhirId}` } }),
  );
  const reader = await openConsentReader(config(), new AbortController().signal);
  const idsOf = async (...ids: string[]) =>
    (await reader.ofPatients(ids))
      .map(({ id }) => id)
      .filter((id) => /consent-(a|other)$/.test(id))
      .sort();
  expect(await idsOf(other.fhirId)).toEqual(["consent-other"]);
  expect(await idsOf(patient.fhirId, "nobody", other.fhirId)).toEqual(["consent-a", "consent-other"]);
});
