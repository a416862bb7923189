/**
 * The circuit's own way in: a persistent session of its own at the broker, or the listener's tap. What devices say is acknowledged once the
 * circuit's own log has it; waveforms are acknowledged and left to the telemetry plane; answers of people go to whoever takes answers.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { AlertConfig } from "../../alert-config.ts";
import type { Received } from "../../core/received.ts";
import { answerRoot } from "../../../schemas/platform.ts";
import { startSubscriber, type Subscriber } from "../../io/mqtt/subscriber.ts";
import { startTapEndpoint } from "../../io/tap/endpoint.ts";
import { hearing } from "../../io/tap/hearing.ts";
import type { RawIntake } from "../../log/raw-intake.ts";
import { isAnswer } from "./answers.ts";

export interface IntakeOptions {
  readonly config: AlertConfig["intake"];
  readonly intake: RawIntake;
  /** Resolves when the answer is durable, or refused. */
  readonly answered: (message: Received) => Promise<void>;
  /** The session carries messages, or a listener is there; or not. Told at each change. */
  readonly onStanding: (up: boolean, detail: string) => void;
  readonly onError: (error: unknown) => void;
}

export interface CircuitIntake {
  readonly where: string;
  readonly port: number | undefined;
  readonly connected: () => boolean;
  close(): Promise<void>;
}

const receiveMaximum = 5_000;
const againMs = 500;

export const isWaveform = ({ mqttTopic }: Received): boolean => mqttTopic.split("/")[2] === "waveforms";

/** A broker that is away does not keep the circuit from starting: what it knows already has to be escalated. Codes: `tap-port-taken`. */
export const openIntake = async (options: IntakeOptions): Promise<CircuitIntake> => {
  const { config, intake, answered } = options;
  const accept = (message: Received, connected?: AbortSignal): Promise<void> => {
    if (isAnswer(message)) return answered(message);
    return isWaveform(message) ? Promise.resolve() : intake.accept(message, connected);
  };
  return config.kind === "tap" ? tapped(config, options, accept) : subscribed(config, options, accept);
};

type Accept = (message: Received, connected?: AbortSignal) => Promise<void>;
type TapConfig = Extract<AlertConfig["intake"], { kind: "tap" }>;
type SubscriberConfig = Extract<AlertConfig["intake"], { kind: "subscriber" }>;

const tapped = async (
  { host, port }: TapConfig,
  { onError, onStanding }: IntakeOptions,
  accept: Accept,
): Promise<CircuitIntake> => {
  const listener = hearing({ onStanding });
  try {
    const endpoint = await startTapEndpoint({ host, port, accept, onError, onHeard: listener.heard });
    return {
      where: `tap http://${host}:${endpoint.port}`,
      port: endpoint.port,
      connected: listener.there,
      close: async () => {
        listener.close();
        await endpoint.close();
      },
    };
  } catch (error) {
    listener.close();
    throw error;
  }
};

const subscribed = async (
  { url, clientId, protocolVersion, topics, username, password }: SubscriberConfig,
  { onStanding, onError }: IntakeOptions,
  accept: Accept,
): Promise<CircuitIntake> => {
  const stop = new AbortController();
  let open: Subscriber | undefined;
  let connected = false;
  const standing = (up: boolean, detail: string): void => {
    if (stop.signal.aborted) return;
    connected = up;
    onStanding(up, detail);
  };
  const session = {
    url,
    clientId,
    username,
    password,
    filters: [...topics, `${answerRoot}/+`],
    protocolVersion,
    receiveMaximum,
    accept,
    onState: (state: "connected" | "away", detail: string) => standing(state === "connected", detail),
  };
  const connecting = (async () => {
    while (!stop.signal.aborted && open === undefined)
      try {
        open = await startSubscriber(session);
      } catch (error) {
        onError(error);
        await sleep(againMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    if (stop.signal.aborted) await open?.close();
  })();
  return {
    where: url,
    port: undefined,
    connected: () => connected,
    close: async () => {
      stop.abort();
      if (open !== undefined) await open.close();
      else void connecting;
    },
  };
};
