/** WFDB as its files have it: headers' quirks, three sample formats, and every header's own initial values and checksums. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readNumerics, recordingsIn } from "./catalogue.ts";
import { noRecordings, recordingsFolder as folder, skipped } from "./recordings.fixture.ts";
import { parseWfdbHeader } from "./wfdb-header.ts";
import { readWfdb, type WfdbSignal } from "./wfdb-signals.ts";

const temporary = mkdtempSync(join(tmpdir(), "wfdb-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** A record of our own: its header's text and its file's bytes. */
const write = (name: string, header: string, bytes: readonly number[]): string => {
  writeFileSync(join(temporary, `${name}.hea`), header);
  writeFileSync(join(temporary, `${name}.dat`), Uint8Array.from(bytes));
  return join(temporary, `${name}.hea`);
};

const checksum = ({ samples }: WfdbSignal): number =>
  (samples.reduce((sum, sample) => (sum + sample) | 0, 0) << 16) >> 16;

describe("a WFDB header", () => {
  it("gives gain, baseline and unit, or what stands for them", () => {
    const { signals, framesPerSecond, frames } = parseWfdbHeader(
      [
        "# a comment",
        "r 4 0.0166666666667/125 1936    31:25.894 10/10/2896",
        "r.dat 80 0.833333(-100)/mmHg 8 0 120 28192 0 ABP",
        "",
        "r.dat 212 200 11 1024 995 -22131 0 MLII\r",
        "r.mat 16+24 2.874e+04/mV 16 0 -177 17101 0 II",
        "r.dat 212x4:2 0 12 7 67 -11266 0 ECG lead II",
      ].join("\n"),
    );
    expect([framesPerSecond, frames]).toEqual([0.0166666666667, 1936]);
    expect(signals).toMatchObject([
      { format: 80, gain: 0.833333, baseline: -100, unit: "mmHg", initialValue: 120, checksum: 28192, name: "ABP" },
      { format: 212, gain: 200, baseline: 1024, unit: null, name: "MLII" },
      { file: "r.mat", format: 16, byteOffset: 24, gain: 28740, baseline: 0, unit: "mV" },
      { samplesPerFrame: 4, skewFrames: 2, gain: 200, baseline: 7, name: "ECG lead II" },
    ]);
  });

  it.each([
    ["nothing", "", "no record line"],
    ["fewer signals than announced", "r 2 125 10\nr.dat 16 200 12 0 0 0 0 II\n", "2 signals announced"],
    ["a line that is no signal", "r 1 125 10\nr.dat sixteen\n", "r.dat sixteen"],
  ])("is refused with %s", (_what, text, detail) => {
    expect(() => parseWfdbHeader(text)).toThrow(detail);
  });
});

describe("a WFDB signal file", () => {
  const samplesOf = (file: string): number[][] => readWfdb(file).map(({ samples }) => [...samples]);

  it("in format 16 is little-endian, after an offset where there is one", () => {
    const file = write(
      "f16",
      "f16 2 10 2\nf16.dat 16+3 1/NU\t16 0 -2 0 0 A\nf16.dat 16+3 1/NU 16 0 1 0 0 B\n",
      [9, 9, 9, 0xfe, 0xff, 1, 0, 0, 0x80, 0xff, 0x7f],
    );
    expect(samplesOf(file)).toEqual([
      [-2, -32_768],
      [1, 32_767],
    ]);
  });

  it("in format 80 is offset binary", () => {
    expect(samplesOf(write("f80", "f80 1 10 3\nf80.dat 80 1 8 0 0 0 0 A\n", [0, 128, 255]))).toEqual([[-128, 0, 127]]);
  });

  it("in format 212 has two samples in three bytes", () => {
    // 1 and -1; 2047 and -2048.
    const bytes = [0x01, 0xf0, 0xff, 0xff, 0x87, 0x00];
    expect(samplesOf(write("f212", "f212 1 10 4\nf212.dat 212 1 12 0 1 0 0 A\n", bytes))).toEqual([
      [1, -1, 2047, -2048],
    ]);
  });

  it("holds several samples of a faster signal in a frame, and a skewed one later", () => {
    const header = "multi 2 10 3\nmulti.dat 80x2 1 8 0 1 0 0 FAST\nmulti.dat 80:1 1 8 0 9 0 0 LATE\n";
    const bytes = [1, 2, 9, 3, 4, 5, 5, 6, 7].map((value) => value + 128);
    const [fast, late] = readWfdb(write("multi", header, bytes));
    expect(fast).toMatchObject({ rateHz: 20, samples: Int16Array.of(1, 2, 3, 4, 5, 6) });
    expect(late).toMatchObject({ rateHz: 10, samples: Int16Array.of(5, 7, -128), missing: -128 });
  });

  it("is refused when it ends early, or is in a format that is not read", () => {
    expect(() => readWfdb(write("torn", "torn 1 10 4\ntorn.dat 16 1 16 0 0 0 0 A\n", [0, 0, 0]))).toThrow(
      "ends before",
    );
    expect(() => readWfdb(write("f310", "f310 1 10 1\nf310.dat 310 1 10 0 0 0 0 A\n", [0, 0, 0]))).toThrow("310");
  });
});

const headers = noRecordings
  ? []
  : [
      ...recordingsIn(folder).flatMap(({ waveforms }) => waveforms.map(({ header }) => header)),
      "mimic3_icu/s00001-2896-10-10-00-31n.hea",
    ];

describe.skipIf(noRecordings)(`the recorded waveforms${skipped}`, () => {
  it.each(headers)("%s: initial values and checksums are those of its header", (header) => {
    // Both are of the samples as they are stored: the skew is taken out for this.
    const text = readFileSync(join(folder, header), "latin1");
    const name = header.replace(/^.*\//, "");
    const stored = join(temporary, name);
    writeFileSync(stored, text.replaceAll(/(212|16|80):\d+/g, "$1"), "latin1");
    for (const file of new Set(parseWfdbHeader(text).signals.map((signal) => signal.file)))
      symlinkSync(join(folder, header, "..", file), join(temporary, file));
    const signals = readWfdb(stored);
    expect(signals.length).toBeGreaterThan(0);
    expect(signals.map(checksum)).toEqual(signals.map((signal) => signal.header.checksum));
    expect(signals.map(({ samples }) => samples[0])).toEqual(signals.map((signal) => signal.header.initialValue));
  });

  it("are all there: two pieces of MIMIC-III, MIT-BIH 100, MIMIC DB 037 and ten alarms", () => {
    expect(headers).toHaveLength(2 + 1 + 1 + 10 + 1);
  });

  it("say in WFDB what the CSV of the same numerics says", () => {
    const [mimic] = recordingsIn(folder, ["mimic"]);
    const rows = mimic === undefined ? [] : readNumerics(folder, mimic).rows.map(({ values }) => new Map(values));
    for (const { header, samples, missing } of readWfdb(join(folder, "mimic3_icu/s00001-2896-10-10-00-31n.hea"))) {
      const values = [...samples].map((s) => (s === missing ? undefined : (s - header.baseline) / header.gain));
      expect(rows.map((row) => row.get(header.name)).map((text) => text && Number(text))).toEqual(values);
    }
  });
});
