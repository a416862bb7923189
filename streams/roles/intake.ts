/**
 * The front door, in two forms (law 1): `listen` terminates MQTT itself, `ingest` subscribes at a broker. Either way the sender
 * is acknowledged only after the raw log has the message. Both announce roster and rules first, and tick.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Counter, Gauge } from "prom-client";
import type { Platform } from "../compose.ts";
import { loadRoster, loadRules } from "../compose.ts";
import { hasSpool } from "../config.ts";
import type { Received } from "../core/received.ts";
import { OperatingError } from "../core/failure.ts";
import { realTime, type TimeScale } from "../core/time.ts";
import { startListener } from "../io/mqtt/listener.ts";
import type { Acceptance } from "../io/mqtt/held-acknowledgements.ts";
import { startSubscriber, type Subscriber } from "../io/mqtt/subscriber.ts";
import type { Tap } from "../io/tap/tap.ts";
import type { Appender } from "../log/log.ts";
import { RawIntake, withinLargest } from "../log/raw-intake.ts";
import { raw, rawWaveforms } from "../../schemas/topics.ts";
import { whenChanged } from "./changed-files.ts";
import { closeTap, openTap } from "./listener-tap.ts";
import { closeAll, type Running } from "./running.ts";
import { announce, fixScale, type SourceOptions, tick, wasAnnounced } from "./source.ts";
import { closeSpool, openSpool } from "./vitals-spool.ts";

/**
 * Waveforms come through a session and a raw topic of their own, so that a waiting one blocks no vital. The vitals' session takes all the rest,
 * and MQTT has no filter for "all but": it acknowledges the waveforms that it is sent too, and leaves them to their own.
 */
const waveformTopics = "afferent/+/waveforms";
const isWaveform = ({ mqttTopic }: Received): boolean => {
  const [root, , stream, ...rest] = mqttTopic.split("/");
  return root === "afferent" && stream === "waveforms" && rest.length === 0;
};
const receiveMaximum = 5000;

export interface FrontDoor extends Running {
  /** Where devices connect; undefined when they connect to a broker. */
  readonly port: number | undefined;
}

/** Which role runs which intake of the configuration. */
const roleOf = { listener: "listen", subscriber: "ingest" } as const;

/** The wrong one would run unseen beside nothing. Codes: `wrong-intake`. */
export const checkRole = (role: "listen" | "ingest", { intake }: Platform["config"]): void => {
  if (roleOf[intake.kind] === role) return;
  const named =
    intake.kind === "listener" ? `a listener at ${intake.host}:${intake.port}` : `a subscriber at ${intake.url}`;
  throw new OperatingError(
    "wrong-intake",
    `${role}: the configuration's intake is ${named}; start ${roleOf[intake.kind]} instead`,
    { retry: false },
  );
};

const refusals = new Set(["roster-invalid", "rules-invalid", "file-unreadable"]);

/**
 * A roster or rules that are refused must not leave a ward without intake at the next start: where something was announced before, that stays in
 * force and the refusal is said as an error and counted. Only at the very first start, with nothing to go on, is it the end.
 */
const announceAll = async (platform: Platform, source: SourceOptions, refused: Gauge): Promise<TimeScale> => {
  const { config, say } = platform;
  try {
    // what is refused is refused before anything is written
    const [roster, rules] = [await loadRoster(config.roster), await loadRules(config)];
    const scale = await fixScale(config.speed, source);
    say.info(await announce(roster, rules, scale, source), "roster and rules are in the log");
    return scale;
  } catch (error) {
    const isRefusal = error instanceof OperatingError && refusals.has(error.code);
    if (!isRefusal || !(await wasAnnounced(source))) throw error;
    refused.set(1);
    say.error({ error: error.message }, "roster or rules are REFUSED; what was announced before stays in force");
    return await fixScale(config.speed, source);
  }
};

/** From its start on a change of roster or rules takes effect within two seconds; a refused one leaves what is in force. */
const announceChanges = async (
  platform: Platform,
  source: SourceOptions,
  scale: TimeScale,
  refused: Gauge,
  signal: AbortSignal,
): Promise<void> => {
  const { config, say } = platform;
  const announceAgain = async (): Promise<void> => {
    for (;;) {
      try {
        const announced = await announce(await loadRoster(config.roster), await loadRules(config), scale, source);
        refused.set(0);
        say.info(announced, "roster or rules have changed and are in the log");
        return;
      } catch (error) {
        refused.set(1);
        say.error({ error: String(error) }, "changed roster or rules are not in force; what was announced before is");
        if (signal.aborted || !(error instanceof OperatingError && error.retry)) return;
        await sleep(announceAgainMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  await whenChanged([config.roster, ...config.rules], announceAgain, signal);
};

const announceAgainMs = 1_000;
const rosterRefused = "afferent_roster_refused";

/** As {@link announceAll}, once the log is there: a listener with a spool has opened its door meanwhile. Waits for ever when aborted. */
const announceOnceBack = async (
  platform: Platform,
  source: SourceOptions,
  refused: Gauge,
  signal: AbortSignal,
): Promise<TimeScale> => {
  while (!signal.aborted)
    try {
      await platform.log.ensure(platform.topology.topics);
      return await announceAll(platform, source, refused);
    } catch (error) {
      if (!(error instanceof OperatingError && error.retry)) throw error;
      platform.say.warn({ error: String(error) }, "the raw log is still away; roster and rules wait");
      await sleep(announceAgainMs, undefined, { signal }).catch(() => undefined);
    }
  return new Promise(() => undefined);
};

/** Ticks, and announces what changes, until aborted. */
const keepGoing = async (
  platform: Platform,
  source: SourceOptions,
  scale: TimeScale,
  refused: Gauge,
  signal: AbortSignal,
): Promise<void> => {
  const appender = await platform.log.appender("ticks");
  const onError = (error: unknown): void => platform.say.warn({ error: String(error) }, "no tick");
  try {
    await Promise.all([
      tick(appender, scale, platform.wire, signal, onError),
      announceChanges(platform, source, scale, refused, signal),
    ]);
  } finally {
    await appender.close();
  }
};

const openBoth = async (
  platform: Platform,
  scale: TimeScale,
  ready: Promise<unknown> | undefined,
): Promise<{ readonly intakes: Intakes; readonly door: Door }> => {
  const intakes = await openIntakes(platform, scale, ready);
  const open = platform.config.intake.kind === "listener" ? listener : subscribers;
  const door = await open(platform, intakes).catch(async (error: unknown) => {
    await intakes.close();
    throw error;
  });
  return { intakes, door };
};

export const openFrontDoor = async (platform: Platform): Promise<FrontDoor> => {
  const { log, wire, metrics } = platform;
  const source = { log, wire, now: Date.now };
  const refused = new Gauge({
    name: rosterRefused,
    help: "1 while the roster or the rules at hand are refused and what was announced before is in force",
    registers: [metrics],
  });
  const stop = new AbortController();
  const alone = platform.logAway === true ? announceOnceBack(platform, source, refused, stop.signal) : undefined;
  const scale = alone === undefined ? await announceAll(platform, source, refused) : realTime;
  alone?.catch(() => undefined); // `going` tells
  const { intakes, door } = await openBoth(platform, scale, alone).catch((error: unknown) => {
    stop.abort();
    throw error;
  });
  const going = Promise.race([alone, aborted(stop.signal)]).then(() =>
    keepGoing(platform, source, scale, refused, stop.signal),
  );
  return {
    where: door.where,
    port: door.port,
    done: Promise.race([going, intakes.failed]),
    close: () =>
      closeAll([
        intakes.close,
        () => going,
        async () => {
          stop.abort();
          metrics.removeSingleMetric(rosterRefused);
        },
        door.close,
      ]),
  };
};

const shedName = "afferent_shed_messages_total";
const refusedName = "afferent_listener_refused_total";
const pendingName = "afferent_intake_pending_messages";

type Door = Omit<FrontDoor, "done">;

interface Intakes {
  readonly vitals: RawIntake;
  readonly waveforms: RawIntake;
  /** Rejects when one of them can't go on. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** Until `ready` nothing is appended: what others must write first is not there yet. */
const openIntakes = async (
  platform: Platform,
  scale: TimeScale,
  ready: Promise<unknown> | undefined,
): Promise<Intakes> => {
  const { log, wire, counted, say, metrics } = platform;
  const registers = [metrics];
  const labelNames = ["topic"] as const;
  const shed = new Counter({
    name: shedName,
    help: "QoS 0 messages dropped because the intake was full",
    labelNames,
    registers,
  });
  new Gauge({
    name: pendingName,
    help: "Messages taken and not yet durable in the raw log",
    labelNames,
    registers,
    collect() {
      for (const { topic, intake } of open) this.set({ topic }, intake.pending);
    },
  });
  const open: {
    readonly topic: string;
    readonly intake: RawIntake;
    readonly failed: Promise<never>;
    close(): Promise<void>;
  }[] = [];
  const openOne = async (topic: typeof raw | typeof rawWaveforms): Promise<RawIntake> => {
    const direct = await log.appender(`intake.${topic.name}`);
    const spool = topic === raw && hasSpool(platform.config) ? openSpool(direct, platform, ready) : undefined;
    const appender = spool ?? (ready === undefined ? direct : appendsOnce(ready, direct));
    let dropped = 0;
    shed.inc({ topic: topic.name }, 0);
    const intake = new RawIntake({
      topic,
      appender,
      wire,
      scale,
      now: Date.now,
      onAppended: (messages, bytes) => {
        counted.received.inc(messages);
        counted.receivedBytes.inc(bytes);
      },
      onError: (error) =>
        say.warn(
          { topic: topic.name, error: String(error) },
          "the raw log is away; senders wait for their acknowledgement",
        ),
      onFull: (full) => {
        if (full) say.error({ topic: topic.name }, "intake full: nothing more is taken until the raw log is back");
        else say.warn({ topic: topic.name, dropped }, "intake has room again; dropped: messages that came at QoS 0");
        dropped = 0;
      },
      onShed: () => {
        if (dropped++ === 0) say.error({ topic: topic.name }, "intake full: messages that come at QoS 0 are dropped");
        shed.inc({ topic: topic.name });
      },
    });
    const close = async (): Promise<void> => {
      intake.close();
      await (spool === undefined ? appender.close() : closeSpool(spool, platform));
    };
    const failed = spool === undefined ? intake.failed : Promise.race([intake.failed, spool.failed]);
    open.push({ topic: topic.name, intake, failed, close });
    return intake;
  };
  const [vitals, waveforms] = await Promise.all([openOne(raw), openOne(rawWaveforms)]);
  return {
    vitals,
    waveforms,
    failed: Promise.race(open.map(({ failed }) => failed)),
    close: async () => {
      for (const name of [shedName, pendingName]) metrics.removeSingleMetric(name);
      await Promise.all(open.map(({ close }) => close()));
    },
  };
};

const appendsOnce = (ready: Promise<unknown>, appender: Appender): Appender => ({
  append: async (records) => {
    await ready;
    await appender.append(records);
  },
  close: () => appender.close(),
});

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

const listener = async (platform: Platform, intakes: Intakes): Promise<Door> => {
  const { config, say } = platform;
  if (config.intake.kind !== "listener") throw new TypeError("listener: another intake is configured");
  const { host, port, alertTap, platformPassword } = config.intake;
  const tap = alertTap === undefined ? undefined : openTap(alertTap, platform);
  const refused = new Counter({
    name: refusedName,
    help: "Connections and messages refused, for only the platform may use its name and its topics",
    labelNames: ["reason"] as const,
    registers: [platform.metrics],
  });
  const open = await startListener({
    host,
    port,
    accept: (message, connected) =>
      isWaveform(message)
        ? intakes.waveforms.accept(message, connected)
        : acceptTwice(message, connected, intakes.vitals, tap),
    onError: (error) => say.debug({ error: String(error) }, "a device's connection ended with an error"),
    ...(platformPassword !== undefined && { platformPassword }),
    onRefused: (reason, session) => {
      refused.inc({ reason });
      say.warn({ reason, session }, "not authorised: only the platform itself speaks on its topics");
    },
  }).catch((error: unknown) => {
    platform.metrics.removeSingleMetric(refusedName);
    if (tap !== undefined) closeTap(tap, platform);
    throw error;
  });
  const close = async (): Promise<void> => {
    await open.close();
    platform.metrics.removeSingleMetric(refusedName);
    if (tap !== undefined) closeTap(tap, platform);
  };
  return { where: `mqtt://${host}:${open.port}`, port: open.port, close };
};

/** To the alert circuit and to the raw log at once, neither waiting for the other; the sender is answered when both have it (law 1). */
const acceptTwice = async (
  message: Received,
  connected: AbortSignal | undefined,
  vitals: RawIntake,
  tap: Tap | undefined,
): Promise<void> => {
  const taken = { ...withinLargest(message), receivedMs: Date.now() };
  await Promise.all([tap?.accept(taken, connected), vitals.accept(taken, connected)]);
};

const subscribers = async ({ config, say }: Platform, intakes: Intakes): Promise<Door> => {
  if (config.intake.kind !== "subscriber") throw new TypeError("subscriber: another intake is configured");
  const { url, clientId, protocolVersion, topics } = config.intake;
  const open: Subscriber[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(open.map((session) => session.close()));
  };
  const start = async (session: string, filters: readonly string[], accept: Acceptance["accept"]): Promise<void> => {
    const name = `${clientId}-${session}`;
    open.push(
      await startSubscriber({
        url,
        clientId: name,
        filters,
        protocolVersion,
        receiveMaximum,
        accept,
        onState: (state, detail) =>
          say[state === "away" ? "error" : "info"]({ session, state, detail }, "broker session"),
      }),
    );
  };
  try {
    // first the waveforms' session: from then on the other may leave them to it
    await start("waveforms", [waveformTopics], (message, connected) => intakes.waveforms.accept(message, connected));
    await start("vitals", topics, (message, connected) =>
      isWaveform(message) ? Promise.resolve() : intakes.vitals.accept(message, connected),
    );
  } catch (error) {
    await close();
    throw error;
  }
  return { where: url, port: undefined, close };
};
