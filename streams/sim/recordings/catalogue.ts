/** Which recorded patients a folder of recordings holds, and where in it each one's numerics and waveforms lie (its README describes them). */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OperatingError } from "../../core/failure.ts";
import { readGlucoseCsv } from "./glucose-csv.ts";
import { readNumericsCsv } from "./numerics-csv.ts";
import type { RecordedRow } from "./recorded-row.ts";

const secondMs = 1_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;

/** One patient: one bed, one device. Paths are relative to the folder. */
export interface Recording {
  /** Device, bed, and what names the patient: "bidmc-01". What stands before the first "-" is its set. */
  readonly record: string;
  /** As EVENTS.csv names it. */
  readonly truthName: string;
  readonly model: "recorded-numerics" | "recorded-waveforms";
  readonly silentAfterMs: number;
  readonly numerics?: { readonly file: string; readonly kind: "vitals" | "glucose"; readonly periodMs: number };
  readonly waveforms: readonly RecordedPiece[];
  /** Its monitor raised an alarm then, which the header of its waveforms names; since the record's first sample. */
  readonly alarmAtMs?: number;
}

export interface RecordedPiece {
  /** A WFDB header; its signals lie beside it. */
  readonly header: string;
  /** Its first sample, since the record's first row. */
  readonly offsetMs: number;
}

const bidmcFile = /^bidmc_(\d+)_Numerics\.csv$/;

const bidmc = (file: string): Recording[] => {
  const number = bidmcFile.exec(file)?.[1];
  if (number === undefined) return [];
  return [
    {
      record: `bidmc-${number}`,
      truthName: `bidmc_${number}`,
      model: "recorded-numerics",
      silentAfterMs: 10 * secondMs,
      numerics: { file: `bidmc_numerics/${file}`, kind: "vitals", periodMs: secondMs },
      waveforms: [],
    },
  ];
};

/**
 * The pieces' headers give only a time of day: 8:35:48.212 and 8:39:12.811, the numerics' 0:31:25.894. They are of the record's second
 * day: only there (from 32:04 on) do the numerics have an arterial pressure, and minute by minute it is that of the waveform.
 */
const mimicPiece = (header: string, hour: number, minute: number, second: number): RecordedPiece => ({
  header: `mimic3_icu/${header}`,
  offsetMs: Math.round(dayMs + (hour * 60 + minute - 31) * minuteMs + (second - 25.894) * secondMs),
});

const mimic: Recording = {
  record: "mimic-s00001",
  truthName: "s00001-2896-10-10-00-31n",
  model: "recorded-numerics",
  silentAfterMs: 3 * minuteMs,
  numerics: { file: "mimic3_icu/s00001-2896-10-10-00-31n.csv", kind: "vitals", periodMs: minuteMs },
  waveforms: [mimicPiece("3975656_0013.hea", 8, 35, 48.212), mimicPiece("3975656_0015.hea", 8, 39, 12.811)],
};

/** Silent after the 20 minutes that Dexcom calls a signal loss (the Clarity export's own alert setting). */
const glucose = (record: string, file: string): Recording => ({
  record,
  truthName: file.replace(/^.*\/|\.csv$/g, ""),
  model: "recorded-numerics",
  silentAfterMs: 20 * minuteMs,
  numerics: { file, kind: "glucose", periodMs: 5 * minuteMs },
  waveforms: [],
});

/** How a device stands is judged by its measurements, and waveforms alone are none: it is not called silent for a day. */
const waveforms = (record: string, header: string): Recording => ({
  record,
  truthName: record,
  model: "recorded-waveforms",
  silentAfterMs: dayMs,
  waveforms: [{ header, offsetMs: 0 }],
});

/** PhysioNet/CinC Challenge 2015: every alarm of it sounded five minutes from the record's beginning. */
const cincAlarmAtMs = 5 * minuteMs;

const fixed: readonly Recording[] = [
  mimic,
  glucose("cgm-bigideas-001", "cgm_dexcom/BIGIDEAs-001.csv"),
  glucose("cgm-bigideas-007", "cgm_dexcom/BIGIDEAs-007.csv"),
  glucose("cgm-azt1d-5", "cgm_dexcom/AZT1D-Subject5.csv"),
  glucose("cgm-clarity", "cgm_dexcom/dexcom_clarity_export.csv"),
  glucose("cgm-uom-2307", "t1d_pump_cgm/UoMGlucose2307.csv"),
  waveforms("mitbih-100", "ecg_mitbih/100.hea"),
  waveforms("mimicdb-037", "mimicdb_abp/03700181.hea"),
];

const filesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

/**
 * Every recording of the folder, or those that `which` names by record or by set ("bidmc-01", "bidmc"). Codes: `recordings-missing`
 * where there is none at all, `recording-unknown` for a name that stands for none.
 */
export const recordingsIn = (folder: string, which?: readonly string[]): Recording[] => {
  const all = [
    ...filesIn(join(folder, "bidmc_numerics")).flatMap(bidmc),
    ...fixed,
    ...filesIn(join(folder, "cinc2015_alarms"))
      .filter((file) => file.endsWith(".hea"))
      .map((file) => ({
        ...waveforms(`cinc-${file.slice(0, -".hea".length)}`, `cinc2015_alarms/${file}`),
        alarmAtMs: cincAlarmAtMs,
      })),
  ].filter(({ numerics, waveforms: pieces }) => existsSync(join(folder, numerics?.file ?? pieces[0]?.header ?? "")));
  if (all.length === 0)
    throw new OperatingError("recordings-missing", `recordings: none in ${folder}`, { retry: false });
  if (which === undefined) return all;
  const isNamed = (name: string, { record }: Recording): boolean => record === name || record.startsWith(`${name}-`);
  for (const name of which)
    if (!all.some((recording) => isNamed(name, recording)))
      throw new OperatingError("recording-unknown", `recordings: no ${name} in ${folder}`, { retry: false });
  return all.filter((recording) => which.some((name) => isNamed(name, recording)));
};

/** The rows of a recording's numerics in the order of time, and the wall clock of the first where the file has one (else 0). */
export const readNumerics = (
  folder: string,
  { numerics }: Recording,
): { readonly firstMs: number; readonly rows: RecordedRow[] } => {
  if (numerics === undefined) return { firstMs: 0, rows: [] };
  const text = readFileSync(join(folder, numerics.file), "utf8");
  return numerics.kind === "glucose" ? readGlucoseCsv(text) : { firstMs: 0, rows: readNumericsCsv(text) };
};

/** What its monitor alarmed, as the challenge names it: the header's first comment. The second, whether that was true, no device could know. */
export const readAlarm = (folder: string, { waveforms: [piece] }: Recording): string | undefined => {
  if (piece === undefined) return undefined;
  const header = readFileSync(join(folder, piece.header), "utf8");
  return /^#\s*(\w+)/m.exec(header)?.[1];
};
