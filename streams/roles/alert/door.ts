/** The way in: raw intake over the circuit's log, what carries messages to it, and the ticks that let time pass. */
import { setTimeout as sleep } from "node:timers/promises";
import { raw } from "../../../schemas/topics.ts";
import { RawIntake } from "../../log/raw-intake.ts";
import { closeAll } from "../running.ts";
import { tick } from "../source.ts";
import type { Answers } from "./answers.ts";
import { type Ground, rawTopics } from "./ground.ts";
import { type CircuitIntake, openIntake } from "./intake.ts";

export interface Door {
  readonly intake: CircuitIntake;
  /** Rejects when the circuit's log refuses what it would refuse again. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

const tickEveryMs = 500;
/** A broker that is away for less is not worth a page; devices say what they have to again. */
const brokerGraceMs = 3_000;
/** So long without a tick, and everybody is to know that the circuit was down. */
const goneMs = 10_000;
/**
 * After it was down for so long, time stands still for a moment once the way in is open: the first tick would else call every device silent that
 * was heard by nobody because we were not there. What is still silent after that is told then.
 */
const unheardMs = 5_000;
const hearingMs = 3_000;

export const openDoor = async (ground: Ground, answers: Answers): Promise<Door> => {
  const { circuit, scale, metrics, hops, onError } = ground;
  const { config, log, wire } = circuit;
  const gapMs = await tellWhereItWas(ground);
  const appender = await log.appender("intake");
  const intake = new RawIntake({
    topic: raw,
    appender,
    wire,
    scale,
    now: Date.now,
    onAppended: (messages) => metrics.received.inc(messages),
    onError,
    onShed: () => metrics.shed.inc(),
  });
  // a listener that is called away has been silent for long enough
  const [hop, graceMs] = config.intake.kind === "tap" ? ["listener", 0] : ["broker", brokerGraceMs];
  const open = await openIntake({
    config: config.intake,
    intake,
    answered: answers.received,
    onStanding: (up, detail) => (up ? hops.up(hop, detail) : hops.down(hop, detail, graceMs)),
    onError,
  });
  const stop = new AbortController();
  const tickAppender = await log.appender("ticks");
  const ticking = sleep(gapMs > unheardMs ? hearingMs : 0, undefined, { signal: stop.signal })
    .catch(() => undefined)
    .then(() => tick(tickAppender, scale, wire, stop.signal, onError, { rawTopics, everyMs: tickEveryMs }));
  return {
    intake: open,
    done: Promise.race([intake.failed, ticking]),
    close: () =>
      closeAll([
        () => appender.close(),
        () => tickAppender.close(),
        () => ticking,
        async () => intake.close(),
        open.close,
        async () => stop.abort(),
      ]),
  };
};

/** Nobody watched in between: an event of its own, though it is over. Gives for how long, in ms of log time; 0 for a first start. */
const tellWhereItWas = async ({ circuit, logAt, logNow, hops }: Ground): Promise<number> => {
  const { log } = circuit;
  const { start, end } = await log.bounds(raw.name, 0);
  if (end === start) return 0;
  const reader = await log.reader(raw.name, 0, end - 1);
  const last = (await reader.next(0)).at(-1);
  await reader.close();
  if (last === undefined) return 0;
  const gapMs = logNow() - logAt(last.stampMs);
  if (gapMs > goneMs)
    hops.was("circuit", logAt(last.stampMs), `the circuit was down for ${Math.round(gapMs / 1_000)} s`);
  return gapMs;
};
