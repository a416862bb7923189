/** From notifications in the log to people: the outbox, what brings them away, and the pages that people answer, all in one SQLite file. */
import { join } from "node:path";
import type { PolicyContent } from "../../io/policy-file.ts";
import { runSink } from "../../log/sink-runner.ts";
import { closeAll, followAll } from "../running.ts";
import { alarmSink, notificationSink } from "./circuit-sinks.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type Ground, runnerOptions } from "./ground.ts";
import { Nuisance } from "./nuisance.ts";
import { openOutboxDatabase, Outbox, type Outcome, type Sending, type Unreported } from "./outbox.ts";
import { Pages } from "./pages.ts";
import { reviseOld } from "./revise.ts";
import type { Ticks } from "./ticks.ts";
import { Ways } from "./ways.ts";
import type { Words } from "./words.ts";

export interface Telling {
  readonly outbox: Outbox;
  readonly pages: Pages;
  readonly nuisance: Nuisance;
  readonly dispatcher: Dispatcher;
  readonly ways: Ways;
  /** Rejects when a sink can't go on. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/** Stages are as far as their ticks. */
const caughtUpMs = 2_000;
/** Old news that may be over is better than none: stages that do not get there keep nobody from being told. */
const waitedMs_max = 15_000;
const keepMs = 30 * 24 * 3_600_000;
const pruneEveryMs = 3_600_000;

/** `policy`: in force now. */
export const openTelling = async (ground: Ground, ticks: Ticks, policy: () => PolicyContent): Promise<Telling> => {
  const { circuit, logNow, metrics, onError } = ground;
  const db = openOutboxDatabase(join(circuit.config.data, "outbox.sqlite"));
  const [outbox, pages, nuisance] = [new Outbox(db), new Pages(db), new Nuisance(db)];
  const startedMs = performance.now();
  const caughtUp = (): boolean =>
    logNow() - (ticks.lastMs() ?? 0) < caughtUpMs || performance.now() - startedMs > waitedMs_max;
  const { hops } = ground;
  const ways = new Ways({
    db,
    policy,
    onStanding: (hop, up, detail) => (up ? hops.up(hop, detail) : hops.down(hop, detail)),
  });
  const dispatcher = new Dispatcher({
    outbox,
    notifiers: circuit.notifiers,
    now: Date.now,
    revise: reviseOld({ pages, logNow, caughtUp }),
    report: (outcomes) => reportTo(ground.words, outcomes, ground),
    onOutcome: (outcome, sending) => count(outcome, sending, ground),
    onTried: (lane, tried) => ways.tried(lane, tried),
    onError,
  });
  const sinks = [
    notificationSink({ outbox, pages, now: Date.now, onKept: () => dispatcher.wake() }),
    alarmSink(db, nuisance, ({ source, priority }) => metrics.alarms.inc({ source, priority })),
  ];
  const running = followAll(
    sinks.map(({ name }) => name),
    await Promise.all(sinks.map((sink) => runSink(sink, runnerOptions(ground)))),
  );
  dispatcher.start();
  const pruning = setInterval(() => {
    try {
      pages.prune(logNow() - keepMs);
      nuisance.prune(logNow() - keepMs);
    } catch (error) {
      onError(error); // at the next hour, then
    }
  }, pruneEveryMs);
  return {
    outbox,
    pages,
    nuisance,
    dispatcher,
    ways,
    done: running.done,
    close: () =>
      closeAll([async () => db.close(), () => dispatcher.close(), running.close, async () => clearInterval(pruning)]),
  };
};

/** Of a test there is no page that anybody waits for. */
const reportTo = (words: Words, outcomes: readonly Unreported[], { logAt }: Ground): Promise<void> => {
  const awaited = outcomes.filter(({ notification }) => notification.what !== "test");
  if (awaited.length === 0) return Promise.resolve();
  return words.say(
    awaited.map(({ notification, notifier, outcome, detail, atMs }) => ({
      unit: notification.unit,
      word: {
        kind: "notified",
        notification: notification.identity,
        page: notification.page,
        recipient: notification.recipient,
        notifier,
        outcome,
        detail,
        at: logAt(atMs),
      },
    })),
  );
};

const count = ({ outcome, atMs }: Outcome, { notification, notifier }: Sending, { metrics, logAt }: Ground): void => {
  const { what, priority, step, attempt, receivedTime } = notification;
  metrics.notifications.inc({ notifier, what, priority, outcome });
  if (outcome === "confirmed" && what === "alarm" && step === 0 && attempt === 0)
    metrics.delay.observe({ priority }, Math.max(0, logAt(atMs) - receivedTime) / 1_000);
};
