/** The thresholds stage in its tests: four rules, a value a second, and what it tells in short. */
import type { Rule } from "../schemas/records/broadcast.ts";
import type { Episode, Measurement } from "../schemas/records/telemetry.ts";
import { logTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { ruleOf, subject, t0 } from "../streams/sim/said.ts";
import { thresholds } from "./thresholds.ts";

export const spo2Low = ruleOf({ id: "spo2-low", metric: "spo2", ucum: "%", when: "below", limit: 90, clear: 92 });
export const hrLow = ruleOf({ id: "hr-low", metric: "heartRate", when: "below", limit: 50, clear: 54 });
export const hrZero = ruleOf({
  id: "hr-zero",
  metric: "heartRate",
  when: "indeterminateZero",
  limit: 0,
  minimumMs: 4_000,
  priority: "high",
});
export const hrHigh = ruleOf({ id: "hr-high", metric: "heartRate", when: "above", limit: 120, clear: 115 });

/** The stage with these rules in force. */
export const driven = (rules: readonly Rule[], version = 1) => {
  const d = drive(thresholds);
  d.send("", t0, { kind: "rules", version, effectiveFrom: logTime(t0), rules });
  return d;
};
export type Ward = ReturnType<typeof driven>;
/** A value of that second, received then unless `more` says otherwise. */
export const give = (
  d: Ward,
  second: number,
  metric: "spo2" | "heartRate",
  value: number | null,
  more: Partial<Measurement> = {},
): void =>
  d.send(
    subject,
    (more.receivedTime ?? t0 + second * 1_000) + 100,
    measured(metric, t0 + second * 1_000, value, { subject, ...more }),
  );
/** One value a second from `from` on. */
export const stream = (d: Ward, from: number, metric: "spo2" | "heartRate", values: readonly (number | null)[]): void =>
  values.forEach((value, i) => {
    if (value !== null) give(d, from + i, metric, value);
  });
export const times = (n: number, value: number | null): (number | null)[] => Array.from({ length: n }, () => value);
export const episodes = (d: Ward): Episode[] =>
  d
    .outputs("episodes")
    .map(({ body }) => body)
    .filter((b) => b.kind === "episode");
/** As "hr-high start 3-": rule, phase, and its seconds. */
export const told = (d: Ward): string[] =>
  episodes(d).map(
    (e) => `${e.rule.id} ${e.phase} ${(e.start - t0) / 1_000}-${e.end === null ? "" : (e.end - t0) / 1_000}`,
  );
