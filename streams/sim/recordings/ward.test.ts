/** The recorded patients as a ward: every value of their files comes out of their devices' adapters, at its time, and nothing else. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DecodedReading } from "../../../schemas/devices/adapter.ts";
import { loadAdapters } from "../../io/device-adapters.ts";
import { readRoster } from "../../io/roster-file.ts";
import type { Ward, WardMessage } from "../ward/messages.ts";
import { readNumerics, recordingsIn } from "./catalogue.ts";
import { countValues } from "./count.ts";
import { noRecordings, recordingsFolder as folder, skipped } from "./recordings.fixture.ts";
import { recordingWard } from "./ward.ts";
import { readWfdb } from "./wfdb-signals.ts";

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

describe.skipIf(noRecordings)(`the alarms of the CinC recordings${skipped}`, () => {
  it("come after five minutes, each by its event, the false ones like the true", () => {
    const ward = recordingWard({ folder, startMs, which: ["cinc"] });
    const alarms = [...ward.messages()].filter(({ stream }) => stream === "alarms");
    expect(new Set(alarms.map(({ atMs }) => atMs - startMs))).toEqual(new Set([300_000]));
    const told = alarms.map((message) => {
      const { alarms: said } = decoded(ward, message);
      return [message.device, said !== undefined && "changes" in said ? said.changes[0]?.event : undefined];
    });
    // the label of each record by the recordings' own table
    const events = {
      a: "asystole",
      b: "extremeBradycardia",
      f: "ventricularFibrillation",
      t: "extremeTachycardia",
      v: "ventricularTachycardia",
    };
    const records = ["a134s", "a172s", "b332s", "b562s", "f138s", "f544s", "t116s", "t406s", "v136s", "v628s"];
    expect(told).toEqual(records.map((record) => [`cinc-${record}`, events[record[0] as keyof typeof events]]));
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

describe.skipIf(noRecordings)(`recorded waveforms as a ward${skipped}`, () => {
  const waves = (ward: Ward) =>
    [...ward.messages()]
      .filter(({ stream }) => stream === "waveforms")
      .map((message) => ({ message, reading: decoded(ward, message) }));

  it.each(["mitbih", "mimicdb", "cinc-a172s", "cinc-t116s"])(
    "%s: the chunks hold the file's samples, all and in order",
    (name) => {
      const ward = recordingWard({ folder, startMs, which: [name] });
      const sent = waves(ward);
      const [recording] = recordingsIn(folder, [name]);
      const file = join(folder, recording?.waveforms[0]?.header ?? "");
      expect(sent.every(({ reading }) => reading.problems.length === 0 && reading.waveforms.length === 1)).toBe(true);
      const byMetric = Map.groupBy(sent, ({ reading }) => reading.waveforms[0]?.metric);
      const signals = readWfdb(file);
      expect(byMetric.size).toBe(signals.length);
      for (const [i, chunks] of [...byMetric.values()].entries()) {
        const { header, rateHz, samples, missing } = signals[i] ?? expect.unreachable();
        expect(chunks[0]?.reading.waveforms[0]).toMatchObject({ gain: header.gain, baseline: header.baseline, rateHz });
        expect(chunks.flatMap(({ reading }) => reading.waveforms[0]?.samples ?? [])).toEqual(
          [...samples].filter((sample) => sample !== missing),
        );
        expect(chunks.map(({ reading }) => reading.deviceTime)).toEqual(chunks.map((_, s) => startMs + s * 1_000));
        expect(chunks.map(({ message }) => message.atMs)).toEqual(chunks.map((_, s) => startMs + (s + 1) * 1_000));
      }
    },
  );

  it("MIMIC-III's pieces lie in its 33rd hour: minute by minute their pressure is the numerics' own", () => {
    const ward = recordingWard({ folder, startMs, which: ["mimic"] });
    const sent = waves(ward).map(({ reading }) => reading);
    expect(sent).toHaveLength(3 * (145 + 300));
    expect((sent[0]?.deviceTime ?? 0) - startMs).toBe(115_462_318);
    const means = new Map(
      numericsOf(ward).flatMap((message) => {
        const { deviceTime, measurements } = decoded(ward, message);
        return [[(deviceTime ?? 0) - startMs, measurements.find(({ metric }) => metric === "artMean")?.value] as const];
      }),
    );
    const pressureFrom = (offsetMs: number): number => {
      const values = sent
        .filter(({ deviceTime }) => Math.floor(((deviceTime ?? 0) - startMs - offsetMs) / 60_000) === 0)
        .flatMap(({ waveforms }) => waveforms.filter(({ metric }) => metric === "artWave"))
        .flatMap(({ samples, gain, baseline }) => samples.map((sample) => (sample - baseline) / gain));
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    for (const minute of [115_500_000, 115_680_000, 115_740_000, 115_800_000, 115_860_000])
      expect(Math.abs(pressureFrom(minute) - (means.get(minute) ?? Number.NaN))).toBeLessThan(7);
  });

  it("leave a missing sample out: a second with a hole is two chunks", () => {
    const [gap] = recordingsIn(folder, ["mimicdb"]);
    const resp = readWfdb(join(folder, gap?.waveforms[0]?.header ?? "")).find(({ header }) => header.name === "RESP");
    const missing = [...(resp?.samples ?? [])].filter((sample) => sample === resp?.missing);
    const sent = waves(recordingWard({ folder, startMs, which: ["mimicdb"] }))
      .flatMap(({ reading }) => reading.waveforms)
      .filter(({ metric }) => metric === "respiration")
      .reduce((sum, { samples }) => sum + samples.length, 0);
    expect(missing).toHaveLength(4);
    expect(sent).toBe(75_000 - 4);
  });
});
