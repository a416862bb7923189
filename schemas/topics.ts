/** The topics, their keys, partitions and codecs: the part of the topology that stages, sources and sinks share. */
import { topic, type Envelope } from "../streams/core/topic.ts";
import type { BodyOf } from "../streams/core/stage.ts";
import { envelope } from "./avro.ts";
import * as alert from "./alert-records.ts";
import * as r from "./records.ts";
import * as scores from "./scores.ts";

const aboutDevice = [r.reading, r.device, r.association, r.rules, r.tick, r.origin] as const;

export const raw = topic("telemetry.raw", {
  partitions: 4,
  key: "device",
  raw: true,
  codec: envelope("RawEntry", aboutDevice),
});
export const rawWaveforms = topic("telemetry.raw.waveforms", {
  partitions: 2,
  key: "device",
  raw: true,
  codec: envelope("RawWaveformEntry", aboutDevice),
});
export const vitals = topic("telemetry.vitals", {
  partitions: 4,
  key: "subject (device while unassociated)",
  codec: envelope("VitalsEntry", [
    r.measurement,
    r.association,
    r.deviceState,
    r.subjectEnded,
    r.rules,
    r.tick,
    alert.deviceAlarm,
  ]),
});
export const waveforms = topic("telemetry.waveforms", {
  partitions: 2,
  key: "subject (device while unassociated)",
  codec: envelope("WaveformEntry", [r.waveformChunk, r.tick, r.rules]),
});
export const windows = topic("telemetry.windows", {
  partitions: 4,
  key: "subject",
  codec: envelope("WindowEntry", [r.windowAggregate, r.tick, r.rules, r.association, r.subjectEnded]),
});
export const episodes = topic("telemetry.episodes", {
  partitions: 2,
  key: "subject",
  codec: envelope("EpisodeEntry", [
    r.episode,
    r.association,
    r.tick,
    r.rules,
    r.deviceState,
    r.subjectEnded,
    alert.deviceAlarm,
    alert.sensorState,
    alert.stillCrossing,
  ]),
});
export const telemetryQuarantine = topic("telemetry.quarantine", {
  partitions: 2,
  key: "device",
  codec: envelope("TelemetryQuarantineEntry", [r.quarantined, r.tick, r.rules]),
});
export const events = topic("clinical.events", {
  partitions: 2,
  key: "patient key",
  codec: envelope("ClinicalEvent", [
    r.candidate,
    r.patient,
    r.consent,
    r.tick,
    r.rules,
    r.fhirConsent,
    r.accessOverride,
    r.corrected,
    r.windowValue,
    r.observed,
    r.association,
    scores.dialysisSession,
    r.consentSource,
    r.withheld,
  ]),
});
export const decisions = topic("clinical.decisions", {
  partitions: 2,
  key: "patient key",
  codec: envelope("DecisionEntry", [r.decision, r.tick, r.rules, r.sourceChosen, scores.news2]),
});
export const outbox = topic("clinical.outbox", {
  partitions: 2,
  key: "patient key",
  codec: envelope("OutboxEntry", [r.intent, r.tick, r.rules]),
});
export const deliveries = topic("clinical.deliveries", {
  partitions: 2,
  key: "patient key",
  codec: envelope("DeliveryEntry", [r.delivery, r.tick]),
});
/** What people must do about the clinical plane. */
export const tasks = topic("clinical.tasks", {
  partitions: 2,
  key: "patient key",
  codec: envelope("TaskEntry", [r.task, r.tick, r.rules]),
});
export const clinicalQuarantine = topic("clinical.quarantine", {
  partitions: 2,
  key: "patient key",
  codec: envelope("ClinicalQuarantineEntry", [r.quarantined, r.tick, r.rules]),
});

// ---- the alert circuit's own, in its own log ----
export const alarms = topic("alert.alarms", {
  partitions: 2,
  key: "unit",
  codec: envelope("AlarmEntry", [
    alert.alarm,
    alert.answer,
    alert.notified,
    alert.hop,
    alert.reported,
    alert.standby,
    alert.policy,
    r.tick,
    r.rules,
  ]),
});
export const notifications = topic("alert.notifications", {
  partitions: 1,
  key: "unit",
  codec: envelope("NotificationEntry", [alert.notification, alert.page, alert.mode, alert.policy, r.tick, r.rules]),
});
export const alertQuarantine = topic("alert.quarantine", {
  partitions: 1,
  key: "unit",
  codec: envelope("AlertQuarantineEntry", [r.quarantined, r.tick, r.rules, alert.policy]),
});

export type RawBody = BodyOf<typeof raw>;
export type VitalsBody = BodyOf<typeof vitals>;
export type WaveformsBody = BodyOf<typeof waveforms>;
export type EpisodesBody = BodyOf<typeof episodes>;
export type AlarmsBody = BodyOf<typeof alarms>;
export type NotificationsBody = BodyOf<typeof notifications>;
export type EventsBody = BodyOf<typeof events>;
export type RawEnvelope = Envelope<RawBody>;
