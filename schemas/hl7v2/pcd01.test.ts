/** Intents as PCD-01 messages, field by field, and what has no such form. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { anEpisode, ended } from "../fhir/clinical.fixture.ts";
import type { Intent } from "../records/clinical.ts";
import { anIdentity, anObservationIntent, aPressureEpisode, aRetraction, parties } from "./pcd01.fixture.ts";
import type { Message } from "./message.ts";
import { pcd01, type Pcd01Parties } from "./pcd01.ts";

const messageOf = (intent: Intent, of: Pcd01Parties = parties): Message => {
  const made = pcd01(intent, of);
  if (!made.ok) throw new Error(made.problem.detail);
  return made.value;
};
const segmentsOf = (intent: Intent, of: Pcd01Parties = parties): string[] =>
  messageOf(intent, of).text.split("\r").slice(0, -1);
/** Field `n` of each segment of a name; of MSH, n - 1. */
const fields = (segments: readonly string[], name: string, n: number): string[] =>
  segments.filter((one) => one.startsWith(`${name}|`)).map((one) => one.split("|")[n] ?? "");

describe("an episode as PCD-01", () => {
  it("says who it is for, what it is, of whom, when and what, and nothing more", () => {
    const { controlId } = messageOf(anObservationIntent());
    expect(controlId).toMatch(/^[0-9a-f]{32}$/);
    const { resourceId } = anObservationIntent();
    const filler = `${resourceId}^AFFERENT^ACDE48234567ABCD^EUI-64`;
    const [header, patient, visit, order, value, ...more] = segmentsOf(anObservationIntent());
    expect(header).toBe(
      `MSH|^~\\&|AFFERENT^ACDE48234567ABCD^EUI-64|ICU|EHR|HOSP|20261121140600.000+0000||ORU^R01^ORU_R01|${controlId}|P|2.6` +
        "|||NE|AL||UNICODE UTF-8|||IHE_PCD_ORU_R01^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
    );
    expect(patient).toBe("PID|||MRN0007^^^WARDHOSP&1.2.3.4&ISO^MR||^^^^^^U");
    expect(visit).toBe("PV1|1|U");
    expect(order).toBe(`OBR|1|${filler}|${filler}|182777000^monitoring of patient^SCT|||20261121140500.000+0000`);
    expect(value).toMatch(
      /^OBX\|1\|NM\|147842\^MDC_ECG_HEART_RATE\^MDC\^8867-4\^Heart rate \(ECG\)\^LN\|1\.1\.1\.1\|128\|\/min\^\/min\^UCUM\|\|H\|\|\|R\|\|\|20261121140510\.000\+0000\|\|\|\|[0-9A-F]{16}\^AFFERENT\^/,
    );
    expect(more).toEqual([]);
  });

  it("ends its OBR with the episode, and keeps the sample's own time and value in the OBX", () => {
    const segments = segmentsOf(anObservationIntent({ episode: ended(anEpisode()), status: "final" }));
    expect(fields(segments, "OBR", 7)).toEqual(["20261121140500.000+0000"]);
    expect(fields(segments, "OBR", 8)).toEqual(["20261121140930.000+0000"]);
    expect(fields(segments, "OBX", 5)).toEqual(["128"]);
    expect(fields(segments, "OBX", 14)).toEqual(["20261121140510.000+0000"]);
  });

  it("names neither the device nor a serial: a name of its own for each receiver, the same each time", () => {
    const equipment = (change: Partial<Intent>): string =>
      fields(segmentsOf(anObservationIntent({ change })), "OBX", 18)[0] ?? "";
    expect(messageOf(anObservationIntent()).text).not.toContain("mon-07");
    expect(equipment({})).toBe(equipment({ revision: 3 }));
    expect(equipment({ destination: "research" })).not.toBe(equipment({}));
  });

  it("has a blood pressure as a heading and its parts, as the recorded samples do; of its statistics it says nothing", () => {
    const segments = segmentsOf(anObservationIntent({ episode: aPressureEpisode() }));
    expect(fields(segments, "OBX", 3).map((code) => code.split("^").slice(0, 3).join("^"))).toEqual([
      "150036^MDC_PRESS_BLD_ART_ABP^MDC",
      "150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC",
      "150038^MDC_PRESS_BLD_ART_ABP_DIA^MDC",
      "150039^MDC_PRESS_BLD_ART_ABP_MEAN^MDC",
    ]);
    expect(fields(segments, "OBX", 4)).toEqual(["1.1.1", "1.1.1.1", "1.1.1.2", "1.1.1.3"]);
    expect(fields(segments, "OBX", 2)).toEqual(["", "NM", "NM", "NM"]);
    expect(fields(segments, "OBX", 5)).toEqual(["", "191", "94", "126"]);
    expect(fields(segments, "OBX", 8)).toEqual(["", "H", "", ""]);
  });

  it("says what a value is worth beside what it crossed", () => {
    const questionable = anObservationIntent({ episode: anEpisode({ qualifyingValidity: "questionable" }) });
    expect(fields(segmentsOf(questionable), "OBX", 8)).toEqual(["H~QUES"]);
  });

  it.each([
    ["ucum", "/min^/min^UCUM"],
    ["mdc", "264864^MDC_DIM_BEAT_PER_MIN^MDC"],
  ] as const)("codes its unit in %s where it is asked to", (units, expected) => {
    expect(fields(segmentsOf(anObservationIntent(), { ...parties, units }), "OBX", 6)).toEqual([expected]);
  });

  it("keeps UCUM where MDC has no verified unit, and breathes by another unit than a heart beats", () => {
    const of = (change: Parameters<typeof anEpisode>[0]): string[] =>
      fields(segmentsOf(anObservationIntent({ episode: anEpisode(change) }), { ...parties, units: "mdc" }), "OBX", 6);
    expect(of({ metric: "respiratoryRate", mdc: 151562 })).toEqual(["264928^MDC_DIM_RESP_PER_MIN^MDC"]);
    expect(of({ metric: "glucoseInterstitial", mdc: 160212, ucum: "mg/dL" })).toEqual(["mg/dL^mg/dL^UCUM"]);
  });
});

describe("a report as PCD-01", () => {
  const finding = (id: string, change: object): string =>
    JSON.stringify({
      resourceType: "Observation",
      id,
      status: "final",
      effectiveDateTime: "2026-11-21T14:30:00.000Z",
      ...change,
    });
  const snomed = (code: string) => ({ coding: [{ system: "http://snomed.info/sct", code }], text: "of NEWS2" });
  const report = anObservationIntent({
    change: {
      resourceType: "DiagnosticReport",
      resourceId: "rp-1",
      resource: JSON.stringify({
        resourceType: "DiagnosticReport",
        id: "rp-1",
        status: "final",
        code: { coding: [{ system: "http://loinc.org", code: "70961-8" }], text: "Kt/V" },
        effectivePeriod: { start: "2026-11-21T10:00:00.000Z", end: "2026-11-21T14:00:00.000Z" },
        conclusion: "Seven points.",
      }),
      beside: [
        finding("f-1", {
          code: snomed("1104051000000101"),
          valueInteger: 7,
          component: [{ code: snomed("1104361000000100"), valueString: "V" }],
        }),
        finding("f-2", { code: snomed("1104051000000101"), component: [{ code: snomed("1"), valueString: "V" }] }),
        JSON.stringify({ resourceType: "Provenance", id: "p", target: [] }),
      ],
    },
  });

  it("is its findings under its own code and period, with its conclusion as a note; numbers and words alike", () => {
    const segments = segmentsOf(report);
    expect(fields(segments, "OBR", 4)).toEqual(["70961-8^Kt/V^LN"]);
    expect([fields(segments, "OBR", 7), fields(segments, "OBR", 8)]).toEqual([
      ["20261121100000.000+0000"],
      ["20261121140000.000+0000"],
    ]);
    expect(fields(segments, "NTE", 3)).toEqual(["Seven points."]);
    expect(fields(segments, "OBX", 2)).toEqual(["NM", "ST", "", "ST"]);
    expect(fields(segments, "OBX", 4)).toEqual(["1.1.1.1", "1.1.1.2", "1.1.2", "1.1.2.1"]);
    expect(fields(segments, "OBX", 5)).toEqual(["7", "V", "", "V"]);
  });
});

describe("OBX-11", () => {
  it.each([
    ["preliminary", false, "R"],
    ["final", false, "R"],
    ["amended", false, "R"],
    ["preliminary", true, "R"],
    ["final", true, "F"],
    ["amended", true, "C"],
  ] as const)(
    "of a %s result, where final is a person's validation: %s, is %s",
    (status, finalIsValidated, expected) => {
      const segments = segmentsOf(anObservationIntent({ status }), { ...parties, finalIsValidated });
      expect(fields(segments, "OBX", 11)).toEqual([expected]);
    },
  );

  it("of a retraction is W for all of it, under the same filler number, and the value stays to be seen", () => {
    const written = anObservationIntent({ episode: aPressureEpisode() });
    const [before, after] = [segmentsOf(written), segmentsOf(aRetraction(written))];
    expect(fields(after, "OBX", 11)).toEqual(["W", "W", "W", "W"]);
    expect(fields(after, "OBX", 5)).toEqual(fields(before, "OBX", 5));
    expect(fields(after, "OBR", 3)).toEqual(fields(before, "OBR", 3));
  });
});

describe("MSH-10", () => {
  const idOf = (change: Partial<Intent>, of = parties): string =>
    messageOf(anObservationIntent({ change }), of).controlId;

  it("is the same whenever the same revision is sent, and so is all else", () => {
    expect(messageOf(anObservationIntent())).toEqual(messageOf(anObservationIntent()));
  });

  it.each<[string, string]>([
    ["revision", idOf({ revision: 1 })],
    ["identity", idOf({ identity: "f".repeat(32) })],
    ["resource, which the right patient's has of his own", idOf({ resourceId: "ep-8" })],
    ["retraction", idOf({ action: "retract" })],
    ["receiver", idOf({}, { ...parties, receiver: "OTHER" })],
    ["person who had it sent again", idOf({ resentBy: "Dr. Ada Brandt" })],
  ])("is another one for another %s", (_, other) => {
    expect(other).not.toBe(idOf({}));
  });
});

describe("what can't be told", () => {
  it("is a patient of whom no identifier is known there; his twin can", () => {
    expect(pcd01(anObservationIntent({ change: { patient: null } }), parties)).toMatchObject({
      problem: { reason: "identity-unknown" },
    });
    expect(pcd01(anObservationIntent(), parties).ok).toBe(true);
  });

  it("is a resource without a coded value or without a time", () => {
    const { resource } = anObservationIntent();
    for (const missing of ["code", "effectiveDateTime", "valueQuantity"]) {
      const { [missing]: _left, ...rest } = JSON.parse(resource) as Record<string, unknown>;
      const without = { ...rest, ...(missing === "code" && { code: { text: "something" } }) };
      expect(pcd01(anObservationIntent({ change: { resource: JSON.stringify(without) } }), parties)).toMatchObject({
        problem: { reason: "no-hl7-form" },
      });
    }
  });

  it("ends no field: separators and line ends in a name are escaped", () => {
    const patient = anIdentity({ value: "7|8^9\r\nOBX|1", namespace: "A&B" });
    const text = segmentsOf(anObservationIntent({ change: { patient }, note: "first\rsecond" }));
    expect(fields(text, "PID", 3)).toEqual(["7\\F\\8\\S\\9 OBX\\F\\1^^^A\\T\\B&1.2.3.4&ISO^MR"]);
    expect(text.filter((one) => one.startsWith("NTE|"))).toEqual(["NTE|1||first second"]);
    expect(text.filter((one) => one.startsWith("OBX|"))).toHaveLength(1);
  });
});

const recordings = join(process.env["RECORDINGS"] ?? join(import.meta.dirname, "../../../shared/data"), "hl7v2_pcd");
const samples = await readdir(recordings).catch(() => null);

describe.skipIf(samples === null)("beside IHE's own samples (needs RECORDINGS)", () => {
  it("has their segments in their order, their message type, version, acknowledgement fields and place of each value", async () => {
    const names = (samples ?? []).filter((name) => /pcd01-request2?\./.test(name));
    expect(names).toHaveLength(2);
    for (const name of names) {
      const theirs = (await readFile(join(recordings, name), "utf8")).split(/[\r\n]+/).filter((line) => line !== "");
      const ours = segmentsOf(anObservationIntent({ episode: aPressureEpisode() }));
      const order = (segments: readonly string[]) => [...new Set(segments.map((one) => one.slice(0, 3)))];
      expect(order(ours).filter((one) => order(theirs).includes(one))).toEqual(order(theirs));
      for (const n of [8, 11, 14, 15]) expect(fields(ours, "MSH", n)).toEqual(fields(theirs, "MSH", n));
      expect(fields(ours, "MSH", 20)[0]).toContain("1.3.6.1.4.1.19376.1.6.1.1.1^ISO");
      const numeric = (segments: readonly string[]) => segments.find((one) => /^OBX\|\d+\|NM\|/.test(one))?.split("|");
      const [our, their] = [numeric(ours), numeric(theirs)];
      for (const n of [3, 4, 6])
        expect(our?.[n]?.split("^").length).toBeGreaterThanOrEqual(their?.[n]?.split("^").length ?? 9);
      expect(our?.[4]?.split(".")).toHaveLength(their?.[4]?.split(".").length ?? 0);
      expect(our?.[11]).toBe(their?.[11]?.trim());
    }
  });
});
