/** The ways from a door into the raw log, one for vitals and one for waveforms, with what they count. */
import { Counter, Gauge } from "prom-client";
import type { Platform } from "../compose.ts";
import { hasSpool } from "../config.ts";
import type { TimeScale } from "../core/time.ts";
import type { Appender } from "../log/log.ts";
import { RawIntake } from "../log/raw-intake.ts";
import { raw, rawWaveforms } from "../../schemas/topics.ts";
import { closeSpool, openSpool } from "./vitals-spool.ts";

const shedName = "afferent_shed_messages_total";
const pendingName = "afferent_intake_pending_messages";

/** Where messages go: one way for each raw topic. */
export interface Intakes {
  readonly vitals: RawIntake;
  readonly waveforms: RawIntake;
  /** Rejects when one of them can't go on. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** Until `ready` nothing is appended: what others must write first is not there yet. */
export const openIntakes = async (
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
