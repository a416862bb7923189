/** The circuit's own numbers, for Prometheus and the audit page. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export const circuitMetrics = (registry: Registry) => {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });
  return {
    received: counter("afferent_alert_received_messages_total", "Messages durable in the circuit's own log", []),
    shed: counter("afferent_alert_shed_messages_total", "QoS 0 messages dropped because the intake was full", []),
    alarms: counter("afferent_alarms_total", "Alarms raised, by source and priority", ["source", "priority"]),
    quarantined: counter("afferent_quarantined_total", "Refused input by stage and reason", ["stage", "reason"]),
    errors: counter("afferent_errors_total", "Operating errors by stage and code", ["stage", "code"]),
    notifications: counter("afferent_notifications_total", "What became of notifications", [
      "notifier",
      "what",
      "priority",
      "outcome",
    ]),
    answers: counter("afferent_answers_total", "Answers of people, by way and what became of them", ["via", "outcome"]),
    delay: new Histogram({
      name: "afferent_notification_delay_seconds",
      help: "From the reading's reception until a notifier had confirmed the first notification of it",
      labelNames: ["priority"],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60],
      registers,
    }),
    outbox: gauge("afferent_outbox_waiting", "Notifications on their way, by priority", ["priority"]),
    openPages: gauge("afferent_open_pages", "Pages that are not over, by state", ["state"]),
    audit: gauge("afferent_audit_failing", "1 where the circuit's audit fails, by check", ["check"]),
    signOfLife: gauge("afferent_sign_of_life_timestamp_seconds", "When the watch last took a sign of life", []),
    hop: gauge("afferent_hop_up", "1 while a part of the alarm path is there", ["hop"]),
    modes: gauge("afferent_degradation_modes", "Modes of partial degradation in force (docs/degradation.md)", []),
    refused: gauge(
      "afferent_roster_refused",
      "1 while the ward directory at hand is refused and the last good one is in force",
      [],
    ),
  };
};

export type CircuitMetrics = ReturnType<typeof circuitMetrics>;
