/**
 * The alarms that the recorded patients should raise, worked out a second time: from the files' own bytes and from what docs/clinical.md and
 * the fields of a rule (schemas/records.ts) say, over whole series at once, with no line of code in common with the platform.
 *
 *   npx node test/recorded/alarms-by-hand.ts [FOLDER] > test/expected/recorded-alarms.json
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A condition from its onset to its end. Times in whole seconds since the recording's first row. */
export interface AlarmRow {
  readonly record: string;
  readonly source: "rule" | "device" | "technical";
  /** The rule, the device's event, or the technical event and its series. */
  readonly what: string;
  readonly priority: string;
  /** First sample of the condition. */
  readonly onset: number;
  /** When people were to be told: once it had lasted, and again at the first sample after each gap in which it could not be seen. */
  readonly raised: readonly number[];
  /** Last sample beyond the limit; of a technical one, the first that can be used again. Null where the recording ends first. */
  readonly end: number | null;
}

interface HandRule {
  readonly id: string;
  readonly metric: string;
  readonly when: "above" | "below" | "indeterminateZero";
  readonly limit: number;
  readonly clear: number | null;
  readonly minimumMs: number;
  readonly clearMs: number;
  readonly priority: string;
}

/** What one cell of a file is: a value, a zero that nothing explains, a zero of a sensor that is off, or said to be missing. */
interface Sample {
  readonly at: number;
  readonly kind: "value" | "zero" | "off" | "missing";
  readonly value: number;
}

const columns: Readonly<Record<string, readonly [metric: string, channel: string]>> = {
  HR: ["heartRate", "ecg"],
  PULSE: ["pulseRate", "spo2"],
  RESP: ["respiratoryRate", "resp"],
  SpO2: ["spo2", "spo2"],
  ABPSys: ["artSystolic", "abp"],
  ABPDias: ["artDiastolic", "abp"],
  ABPMean: ["artMean", "abp"],
  NBPSys: ["nibpSystolic", "nibp"],
  NBPDias: ["nibpDiastolic", "nibp"],
  NBPMean: ["nibpMean", "nibp"],
};

/** Clinical rule 1: a live pulse shows that the heart beats; it says nothing of the breath, nor of the oximeter itself. */
const besidePulse = new Set(["HR", "ABPSys", "ABPDias", "ABPMean", "NBPSys", "NBPDias", "NBPMean"]);

type Table = Readonly<Record<string, readonly Sample[]>>;

const readTable = (file: string): { readonly table: Table; readonly lastAt: number } => {
  const [head = "", ...lines] = readFileSync(file, "utf8").trim().split(/\r?\n/);
  const names = head.split(",").map((cell) => cell.trim().replace(/\[.*$/, ""));
  const table: Record<string, Sample[]> = {};
  let lastAt = 0;
  for (const line of lines) {
    const cells = line.split(",").map((cell) => cell.trim());
    const at = Math.abs(Number(cells[0]));
    const pulse = Number(cells[names.indexOf("PULSE")]);
    lastAt = at;
    for (const [i, name] of names.entries()) {
      const cell = cells[i] ?? "";
      if (i === 0 || cell === "") continue;
      const value = Number(cell);
      const zero = besidePulse.has(name) && pulse > 0 ? "off" : "zero";
      const kind = Number.isNaN(value) ? "missing" : value === 0 ? zero : "value";
      table[name] ??= [];
      table[name].push({ at, kind, value });
    }
  }
  return { table, lastAt };
};

/** x beyond the limit · o back past `clear` · - between the two. Nothing (undefined) where a sample says nothing about the rule. */
const markOf = ({ when, limit, clear }: HandRule, { kind, value }: Sample): "x" | "o" | "-" | undefined => {
  if (kind === "missing" || kind === "off") return undefined;
  if (when === "indeterminateZero") return kind === "zero" ? "x" : "o";
  if (kind === "zero") return undefined;
  const inside = when === "above" ? limit - value : value - limit;
  if (inside < 0) return "x";
  return inside >= Math.abs((clear ?? limit) - limit) ? "o" : "-";
};

interface Marked {
  readonly at: number;
  readonly mark: "x" | "o" | "-";
  /** Nothing usable of the series was had for its limit before this. */
  readonly afterGap: boolean;
}

const marksOf = (rule: HandRule, samples: readonly Sample[], limitS: number): Marked[] => {
  const marks: Marked[] = [];
  let usableAt = Number.NaN;
  let gap = false;
  for (const sample of samples) {
    if (sample.kind === "missing" || sample.kind === "off") continue;
    gap ||= sample.at - usableAt > limitS;
    usableAt = sample.at;
    const mark = markOf(rule, sample);
    if (mark === undefined) continue;
    marks.push({ at: sample.at, mark, afterGap: gap });
    gap = false;
  }
  return marks;
};

/** From `from` on, the first mark at which `wanted` has been unbroken for so long; what a gap interrupts begins anew. */
const lasting = (marks: readonly Marked[], from: number, wanted: "x" | "o", forMs: number): [number, number] | null => {
  let start = -1;
  for (let i = from; i < marks.length; i++) {
    const { at, mark, afterGap } = marks[i] as Marked;
    if (mark !== wanted) start = -1;
    else if (start < 0 || afterGap) start = i;
    if (start >= 0 && (at - (marks[start] as Marked).at) * 1_000 >= forMs) return [start, i];
  }
  return null;
};

const byRule = (record: string, rule: HandRule, samples: readonly Sample[], limitS: number): AlarmRow[] => {
  const marks = marksOf(rule, samples, limitS);
  const at = (i: number): number => (marks[i] as Marked).at;
  const rows: AlarmRow[] = [];
  for (let from = 0; from < marks.length; ) {
    const begun = lasting(marks, from, "x", rule.minimumMs);
    if (begun === null) break;
    const [first, qualified] = begun;
    const back = lasting(marks, qualified + 1, "o", rule.clearMs);
    const until = back === null ? marks.length : back[0];
    const held = marks.slice(qualified + 1, until).filter(({ mark, afterGap }) => afterGap && mark !== "o");
    const last = marks.slice(0, until).findLast(({ mark }) => mark === "x");
    rows.push({
      record,
      source: "rule",
      what: rule.id,
      priority: rule.when === "indeterminateZero" ? "high" : rule.priority,
      onset: at(first),
      raised: [at(qualified), ...held.map((mark) => mark.at)],
      end: back === null ? null : (last?.at ?? null),
    });
    if (back === null) break;
    from = back[1];
  }
  return rows;
};

/** Clinical rules 4 and 5: a series without a usable sample for its limit. `alarms`: what it may hide; then it is no less grave. */
const unusable = (
  record: string,
  name: string,
  samples: readonly Sample[],
  limitS: number,
  alarms: readonly AlarmRow[],
): AlarmRow[] => {
  const rows: AlarmRow[] = [];
  const [metric, channel] = columns[name] ?? ["", ""];
  const usable = (sample: Sample | undefined): boolean => sample?.kind === "value" || sample?.kind === "zero";
  for (let i = 0; i < samples.length; i++) {
    const first = samples[i] as Sample;
    if (usable(first)) continue;
    let next = i;
    while (next < samples.length && !usable(samples[next])) next++;
    const since = samples[i - 1]?.at ?? first.at;
    const raised = since + limitS;
    const stillAt = samples[next]?.at ?? Number.POSITIVE_INFINITY;
    const hides = alarms.some(
      (row) => row.priority === "high" && (row.raised[0] ?? 0) <= raised && (row.end ?? raised) >= since,
    );
    if (raised < stillAt)
      rows.push({
        record,
        source: "technical",
        what: `${first.kind === "off" ? "sensorOff" : "seriesLost"} ${channel} ${metric}`,
        priority: hides ? "high" : "medium",
        onset: first.at,
        raised: [raised],
        end: samples[next]?.at ?? null,
      });
    i = next;
  }
  return rows;
};

/** As the devices are announced (clinical rule 5): by the seconds between two rows. */
const silentAfterS: Readonly<Record<number, number>> = { 1: 10, 60: 180 };

const numerics = (record: string, file: string, periodS: number, rules: readonly HandRule[]): AlarmRow[] => {
  const { table, lastAt } = readTable(file);
  const limitS = Math.max(10, 2.5 * periodS);
  const rows = Object.entries(table).flatMap(([name, samples]) => {
    const onDemand = name.startsWith("NBP");
    const limit = onDemand ? Number.POSITIVE_INFINITY : limitS;
    const ofMetric = rules.filter(({ metric }) => metric === columns[name]?.[0]);
    const alarms = ofMetric.flatMap((rule) => byRule(record, rule, samples, limit));
    return [...alarms, ...(onDemand ? [] : unusable(record, name, samples, limit, alarms))];
  });
  const silentS = silentAfterS[periodS] ?? Number.NaN;
  const what = "monitoringLost device";
  // lost it is from the moment on at which the limit is over
  const at = lastAt + silentS;
  return [...rows, { record, source: "technical", what, priority: "high", onset: at, raised: [at], end: null }];
};

const eventOf: Readonly<Record<string, string>> = {
  Asystole: "asystole",
  Bradycardia: "extremeBradycardia",
  Tachycardia: "extremeTachycardia",
  Ventricular_Tachycardia: "ventricularTachycardia",
  Ventricular_Flutter_Fib: "ventricularFibrillation",
};

/** The monitor's own alarm at the end of the waveforms: `75000` frames at `250` a second are its five minutes. */
const challenge = (record: string, file: string): AlarmRow => {
  const [head = "", ...lines] = readFileSync(file, "utf8").trim().split(/\r?\n/);
  const [, , rate, frames] = head.split(" ").map(Number);
  const name = lines.find((line) => line.startsWith("#"))?.slice(1) ?? "";
  const at = (frames ?? Number.NaN) / (rate ?? Number.NaN);
  const what = eventOf[name] ?? name;
  return { record, source: "device", what, priority: "high", onset: at, raised: [at], end: null };
};

export const compare = (a: AlarmRow, b: AlarmRow): number =>
  a.record.localeCompare(b.record) || a.onset - b.onset || a.what.localeCompare(b.what);

export const alarmsByHand = (folder: string): AlarmRow[] => {
  const file = new URL("../../topologies/rules/adult-example.json", import.meta.url);
  const rules = JSON.parse(readFileSync(file, "utf8")) as HandRule[];
  const bidmc = readdirSync(join(folder, "bidmc_numerics")).filter((name) => name.endsWith("_Numerics.csv"));
  const cinc = readdirSync(join(folder, "cinc2015_alarms")).filter((name) => name.endsWith(".hea"));
  return [
    ...bidmc.flatMap((name) =>
      numerics(name.slice(0, 8).replace("_", "-"), join(folder, "bidmc_numerics", name), 1, rules),
    ),
    ...numerics("mimic-s00001", join(folder, "mimic3_icu/s00001-2896-10-10-00-31n.csv"), 60, rules),
    ...cinc.map((name) => challenge(`cinc-${name.slice(0, -4)}`, join(folder, "cinc2015_alarms", name))),
  ].sort(compare);
};

if (import.meta.main) {
  const folder = process.argv[2] ?? process.env["RECORDINGS"] ?? join(import.meta.dirname, "../../../shared/data");
  process.stdout.write(
    `[\n${alarmsByHand(folder)
      .map((row) => `  ${JSON.stringify(row)}`)
      .join(",\n")}\n]\n`,
  );
}
