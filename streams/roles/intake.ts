/**
 * The front door, in two forms (law 1): `listen` terminates MQTT itself, `ingest` subscribes at a broker. Either way the sender
 * is acknowledged only after the raw log has the message. Both announce roster and rules first, and tick.
 */
import type { Platform } from "../compose.ts";
import { loadRoster, loadRules } from "../compose.ts";
import type { Received } from "../core/received.ts";
import type { TimeScale } from "../core/time.ts";
import { startListener } from "../io/mqtt/listener.ts";
import { startSubscriber } from "../io/mqtt/subscriber.ts";
import { addressOf, RawIntake } from "../log/raw-intake.ts";
import { raw, rawWaveforms } from "../../schemas/topics.ts";
import type { Running } from "./running.ts";
import { announce, fixScale, tick } from "./source.ts";

const waveformStream = "waveforms";
/** Vitals and waveforms come through sessions of their own, so that a waiting waveform blocks nothing else. */
const sessions = [
  { suffix: "vitals", filters: ["afferent/+/numerics", "afferent/+/status"] },
  { suffix: "waveforms", filters: [`afferent/+/${waveformStream}`] },
];
const receiveMaximum = 5000;

export interface FrontDoor extends Running {
  /** Where devices connect; undefined when they connect to a broker. */
  readonly port: number | undefined;
}

export const openFrontDoor = async (platform: Platform): Promise<FrontDoor> => {
  const { config, log, wire, say } = platform;
  const source = { log, wire, now: Date.now };
  // what is refused is refused before anything is written
  const [roster, rules] = [await loadRoster(config.roster), await loadRules(config)];
  const scale = await fixScale(config.speed, source);
  say.info(await announce(roster, rules, scale, source), "roster and rules are in the log");
  const intakes = await openIntakes(platform, scale);
  const accept = (message: Received): Promise<void> =>
    addressOf(message.mqttTopic).stream === waveformStream
      ? intakes.waveforms.accept(message)
      : intakes.vitals.accept(message);
  const open = config.intake.kind === "listener" ? listener : subscribers;
  const door = await open(platform, accept).catch(async (error: unknown) => {
    await intakes.close();
    throw error;
  });
  const stop = new AbortController();
  const tickAppender = await log.appender("ticks");
  const ticking = tick(tickAppender, scale, wire, stop.signal, (error) =>
    say.warn({ error: String(error) }, "no tick"),
  );
  return {
    where: door.where,
    port: door.port,
    done: ticking,
    close: async () => {
      await door.close();
      stop.abort();
      await ticking;
      await tickAppender.close();
      await intakes.close();
    },
  };
};

type Door = Omit<FrontDoor, "done">;

const openIntakes = async (platform: Platform, scale: TimeScale) => {
  const { log, wire, counted, say } = platform;
  const open = async (
    topic: typeof raw | typeof rawWaveforms,
  ): Promise<{ intake: RawIntake; close(): Promise<void> }> => {
    const appender = await log.appender(`intake.${topic.name}`);
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
        say.warn({ error: String(error) }, "the raw log is away; senders wait for their acknowledgement"),
    });
    return {
      intake,
      close: async () => {
        intake.close();
        await appender.close();
      },
    };
  };
  const [vitals, waveforms] = await Promise.all([open(raw), open(rawWaveforms)]);
  return {
    vitals: vitals.intake,
    waveforms: waveforms.intake,
    close: async () => {
      await Promise.all([vitals.close(), waveforms.close()]);
    },
  };
};

const listener = async (platform: Platform, accept: (message: Received) => Promise<void>): Promise<Door> => {
  const { config, say } = platform;
  if (config.intake.kind !== "listener") throw new TypeError("listener: another intake is configured");
  const { host, port } = config.intake;
  const open = await startListener({
    host,
    port,
    accept,
    onError: (error) => say.debug({ error: String(error) }, "a device's connection ended with an error"),
  });
  return { where: `mqtt://${host}:${open.port}`, port: open.port, close: open.close };
};

const subscribers = async (platform: Platform, accept: (message: Received) => Promise<void>): Promise<Door> => {
  const { config, say } = platform;
  if (config.intake.kind !== "subscriber") throw new TypeError("subscriber: another intake is configured");
  const { url, clientId, protocolVersion } = config.intake;
  const open = await Promise.all(
    sessions.map(({ suffix, filters }) =>
      startSubscriber({
        url,
        clientId: `${clientId}-${suffix}`,
        filters,
        protocolVersion,
        receiveMaximum,
        accept,
        onState: (state, detail) => say.info({ session: suffix, state, detail }, "broker session"),
      }),
    ),
  );
  return {
    where: url,
    port: undefined,
    close: async () => {
      await Promise.all(open.map((session) => session.close()));
    },
  };
};
