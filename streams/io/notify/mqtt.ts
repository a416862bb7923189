/** Publishes to displays and handhelds at QoS 1; the broker's PUBACK confirms. What can't go out now is said to have failed, and kept nowhere. */
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { OperatingError } from "../../core/failure.ts";
import type { Notifier } from "./notifier.ts";
import { messageOf } from "./wording.ts";

export interface MqttOptions {
  readonly name: string;
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM of whom to trust beside the usual. */
  readonly ca?: string | undefined;
  /** What recipients' topics begin with. */
  readonly root: string;
}

/** Under way without a PUBACK, over all addresses. */
const underWay_max = 500;
const reconnectMs = 500;

/** Opens in the background: what is sent while the broker is away fails at once. */
export const connectDisplays = (options: Pick<MqttOptions, "url" | "username" | "password" | "ca">): MqttClient => {
  const settings: IClientOptions = {
    clean: true,
    reconnectPeriod: reconnectMs,
    connectTimeout: 5_000,
    keepalive: 5,
    queueQoSZero: false,
    resubscribe: false,
    ...(options.username !== undefined && { username: options.username }),
    ...(options.password !== undefined && { password: options.password }),
    ...(options.ca !== undefined && { ca: options.ca }),
  };
  const client = connect(options.url, settings);
  // what fails is said to whoever sends
  client.on("error", () => undefined);
  return client;
};

/**
 * An address is what follows the root: `<root>/<to>`, never retained. Codes of `send`: `mqtt-topic-refused` (final), `mqtt-away`, `mqtt-busy`
 * (too much under way without a PUBACK), `mqtt-unconfirmed` (no PUBACK in its time, or refused by the broker).
 */
export const openMqtt = (options: MqttOptions): Notifier => {
  const client = connectDisplays(options);
  const publisher = confirmedPublisher(client, options.url);
  return {
    name: options.name,
    send: (notification, to, signal) => {
      if (to === "" || /[+#\p{Cc}]/u.test(to) || to.split("/").includes(""))
        return Promise.reject(
          new OperatingError("mqtt-topic-refused", `mqtt: ${JSON.stringify(to)} is no topic level`, { retry: false }),
        );
      return publisher(`${options.root}/${to}`, JSON.stringify(messageOf(notification)), signal);
    },
    close: () => client.endAsync(true),
  };
};

type Publisher = (topic: string, payload: string, signal: AbortSignal) => Promise<void>;

const failed = (code: string, message: string, cause?: unknown): OperatingError =>
  new OperatingError(code, `mqtt: ${message}`, { retry: true, cause });

/** Resolves at the PUBACK. mqtt.js would keep what a lost connection left and send it by itself later: that is taken back. */
const confirmedPublisher = (client: MqttClient, url: string): Publisher => {
  const underWay = new Set<() => void>();
  client.on("close", () => {
    for (const giveUp of underWay) giveUp();
  });
  return (topic, payload, signal) => {
    if (!client.connected) return Promise.reject(failed("mqtt-away", `no connection to ${url}`));
    if (underWay.size >= underWay_max)
      return Promise.reject(failed("mqtt-busy", `${underWay.size} under way to ${url} without a PUBACK`));
    const confirmed = Promise.withResolvers<void>();
    let messageId: number | undefined;
    const giveUp = (): void => {
      if (messageId !== undefined) client.removeOutgoingMessage(messageId);
      confirmed.reject(failed("mqtt-unconfirmed", `no PUBACK from ${url} for ${topic}`));
    };
    underWay.add(giveUp);
    signal.addEventListener("abort", giveUp, { once: true });
    const last = client.getLastMessageId();
    client.publish(topic, payload, { qos: 1 }, (error) =>
      error ? confirmed.reject(failed("mqtt-unconfirmed", `${topic}: ${error.message}`, error)) : confirmed.resolve(),
    );
    // while mqtt.js is still busy with a new connection it gives no id yet: the last one is somebody else's
    if (client.getLastMessageId() !== last) messageId = client.getLastMessageId();
    if (signal.aborted) giveUp();
    return confirmed.promise.finally(() => {
      underWay.delete(giveUp);
      signal.removeEventListener("abort", giveUp);
    });
  };
};
