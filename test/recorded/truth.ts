/** Episodes of plain rules as rows of the truth table. */
import type { Episode } from "../../schemas/records/telemetry.ts";
import type { TruthRow } from "../../streams/sim/recordings/truth.ts";
import { startMs } from "./ward.ts";

const columns: Readonly<Record<string, string>> = {
  heartRate: "HR",
  pulseRate: "PULSE",
  respiratoryRate: "RESP",
  spo2: "SpO2",
};
const symbols: Readonly<Record<string, string>> = { above: ">", below: "<", equals: "==" };

/** One for each ended episode of a plain rule. */
export const truthRowsOf = (episodes: readonly Episode[]): TruthRow[] =>
  episodes
    .filter(({ rule, phase }) => rule.plain && phase === "end")
    .map(({ device, metric, rule, start, end, count, extreme }) => ({
      record: device,
      channel: columns[metric] ?? metric,
      rule: `${symbols[rule.when]}${rule.limit}`,
      startMs: start - startMs,
      endMs: (end ?? Number.NaN) - startMs,
      samples: count,
      extreme,
    }));

/** Of the table: runs beyond a limit, and runs of 0. The other rows tell of missing samples and of two channels that disagree. */
export const isRangeOrZero = ({ channel, rule }: TruthRow): boolean =>
  Object.values(columns).includes(channel) && /^(<|>|==)/.test(rule);

export const sortedRows = (rows: readonly TruthRow[]): string[] =>
  rows
    .map(({ record, channel, rule, startMs: from, endMs, samples, extreme }) =>
      [record, channel, rule, from / 1_000, endMs / 1_000, samples, extreme].join(" "),
    )
    .sort();
