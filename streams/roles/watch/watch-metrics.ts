/** What Prometheus, the third eye, sees of the watch. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { type ConcernName, concernNames } from "./watching.ts";

export type BeatOutcome = "sent" | "inTime" | "late" | "unknown";

export interface WatchMetrics {
  beat(outcome: BeatOutcome): void;
  roundTrip(ms: number): void;
  beatAt(wallMs: number): void;
  aliveAt(wallMs: number): void;
  concern(name: ConcernName, present: boolean): void;
  notified(notifier: string, outcome: "confirmed" | "failed"): void;
  refused(path: string, reason: string): void;
}

/** What has not happened yet is 0, so that its first time is seen as an increase. */
export const watchMetrics = (registry: Registry, notifiers: readonly string[]): WatchMetrics => {
  const registers = [registry];
  const beats = new Counter({
    name: "afferent_watch_beats_total",
    help: "Heartbeats by what became of them",
    labelNames: ["outcome"],
    registers,
  });
  const roundTrip = new Histogram({
    name: "afferent_watch_round_trip_seconds",
    help: "From a heartbeat's publish to its notification",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const lastBeat = new Gauge({
    name: "afferent_watch_last_beat_timestamp_seconds",
    help: "When the last heartbeat came back in time; 0: none yet",
    registers,
  });
  const lastAlive = new Gauge({
    name: "afferent_watch_last_alive_timestamp_seconds",
    help: "When the circuit last gave its sign of life; 0: not yet",
    registers,
  });
  const concerns = new Gauge({
    name: "afferent_watch_concern",
    help: "1 while the watch has something to say, acknowledged or not",
    labelNames: ["concern"],
    registers,
  });
  const notifications = new Counter({
    name: "afferent_watch_notifications_total",
    help: "What became of the watch's own notifications",
    labelNames: ["notifier", "outcome"],
    registers,
  });
  const refusals = new Counter({
    name: "afferent_watch_refused_total",
    help: "Posts that the watch did not take, by reason",
    labelNames: ["path", "reason"],
    registers,
  });
  for (const notifier of notifiers)
    for (const outcome of ["confirmed", "failed"]) notifications.inc({ notifier, outcome }, 0);
  for (const concern of concernNames) concerns.set({ concern }, 0);
  return {
    beat: (outcome) => beats.inc({ outcome }),
    roundTrip: (ms) => roundTrip.observe(ms / 1_000),
    beatAt: (wallMs) => lastBeat.set(wallMs / 1_000),
    aliveAt: (wallMs) => lastAlive.set(wallMs / 1_000),
    concern: (concern, present) => concerns.set({ concern }, present ? 1 : 0),
    notified: (notifier, outcome) => notifications.inc({ notifier, outcome }),
    refused: (path, reason) => refusals.inc({ path, reason }),
  };
};
