/** What every display shows while something is degraded (schemas/degradation.ts), retained: who switches on later sees it too. */
import type { Banner } from "../../../schemas/degradation.ts";
import { connectDisplays, type MqttOptions } from "./mqtt.ts";

export interface BannerDisplays {
  /** Shows `banner` (null: nothing is degraded) as of `at` (ms), now or once the broker is back: only the last one counts. */
  show(banner: Banner | null, at: number): void;
  close(): Promise<void>;
}

export interface BannerOptions extends Pick<MqttOptions, "url" | "username" | "password" | "ca"> {
  /** E.g. `afferent-display/banner`. */
  readonly topic: string;
}

const againMs = 1_000;

export const openBannerDisplays = (options: BannerOptions): BannerDisplays => {
  const client = connectDisplays(options);
  let wanted: string | undefined;
  let shown: string | undefined;
  let underWay = false;
  let again: NodeJS.Timeout | undefined;
  const publish = (): void => {
    if (wanted === undefined || wanted === shown || underWay || !client.connected) return;
    const payload = wanted;
    underWay = true;
    client.publish(options.topic, payload, { qos: 1, retain: true }, (error) => {
      underWay = false;
      if (error) again = setTimeout(publish, againMs);
      else {
        shown = payload;
        publish();
      }
    });
  };
  client.on("connect", () => {
    // a broker that was restarted may have forgotten what it retained
    shown = undefined;
    publish();
  });
  return {
    show: (banner, at) => {
      wanted = JSON.stringify({ text: banner?.text ?? null, priority: banner?.priority ?? null, at });
      publish();
    },
    close: async () => {
      clearTimeout(again);
      await client.endAsync(true);
    },
  };
};
