/** The two doors: a listener that devices connect to, and sessions at a broker that they connect to. */
import { Counter } from "prom-client";
import type { Platform } from "../compose.ts";
import type { Received } from "../core/received.ts";
import type { Acceptance } from "../io/mqtt/held-acknowledgements.ts";
import { startListener } from "../io/mqtt/listener.ts";
import { startSubscriber, type Subscriber } from "../io/mqtt/subscriber.ts";
import type { Tap } from "../io/tap/tap.ts";
import { type RawIntake, withinLargest } from "../log/raw-intake.ts";
import { closeTap, openTap } from "./listener-tap.ts";
import type { Intakes } from "./raw-intakes.ts";

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

const refusedName = "afferent_listener_refused_total";

/** Where devices are heard. */
export interface Door {
  readonly where: string;
  /** Where devices connect; undefined when they connect to a broker. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

export const openListener = async (platform: Platform, intakes: Intakes): Promise<Door> => {
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

export const openSubscribers = async ({ config, say }: Platform, intakes: Intakes): Promise<Door> => {
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
