/** The listener's way into the alert circuit, where the configuration names one: how it is watched, and what is said when it is in trouble. */
import { randomUUID } from "node:crypto";
import { Counter, Gauge } from "prom-client";
import type { Platform } from "../compose.ts";
import { Tap } from "../io/tap/tap.ts";

const pendingName = "afferent_tap_pending_messages";
const shedName = "afferent_tap_shed_messages_total";
const failedName = "afferent_tap_failed_batches_total";

/** Said once in so many ms while it lasts: at four repetitions a second, each would drown the log. */
const sayEveryMs = 10_000;

export const openTap = (url: string, { metrics, say }: Platform): Tap => {
  const registers = [metrics];
  const shed = new Counter({
    name: shedName,
    help: "QoS 0 messages not handed to the alert circuit because the tap was full",
    registers,
  });
  const failed = new Counter({ name: failedName, help: "Batches that the alert circuit did not take", registers });
  new Gauge({
    name: pendingName,
    help: "Messages taken and not yet durable at the alert circuit",
    registers,
    collect() {
      this.set(tap.pending);
    },
  });
  let saidMs = Number.NEGATIVE_INFINITY;
  const tap = new Tap({
    url,
    run: randomUUID(),
    onError: (error) => {
      failed.inc();
      if (performance.now() - saidMs < sayEveryMs) return;
      saidMs = performance.now();
      const waits = tap.pending > 0 ? "senders wait" : "nothing waits for it yet";
      say.error({ error: String(error), pending: tap.pending }, `the ALERT CIRCUIT takes nothing; ${waits}`);
    },
    onFull: (full) => {
      if (full) say.error({ pending: tap.pending }, "alert tap full: nothing more is taken until the circuit is back");
      else say.warn("alert tap has room again");
    },
    onShed: () => shed.inc(),
  });
  return tap;
};

export const closeTap = (tap: Tap, { metrics }: Platform): void => {
  tap.close();
  for (const name of [pendingName, shedName, failedName]) metrics.removeSingleMetric(name);
};
