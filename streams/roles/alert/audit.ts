/**
 * Whether the circuit would really tell somebody: only then does it give a sign of life. Each check can fail alone and says in words what is
 * wrong; a check that nothing could fail would be no dead man's switch.
 */
import type { Page } from "../../../schemas/records/alert.ts";
import type { LaneName } from "./outbox.ts";

export interface Audited {
  /** Wall clock and log time, ms. */
  readonly nowMs: number;
  readonly logNowMs: number;
  readonly pages: readonly Page[];
  /** Log time of the last tick that came out of the last stage; null: none yet. */
  readonly lastTickMs: number | null;
  readonly intakeConnected: boolean;
  /** Since when the oldest high notification waits, by address. */
  readonly oldestHigh: readonly (LaneName & { readonly sinceMs: number })[];
  /** Addresses that nothing gets through to, and notifiers (ways.ts). */
  readonly down: readonly LaneName[];
  readonly gone: readonly string[];
  /** Notifiers that the policy's people are told by. */
  readonly notifiers: readonly string[];
}

export interface AuditFailure {
  /** escalation, ticks, intake, outbox, notifiers. */
  readonly check: string;
  readonly detail: string;
}

/** Somebody is told again this long after it was due, at the latest. */
const escalationSlackMs = 10_000;
const tickMs_max = 5_000;
const unsentMs_max = 10_000;

/** Empty where all is well. */
export const audit = (audited: Audited): readonly AuditFailure[] => [
  ...escalations(audited),
  ...ticks(audited),
  ...(audited.intakeConnected ? [] : [{ check: "intake", detail: "no messages can come in" }]),
  ...unsent(audited),
  ...wholly(audited),
];

const escalations = ({ pages, logNowMs }: Audited): AuditFailure[] =>
  pages
    .filter(({ nextAt }) => nextAt !== null && logNowMs - nextAt > escalationSlackMs)
    .map(({ identity, nextAt }) => ({
      check: "escalation",
      detail: `page ${identity} was to go on ${Math.round((logNowMs - Number(nextAt)) / 1000)} s ago`,
    }));

const ticks = ({ lastTickMs, logNowMs }: Audited): AuditFailure[] => {
  if (lastTickMs !== null && logNowMs - lastTickMs < tickMs_max) return [];
  const since = lastTickMs === null ? "since the start" : `for ${Math.round((logNowMs - lastTickMs) / 1000)} s`;
  return [{ check: "ticks", detail: `no tick has come through all stages ${since}` }];
};

const isDown = ({ down }: Audited, { notifier, to }: LaneName): boolean =>
  down.some((lane) => lane.notifier === notifier && lane.to === to);

/** What cannot get through is told as an alarm of its own and goes to somebody else; what could and does not is the circuit's failure. */
const unsent = (audited: Audited): AuditFailure[] =>
  audited.oldestHigh
    .filter((lane) => !isDown(audited, lane) && audited.nowMs - lane.sinceMs > unsentMs_max)
    .map(({ notifier, sinceMs }) => ({
      check: "outbox",
      detail: `a high notification has waited ${Math.round((audited.nowMs - sinceMs) / 1000)} s for ${notifier}`,
    }));

const wholly = ({ gone, notifiers }: Audited): AuditFailure[] =>
  notifiers.length > 0 && notifiers.every((name) => gone.includes(name))
    ? [{ check: "notifiers", detail: `nothing gets through by any of ${notifiers.join(", ")}` }]
    : [];
