/** The same afternoon to two systems that we did not write: HAPI FHIR, and HAPI HL7 v2's parser and MLLP server. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Hl7v2Reading, type Hl7v2Server, readHl7v2, serveHl7v2 } from "../deploy/hl7v2-reader.ts";
import { freePorts } from "../deploy/ports.ts";
import { anEpisode, aPatient, ended } from "../schemas/fhir/clinical.fixture.ts";
import {
  anIdentity,
  anObservationIntent,
  aPressureEpisode,
  aRetraction,
  parties,
} from "../schemas/hl7v2/pcd01.fixture.ts";
import { pcd01 } from "../schemas/hl7v2/pcd01.ts";
import type { Intent } from "../schemas/records/clinical.ts";
import { fhirClient } from "../streams/io/fhir/client.ts";
import { seedPatients } from "../streams/io/fhir/patients.ts";
import { fhirAdapter } from "../streams/io/fhir.ts";
import { oruDestination } from "../streams/io/hl7v2-oru.ts";
import { sinkTo, written } from "../streams/io/outbox/outbox.fixture.ts";
import { sharedStack } from "./stack.ts";

const patient = aPatient({ patientKey: "pk-two", fhirId: "p-two-systems", encounterFhirId: null });
const identity = anIdentity({ fhirId: patient.fhirId, value: "MRN0007" });
const intentOf = (of: Parameters<typeof anObservationIntent>[0]): Intent =>
  anObservationIntent({ ...of, patient, change: { patient: identity, ...of?.change } });

const rate = anEpisode({ identity: "two-rate".padEnd(32, "0") });
const pressure = { ...aPressureEpisode(), identity: "two-pressure".padEnd(32, "0") };
const start = intentOf({ episode: rate });
const end = intentOf({ episode: ended(rate), status: "final" });
const panel = intentOf({ episode: pressure, note: "folded: 2 more | and a ~ tilde" });
const provenance = JSON.stringify({
  resourceType: "Provenance",
  id: "pr-two-systems",
  target: [{ reference: `Observation/${panel.resourceId}` }],
  recorded: "2026-11-21T14:06:00.000Z",
  agent: [{ who: { display: "Afferent" } }],
});
const withProvenance = { ...panel, beside: [...panel.beside, provenance] };
const afternoon: readonly Intent[] = [start, withProvenance, end, aRetraction(withProvenance)];

const textOf = (intent: Intent): string => {
  const made = pcd01(intent, parties);
  if (!made.ok) throw new Error(made.problem.detail);
  return made.value.text;
};

const obx = (n: number, field: string): string => `/PATIENT_RESULT/ORDER_OBSERVATION/OBSERVATION(${n})/OBX-${field}`;
/** What HAPI is asked for, and what it has to find: written from PCD-01, not from what pcd01.ts says. */
const expectations: readonly (readonly [Intent, readonly (readonly [string, string | null])[]])[] = [
  [
    start,
    [
      ["/MSH-9-3", "ORU_R01"],
      ["/MSH-12-1", "2.6"],
      ["/MSH-21-1", "IHE_PCD_ORU_R01"],
      ["/MSH-21-3", "1.3.6.1.4.1.19376.1.6.1.1.1"],
      ["/PATIENT_RESULT/PATIENT/PID-3-1", "MRN0007"],
      ["/PATIENT_RESULT/PATIENT/PID-3-4-1", "WARDHOSP"],
      ["/PATIENT_RESULT/PATIENT/PID-3-4-2", "1.2.3.4"],
      ["/PATIENT_RESULT/PATIENT/PID-5-1", null],
      ["/PATIENT_RESULT/ORDER_OBSERVATION/OBR-3-1", start.resourceId],
      ["/PATIENT_RESULT/ORDER_OBSERVATION/OBR-7-1", "20261121140500.000+0000"],
      [obx(0, "3-1"), "147842"],
      [obx(0, "3-4"), "8867-4"],
      [obx(0, "5-1"), "128"],
      [obx(0, "6-1"), "/min"],
      [obx(0, "8"), "H"],
      [obx(0, "11"), "R"],
      [obx(0, "14-1"), "20261121140510.000+0000"],
    ],
  ],
  [
    panel,
    [
      ["/PATIENT_RESULT/ORDER_OBSERVATION/NTE-3", "folded: 2 more | and a ~ tilde"],
      [obx(0, "3-1"), "150036"],
      [obx(0, "5-1"), null],
      [obx(1, "4"), "1.1.1.1"],
      [obx(1, "5-1"), "191"],
      [obx(2, "5-1"), "94"],
      [obx(3, "5-1"), "126"],
    ],
  ],
  [
    aRetraction(panel),
    [
      [obx(1, "5-1"), "191"],
      [obx(1, "11"), "W"],
      [obx(3, "11"), "W"],
    ],
  ],
];
const broken: readonly (readonly [string, string])[] = [
  ["a value that is no number", textOf(start).replace("|128|", "|fast|")],
  ["a time that is none", textOf(start).replaceAll("20261121140510.000+0000", "yesterday")],
];

describe("HAPI's HL7 v2 parser", () => {
  let readings: readonly Hl7v2Reading[];
  beforeAll(async () => {
    readings = await readHl7v2([
      ...expectations.map(([intent, asked]) => ({ message: textOf(intent), paths: asked.map(([path]) => path) })),
      ...broken.map(([, message]) => ({ message, paths: [] })),
    ]);
  });

  it("finds in each message what PCD-01 says", () => {
    for (const [n, [, asked]] of expectations.entries())
      expect(readings[n]).toEqual({ values: asked.map(([, value]) => value) });
  });

  it.each(broken.map(([what], n) => [what, expectations.length + n] as const))("refuses %s", (_what, n) => {
    expect(readings[n]).toEqual({ error: expect.stringMatching(/./) });
  });
});

describe("HAPI FHIR and HAPI's MLLP server", () => {
  let server: Hl7v2Server;
  let baseUrl: string;
  beforeAll(async () => {
    baseUrl = sharedStack().server("hapi").url;
    await seedPatients(baseUrl, [patient]);
  });
  afterAll(() => server?.close());

  it("have the afternoon, each in its own language, and what was taken back is taken back in both", async () => {
    const { mosquitto: port } = await freePorts();
    server = await serveHl7v2(port);
    const config = { name: "ehr", kind: "hl7v2" as const, finalAtEnd: true, host: "127.0.0.1", port };
    const signal = new AbortController().signal;
    const oru = await oruDestination.open({ ...config, sender: parties.sender, receiver: "EHR" }, { signal });
    const fhir = fhirAdapter(fhirClient({ baseUrl, timeoutMs: 30_000, now: Date.now }));
    expect(await written(sinkTo(fhir).sink, afternoon)).toEqual([
      "0 written 201",
      "1 written 201",
      "2 written 200",
      "3 written 200",
    ]);
    expect(await written(sinkTo(oru).sink, afternoon)).toEqual(afternoon.map((_, n) => `${n} written AA`));
    await oru.close();

    const standing = async (reference: string) => (await fetch(`${baseUrl}/${reference}`)).json();
    expect(await standing(`Observation/${start.resourceId}`)).toMatchObject({ status: "final" });
    expect(await standing(`Observation/${panel.resourceId}`)).toMatchObject({ status: "entered-in-error" });
    for (const beside of panel.beside)
      expect(await standing(`Observation/${(JSON.parse(beside) as { id: string }).id}`)).toMatchObject({
        status: "entered-in-error",
      });
    expect(await standing("Provenance/pr-two-systems")).toMatchObject({ resourceType: "Provenance" });

    const statuses = server.heard.map((one) =>
      "message" in one ? (one.message.match(/\|[RFCW]\|/g) ?? []).join("") : one.error,
    );
    expect(statuses).toEqual(["|R|", "|R||R||R||R|", "|R|", "|W||W||W||W|"]);
  });
});
