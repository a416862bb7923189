/**
 * Recorded patients' alarms with the shipped adult example rules: what the circuit's stages raise, what a second, independent script works out of
 * the same files, and what was kept of it (test/expected/recorded-alarms.json) are one table. Each zero of a heart or a breath is accounted for.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { noRecordings, recordingsFolder, skipped } from "../../streams/sim/recordings/recordings.fixture.ts";
import { alarmsByCircuit, recordingsWithAlarms } from "./alarms-by-circuit.ts";
import { type AlarmRow, alarmsByHand, compare } from "./alarms-by-hand.ts";

const expectedFile = new URL("../expected/recorded-alarms.json", import.meta.url);
const expected = JSON.parse(readFileSync(expectedFile, "utf8")) as AlarmRow[];

const clock = (s: number): string =>
  [s / 3_600, (s / 60) % 60, s % 60].map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");

const tableOf = (rows: readonly AlarmRow[]): string => {
  const cells = rows.map(({ record, source, what, priority, onset, raised, end }) => [
    record,
    source,
    what,
    priority,
    clock(onset),
    end === null ? "open" : clock(end),
    raised.map(clock).join(" "),
  ]);
  const all = [["record", "source", "what", "priority", "onset", "end", "raised"], ...cells];
  const widths = all[0]?.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

/** The cells of a column that hold a number equal to 0, as [row, cells of that row by name]. */
const zerosOf = (file: string, column: string): { readonly row: number; readonly cells: Map<string, number> }[] => {
  const [head = "", ...lines] = readFileSync(join(recordingsFolder, file), "utf8").trim().split("\n");
  const names = head.split(",").map((name) => name.trim().replace(/\[.*/, ""));
  return lines
    .map((line, row) => ({ row, cells: new Map(line.split(",").map((cell, i) => [names[i] ?? "", Number(cell)])) }))
    .filter(({ cells }) => cells.get(column) === 0);
};

/** A rule's end is its last sample beyond the limit, a technical condition's the first sample that can be used again. */
const holds = ({ source, onset, end }: AlarmRow, at: number): boolean =>
  onset <= at && (end === null || at < end || (at === end && source === "rule"));

/** What becomes of a zero, by the alarms of one series: the first that holds it. */
const accountOf = (rows: readonly AlarmRow[], at: number): string =>
  rows.find((row) => holds(row, at))?.what ?? "too short to be told";

/** As `591-610 hr-zero`, runs of rows one after the other that came to the same. */
const runsOf = (accounts: readonly (readonly [row: number, account: string])[]): string[] => {
  const runs: { from: number; to: number; account: string }[] = [];
  for (const [row, account] of accounts) {
    const last = runs.at(-1);
    if (last !== undefined && last.to === row - 1 && last.account === account) last.to = row;
    else runs.push({ from: row, to: row, account });
  }
  return runs.map(({ from, to, account }) => `${from === to ? from : `${from}-${to}`} ${account}`);
};

describe.skipIf(noRecordings)(`alarms of recorded patients${skipped}`, () => {
  let circuit: AlarmRow[] = [];
  const of = (record: string, ...whats: readonly string[]): AlarmRow[] =>
    circuit.filter((row) => row.record === record && whats.includes(row.what));

  beforeAll(() => {
    circuit = recordingsWithAlarms(recordingsFolder)
      .flatMap((recording) => alarmsByCircuit(recordingsFolder, recording))
      .sort(compare);
    process.stdout.write(`${tableOf(circuit)}\n`);
  }, 60_000);

  it("the circuit's, the independent script's and the kept table are the same", () => {
    expect(circuit).toEqual(expected);
    expect(alarmsByHand(recordingsFolder)).toEqual(expected);
  });

  it("the ten labelled device alarms page at five minutes, the five false ones as the five true ones", () => {
    const device = circuit.filter(({ source }) => source === "device");
    expect(device.map(({ record, what }) => `${record} ${what}`)).toEqual([
      "cinc-a134s asystole",
      "cinc-a172s asystole",
      "cinc-b332s extremeBradycardia",
      "cinc-b562s extremeBradycardia",
      "cinc-f138s ventricularFibrillation",
      "cinc-f544s ventricularFibrillation",
      "cinc-t116s extremeTachycardia",
      "cinc-t406s extremeTachycardia",
      "cinc-v136s ventricularTachycardia",
      "cinc-v628s ventricularTachycardia",
    ]);
    expect(device.every(({ priority, raised }) => priority === "high" && raised.join() === "300")).toBe(true);
  });

  it("MIMIC-III: each of the 46 minutes of HR 0 is an alarm, a lead that is off by evidence, or one minute alone beside other alarms", () => {
    const zeros = zerosOf("mimic3_icu/s00001-2896-10-10-00-31n.csv", "HR");
    const heart = of("mimic-s00001", "hr-zero", "sensorOff ecg heartRate");
    const high = circuit.filter(
      ({ record, priority, source }) => record === "mimic-s00001" && priority === "high" && source === "rule",
    );
    const minutes = zeros.map(({ row, cells }) => ({
      minute: row,
      pulse: cells.get("PULSE"),
      spo2: cells.get("SpO2"),
      heart: accountOf(heart, row * 60),
      others: high
        .filter((alarm) => alarm.what !== "hr-zero" && holds(alarm, row * 60))
        .map(({ what }) => what)
        .join(" "),
    }));
    process.stdout.write(
      `minute  pulse  SpO2  heart rate 0 is           other HIGH alarms\n${minutes
        .map(({ minute, pulse, spo2, heart: what, others }) =>
          [String(minute).padEnd(6), String(pulse).padEnd(5), String(spo2).padEnd(4), what.padEnd(24), others].join(
            "  ",
          ),
        )
        .join("\n")}\n`,
    );
    expect(minutes).toHaveLength(46);
    expect(runsOf(minutes.map(({ minute, heart: what }) => [minute, what]))).toEqual([
      "0 too short to be told", // the recording's first minute; 62.8 in the next
      "591-610 hr-zero",
      "612 hr-zero", // one minute of 60 /min between them did not end it
      "1382-1388 hr-zero",
      "1390-1401 hr-zero",
      "1405 too short to be told", // off by evidence (pulse 63.6), for one minute
      "1932-1934 sensorOff ecg heartRate",
      "1935 too short to be told", // the last row: its pulse is 0 too
    ]);
    const byValue = minutes.filter(({ pulse, spo2 }) => pulse === 0 && spo2 === 0);
    expect(byValue).toHaveLength(42);
    // by value alone an arrest: somebody is told HIGH to check the patient in each of these minutes
    expect(byValue.filter(({ others, heart: what }) => what !== "hr-zero" && others === "")).toEqual([]);
    // where the pulse is live no alarm says that there is no heart beat
    const live = minutes.filter(({ pulse }) => (pulse ?? 0) > 0);
    expect(live.map(({ minute }) => minute)).toEqual([1405, 1932, 1933, 1934]);
    expect(live.filter(({ heart: what }) => what === "hr-zero")).toEqual([]);
  });

  it("BIDMC 13: each of the 220 seconds of RESP 0 is apnoea in alarm, or one of three stretches shorter than the rule's 20 s", () => {
    const zeros = zerosOf("bidmc_numerics/bidmc_13_Numerics.csv", "RESP");
    const accounts = zeros.map(({ row }) => [row, accountOf(of("bidmc-13", "resp-zero"), row)] as const);
    expect(accounts).toHaveLength(220);
    expect(runsOf(accounts)).toEqual([
      "63-91 resp-zero",
      "128-144 too short to be told",
      "181-190 too short to be told",
      "211-218 too short to be told",
      "245-282 resp-zero",
      "314-371 resp-zero",
      "392-422 resp-zero",
      "447-475 resp-zero",
    ]);
    // the two short ones that end in silence are told as a series that nobody can see
    const lost = of("bidmc-13", "seriesLost resp respiratoryRate").map(({ onset, end }) => [onset, end]);
    expect(lost.slice(0, 2)).toEqual([
      [191, 211],
      [219, 245],
    ]);
    expect(of("bidmc-13", "resp-zero").every(({ priority }) => priority === "high")).toBe(true);
  });
});
