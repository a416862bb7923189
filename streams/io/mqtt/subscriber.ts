/**
 * The subscriber: a persistent session at the hospital's own broker that acknowledges a message only after the raw log has it.
 * mqtt.js would handle one message at a time; here PUBACKs are held outside it (held-acknowledgements.ts), so that many can wait for one append.
 */
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { OperatingError } from "../../core/failure.ts";
import { type Acceptance, holdAcknowledgements } from "./held-acknowledgements.ts";

export interface SubscriberOptions extends Acceptance {
  readonly url: string;
  /** Of the platform's own user, where a topic wants it. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly filters: readonly string[];
  readonly protocolVersion: 4 | 5;
  /** Each time the session begins to carry messages, and each time it does not: connection lost, subscription refused. */
  readonly onState: (state: "connected" | "away", detail: string) => void;
  /** First and longest pause before a refused subscription is asked for again. */
  readonly retryMs?: { readonly first: number; readonly longest: number };
}

export interface Subscriber {
  close(): Promise<void>;
}

const sessionExpirySeconds = 7 * 24 * 3600;
const giveUpMs = 15_000;
const usualRetryMs = { first: 500, longest: 30_000 };
/**
 * MQTT 5: a retained message comes only with a subscription that the session did not have (1), and is marked as such (`rap` false).
 * MQTT 3.1.1 sends it with every subscription, marked too.
 */
const retainHandling = { rh: 1, rap: false } as const;

/** Resolves once the broker has granted the subscription. Codes: `broker-unavailable`. */
export const startSubscriber = async (options: SubscriberOptions): Promise<Subscriber> => {
  const client = connect(options.url, connectOptions(options));
  holdAcknowledgements(client, options);
  let last = "no answer";
  const onState: SubscriberOptions["onState"] = (state, detail) => {
    last = detail;
    options.onState(state, detail);
  };
  client.on("error", (error) => onState("away", error.message));
  client.on("offline", () => onState("away", `no connection to ${options.url}`));
  const granted = Promise.withResolvers<void>();
  const stop = keepSubscribed(client, { ...options, onState }, granted.resolve);
  const giveUp = setTimeout(() => {
    const why = `subscriber: not subscribed at ${options.url} within ${giveUpMs / 1_000} s: ${last}`;
    granted.reject(new OperatingError("broker-unavailable", why, { retry: true }));
  }, giveUpMs);
  const close = async (): Promise<void> => {
    stop();
    await client.endAsync(true);
  };
  try {
    await granted.promise;
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(giveUp);
  }
  return { close };
};

const connectOptions = (options: SubscriberOptions): IClientOptions => ({
  clientId: options.clientId,
  clean: false,
  protocolVersion: options.protocolVersion,
  reconnectPeriod: 500,
  resubscribe: false,
  ...(options.username !== undefined && { username: options.username }),
  ...(options.password !== undefined && { password: options.password }),
  ...(options.protocolVersion === 5 && {
    properties: { receiveMaximum: options.receiveMaximum, sessionExpiryInterval: sessionExpirySeconds },
  }),
});

/**
 * Subscribes at each connection (harmless where the session stands, and it covers a broker that has lost its sessions), and again and again
 * where that is refused: a session that is connected and not subscribed would be silent for ever. Returns what stops it.
 */
const keepSubscribed = (client: MqttClient, options: SubscriberOptions, onGranted: () => void): (() => void) => {
  const { first, longest } = options.retryMs ?? usualRetryMs;
  let pauseMs = first;
  let again: NodeJS.Timeout | undefined;
  const subscribe = (): void => {
    client.subscribe(
      [...options.filters],
      { qos: 1, ...(options.protocolVersion === 5 && retainHandling) },
      (error, grants) => {
        if (!client.connected) return; // the next connection asks anew
        const refusal = error?.message ?? refusalOf(grants ?? []);
        if (refusal === undefined) {
          pauseMs = first;
          options.onState("connected", options.url);
          onGranted();
          return;
        }
        options.onState("away", `subscription refused at ${options.url}, asked again in ${pauseMs} ms: ${refusal}`);
        again = setTimeout(() => client.connected && subscribe(), pauseMs);
        pauseMs = Math.min(2 * pauseMs, longest);
      },
    );
  };
  client.on("connect", subscribe);
  client.on("close", () => clearTimeout(again));
  return () => {
    client.off("connect", subscribe);
    clearTimeout(again);
  };
};

/** A subscription at QoS 0 would lose what comes while nobody listens. */
const refusalOf = (grants: readonly { readonly topic: string; readonly qos: number }[]): string | undefined => {
  const lesser = grants.find(({ qos }) => qos !== 1);
  if (lesser === undefined) return undefined;
  return lesser.qos === 0 ? `${lesser.topic}: granted at QoS 0 only` : `${lesser.topic}: refused (${lesser.qos})`;
};
