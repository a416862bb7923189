/**
 * The synthetic device whose alarms are heartbeats (model `afferent-heartbeat`), published below a topic root that only the platform's own
 * credential may write: that is what makes a beat a test and not an alarm (clinical.md 17).
 */
import { connect } from "mqtt";
import { platformRoot } from "../../../schemas/platform.ts";

export interface HeartOptions {
  readonly url: string;
  readonly username: string;
  readonly password?: string | undefined;
  /** PEM of whom to trust beside the usual. */
  readonly ca?: string | undefined;
  /** The synthetic device's id. */
  readonly device: string;
  /** Names this process's life. */
  readonly boot: string;
  /** Each time the connection comes or goes. */
  readonly onState: (state: "connected" | "away", detail: string) => void;
  /** A beat that finds no connection is published with the next one, if that comes within this time: older ones prove nothing. */
  readonly keepMs: number;
}

export interface Heart {
  /** Publishes at QoS 1 what is due at `time` (wall clock, ms), now. */
  beat(seq: number, time: number): void;
  close(): Promise<void>;
}

/** Does not wait for the broker: that it is away is what the watch is there to find. */
export const openHeart = (options: HeartOptions): Heart => {
  const { url, username, password, ca, device, boot, onState, keepMs } = options;
  const client = connect(url, {
    clientId: `afferent-heart-${device}`,
    clean: true,
    reconnectPeriod: 1_000,
    connectTimeout: 5_000,
    keepalive: 5,
    queueQoSZero: false,
    username,
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
  });
  const topic = `${platformRoot}/${device}/alarms`;
  let waiting: { readonly seq: number; readonly time: number; readonly keptUntil: number }[] = [];
  const publish = (): void => {
    const now = performance.now();
    // refused or cut off it does not come back, which is what tells
    for (const { seq, time, keptUntil } of waiting)
      if (now < keptUntil)
        client.publish(topic, JSON.stringify({ device, boot, seq, time }), { qos: 1 }, () => undefined);
    waiting = [];
  };
  client.on("connect", () => {
    onState("connected", url);
    publish();
  });
  client.on("close", () => onState("away", `no connection to ${url}`));
  client.on("error", (error) => onState("away", error.message));
  return {
    beat(seq, time) {
      const now = performance.now();
      waiting = [...waiting.filter(({ keptUntil }) => now < keptUntil), { seq, time, keptUntil: now + keepMs }];
      if (client.connected) publish();
    },
    close: () => client.endAsync(true),
  };
};
