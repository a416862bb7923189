/** How the circuit stands: its audit, what is degraded, what the board is shown, and the sign of life that depends on all of it. */
import type { Logger } from "pino";
import type { Hop } from "../../../schemas/records/alert.ts";
import { bannerOf } from "../../../schemas/degradation.ts";
import type { AlertConfig } from "../../alert-config.ts";
import type { PolicyContent } from "../../io/policy-file.ts";
import { giveSignOfLife } from "../../io/notify/sign-of-life.ts";
import { audit, type AuditFailure } from "./audit.ts";
import type { CircuitMetrics } from "./circuit-metrics.ts";
import type { Degradation } from "./degradation.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Hops } from "./hops.ts";
import type { CircuitIntake } from "./intake.ts";
import type { Nuisance, NuisanceCount } from "./nuisance.ts";
import type { Outbox } from "./outbox.ts";
import type { Pages } from "./pages.ts";
import type { Ticks } from "./ticks.ts";
import type { Ways } from "./ways.ts";

export interface AuditorParts {
  readonly outbox: Outbox;
  readonly pages: Pages;
  readonly dispatcher: Dispatcher;
  readonly ways: Ways;
  readonly ticks: Ticks;
  readonly door: CircuitIntake;
  /** Log time in ms. */
  readonly logNow: () => number;
  readonly policy: () => PolicyContent;
}

/** The circuit's audit as of now. */
export const auditor =
  ({ outbox, pages, dispatcher, ways, ticks, door, logNow, policy }: AuditorParts): (() => readonly AuditFailure[]) =>
  () =>
    audit({
      nowMs: Date.now(),
      logNowMs: logNow(),
      pages: pages.open({ tests: true }),
      lastTickMs: ticks.lastMs(),
      intakeConnected: door.connected(),
      oldestHigh: outbox.oldestHigh(),
      down: dispatcher.down(),
      gone: ways.gone(),
      notifiers: personsNotifiers(policy()),
    });

/** By which people are told, tests apart. */
const personsNotifiers = ({ recipients }: PolicyContent): readonly string[] => [
  ...new Set(
    recipients.filter(({ test }) => !test).flatMap(({ addresses }) => addresses.map(({ notifier }) => notifier)),
  ),
];

export interface StatusParts {
  readonly pages: Pages;
  readonly nuisance: Nuisance;
  readonly outbox: Outbox;
  readonly hops: Hops;
  readonly degradation: Degradation;
  readonly audit: () => readonly AuditFailure[];
  /** Log time in ms. */
  readonly now: number;
}

const nuisanceMs = 24 * 3_600_000;

/** `GET /status`, for the board: no name and no number of a patient is in it. */
export interface CircuitStatus {
  readonly now: number;
  readonly audit: readonly AuditFailure[];
  readonly down: readonly Hop[];
  readonly modes: readonly { readonly id: string; readonly which: readonly string[] }[];
  readonly banner: ReturnType<typeof bannerOf>;
  readonly openPages: ReturnType<Pages["open"]>;
  /** Of the last 24 hours. */
  readonly nuisance: readonly NuisanceCount[];
  readonly waiting: ReturnType<Outbox["waiting"]>;
}

export const statusOf = ({
  pages,
  nuisance,
  outbox,
  hops,
  degradation,
  audit: failures,
  now,
}: StatusParts): CircuitStatus => {
  const modes = degradation.modes();
  return {
    now,
    audit: failures(),
    down: hops.all(),
    modes: modes.map(({ mode, which }) => ({ id: mode.id, which })),
    banner: bannerOf(modes),
    openPages: pages.open(),
    nuisance: nuisance.counts(now - nuisanceMs, now),
    waiting: outbox.waiting(),
  };
};

export interface LiveOptions {
  readonly config: AlertConfig;
  readonly audit: () => readonly AuditFailure[];
  readonly pages: Pages;
  readonly outbox: Outbox;
  readonly metrics: CircuitMetrics;
  readonly hops: Hops;
  readonly ways: Ways;
  readonly degradation: Degradation;
  readonly policy: () => PolicyContent;
  readonly say: Logger;
}

const aliveEveryMs = 5_000;
const aliveLimitMs = 4_000;
const checks = ["escalation", "ticks", "intake", "outbox", "notifiers"];

/** Audits every five seconds and gives a sign of life where it passes; what fails is said and shown. Returns what stops it. */
export const keepAlive = (options: LiveOptions): (() => Promise<void>) => {
  let said = "";
  const look = async (): Promise<void> => {
    options.degradation.toldBy(personsNotifiers(options.policy()));
    options.ways.forgetOld();
    const failures = options.audit();
    count(options, failures);
    const text = failures.map(({ detail }) => detail).join("; ");
    if (text !== "" && said === "") options.say.error({ failures }, "the audit FAILS: no sign of life is given");
    if (text === "" && said !== "") options.say.info("the audit passes again");
    said = text;
    if (failures.length === 0) await signOfLife(options);
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error: unknown) => options.say.error({ error: String(error) }, "audit"));
  }, aliveEveryMs);
  return async () => {
    clearInterval(timer);
    await looking;
  };
};

const count = ({ metrics, pages, outbox }: LiveOptions, failures: readonly AuditFailure[]): void => {
  for (const check of checks) metrics.audit.set({ check }, failures.some((failure) => failure.check === check) ? 1 : 0);
  const states = pages.open().map(({ state }) => state);
  for (const state of ["escalating", "accepted"] as const)
    metrics.openPages.set({ state }, states.filter((one) => one === state).length);
  for (const [priority, waiting] of Object.entries(outbox.waiting())) metrics.outbox.set({ priority }, waiting);
};

/** A watch that can't be reached is one of the parts that can be down. */
const signOfLife = async ({ config, metrics, hops, say }: LiveOptions): Promise<void> => {
  if (config.watch === undefined) return;
  const { url, secret } = config.watch;
  try {
    await giveSignOfLife({ url, secret }, config.name, Date.now(), AbortSignal.timeout(aliveLimitMs));
    metrics.signOfLife.set(Date.now() / 1000);
    hops.up("watch", "it takes signs of life");
  } catch (error) {
    say.warn({ error: String(error) }, "the watch did not take a sign of life");
    hops.down("watch", String(error), 2 * aliveEveryMs);
  }
};
