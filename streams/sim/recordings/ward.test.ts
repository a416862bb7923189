/** The recorded patients as a ward: every value of their files comes out of their devices' adapters, at its time, and nothing else. */
import { describe, expect, it } from "vitest";
import type { DecodedReading } from "../../../schemas/devices/adapter.ts";
import { loadAdapters } from "../../io/device-adapters.ts";
import { readRoster } from "../../io/roster-file.ts";
import type { Ward, WardMessage } from "../ward/messages.ts";
import { readNumerics, recordingsIn } from "./catalogue.ts";
import { countValues } from "./count.ts";
import { noRecordings, recordingsFolder as folder, skipped } from "./recordings.fixture.ts";
import { recordingWard } from "./ward.ts";

const startMs = Date.UTC(2026, 10, 21, 5);
const adapters = await loadAdapters();

const decoded = (ward: Ward, { device, stream, payload }: WardMessage): DecodedReading => {
  const model = ward.devices.find((one) => one.device === device)?.model ?? "";
  const reading = adapters.get(model)?.decode(payload, stream);
  if (!reading?.ok) throw new Error(`${device}: ${JSON.stringify(reading)}`);
  return reading.value;
};

const numericsOf = (ward: Ward): WardMessage[] => [...ward.messages()].filter(({ stream }) => stream === "numerics");

describe.skipIf(noRecordings)(`recorded numerics${skipped}`, () => {
  it("hold as many values as the files: 28 BIDMC patients, 481 s of four metrics, less what was missing", () => {
    const { byRecord, total } = countValues(folder, ["bidmc"]);
    expect(byRecord.size).toBe(28);
    expect(byRecord.get("bidmc-02")).toBe(481 * 4);
    // README of the recordings: 13 of PULSE and 13 of SpO2 are missing, and 146 of RESP.
    expect(byRecord.get("bidmc-01")).toBe(481 * 4 - 26);
    expect(byRecord.get("bidmc-13")).toBe(481 * 4 - 146);
    expect(total).toBe([...byRecord.values()].reduce((sum, n) => sum + n, 0));
    expect(total).toBe(28 * 481 * 4 - 13 - 13 - 6 - 6 - 146 - 1 - 1);
  });

  it("come back from the adapters as the files have them, with their times rebased", () => {
    const ward = recordingWard({ folder, startMs, which: ["bidmc", "mimic", "cgm-clarity", "cgm-uom-2307"] });
    const messages = Map.groupBy(numericsOf(ward), ({ device }) => device);
    for (const recording of recordingsIn(folder, [...messages.keys()])) {
      const rows = readNumerics(folder, recording).rows.filter(({ values }) => values.length > 0);
      const readings = (messages.get(recording.record) ?? []).map((message) => decoded(ward, message));
      expect(readings.map((r) => r.deviceTime)).toEqual(rows.map(({ offsetMs }) => startMs + offsetMs));
      expect(readings.map((r) => r.measurements.map(({ value }) => value))).toEqual(
        rows.map(({ values }) => values.map(([, text]) => (text === "NaN" ? null : Number(text)))),
      );
      expect(readings.every((r) => r.device === recording.record && r.problems.length === 0)).toBe(true);
    }
  });

  it("count what is sent: valid values and no others", () => {
    const ward = recordingWard({ folder, startMs, which: ["bidmc", "mimic"] });
    const sent = numericsOf(ward).flatMap((message) => decoded(ward, message).measurements);
    expect(sent.filter(({ validity }) => validity === "valid")).toHaveLength(
      countValues(folder, ["bidmc", "mimic"]).total,
    );
    expect(sent.filter(({ value }) => value === null).every(({ validity }) => validity === "empty")).toBe(true);
  });

  it("hold a minute of MIMIC-III less often where the cuff did not measure", () => {
    const [mimic] = recordingsIn(folder, ["mimic"]);
    const rows = mimic === undefined ? [] : readNumerics(folder, mimic).rows;
    expect(rows).toHaveLength(1936);
    expect(rows.filter(({ values }) => values.some(([column]) => column === "NBPSys"))).toHaveLength(152);
  });

  it.each([
    ["cgm-bigideas-001", 2561],
    ["cgm-bigideas-007", 2207],
    ["cgm-azt1d-5", 12_814],
    ["cgm-clarity", 2148],
    ["cgm-uom-2307", 8385],
  ])("%s has its %i glucose readings", (record, readings) => {
    const [recording] = recordingsIn(folder, [record]);
    expect(recording && readNumerics(folder, recording).rows).toHaveLength(readings);
  });

  it("come in the order of time, the same each time, and lazily", () => {
    const ward = recordingWard({ folder, startMs });
    const first = ward.messages().take(5_000).toArray();
    expect(first.map(({ atMs }) => atMs)).toEqual(first.map(({ atMs }) => atMs).sort((a, b) => a - b));
    expect(ward.messages().take(5_000).toArray()).toEqual(first);
    expect(first.every((m) => m.mqttTopic === `afferent/${m.device}/${m.stream}`)).toBe(true);
  });
});

describe.skipIf(noRecordings)(`the roster of the recorded patients${skipped}`, () => {
  it("is a roster file in which all may be promoted but those that are told apart", () => {
    const { roster } = recordingWard({
      folder,
      startMs,
      which: ["bidmc"],
      unconfirmed: ["bidmc-22"],
      withoutConsent: ["bidmc-25"],
    });
    const parsed = readRoster(JSON.stringify(roster));
    expect(parsed).toMatchObject({ ok: true });
    const unconfirmed = roster.associations.filter(({ confirmedBy }) => confirmedBy === null);
    expect(unconfirmed.map(({ bed }) => bed)).toEqual(["bidmc-22"]);
    expect(roster.consents).toHaveLength(27);
    expect(roster.consents.map(({ id }) => id)).not.toContain("consent-bidmc-25");
    expect(roster.patients.find(({ identifierValue }) => identifierValue === "bidmc-13")?.fhirId).toBe(
      "patient-bidmc-13",
    );
    expect(roster.associations.every(({ from }) => Date.parse(from) < startMs)).toBe(true);
    expect(new Set(roster.associations.map(({ subject }) => subject)).size).toBe(28);
  });

  it("refuses names that stand for no recording, and folders without any", () => {
    expect(() => recordingWard({ folder, startMs, which: ["bidmc-99"] })).toThrow("bidmc-99");
    expect(() => recordingWard({ folder, startMs, which: ["mimic"], unconfirmed: ["bidmc-22"] })).toThrow("bidmc-22");
    expect(() => recordingWard({ folder: import.meta.dirname, startMs })).toThrow("none in");
  });
});
