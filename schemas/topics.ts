/** The topics, their keys, partitions and codecs: the part of the topology that stages, sources and sinks share. */
import { topic, type Envelope } from "../streams/core/topic.ts";
import type { BodyOf } from "../streams/core/stage.ts";
import { envelope } from "./avro.ts";
import * as alert from "./records/alert.ts";
import * as broadcast from "./records/broadcast.ts";
import * as clinical from "./records/clinical.ts";
import * as consent from "./records/consent.ts";
import * as quarantine from "./records/quarantine.ts";
import * as roster from "./records/roster.ts";
import * as telemetry from "./records/telemetry.ts";
import * as scores from "./scores.ts";

const aboutDevice = [
  telemetry.reading,
  roster.device,
  roster.association,
  broadcast.rules,
  broadcast.tick,
  broadcast.origin,
] as const;

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
    telemetry.measurement,
    roster.association,
    telemetry.deviceState,
    telemetry.subjectEnded,
    broadcast.rules,
    broadcast.tick,
    alert.deviceAlarm,
  ]),
});
export const waveforms = topic("telemetry.waveforms", {
  partitions: 2,
  key: "subject (device while unassociated)",
  codec: envelope("WaveformEntry", [telemetry.waveformChunk, broadcast.tick, broadcast.rules]),
});
export const windows = topic("telemetry.windows", {
  partitions: 4,
  key: "subject",
  codec: envelope("WindowEntry", [
    telemetry.windowAggregate,
    broadcast.tick,
    broadcast.rules,
    roster.association,
    telemetry.subjectEnded,
  ]),
});
export const episodes = topic("telemetry.episodes", {
  partitions: 2,
  key: "subject",
  codec: envelope("EpisodeEntry", [
    telemetry.episode,
    roster.association,
    broadcast.tick,
    broadcast.rules,
    telemetry.deviceState,
    telemetry.subjectEnded,
    alert.deviceAlarm,
    alert.sensorState,
    alert.stillCrossing,
  ]),
});
export const telemetryQuarantine = topic("telemetry.quarantine", {
  partitions: 2,
  key: "device",
  codec: envelope("TelemetryQuarantineEntry", [quarantine.quarantined, broadcast.tick, broadcast.rules]),
});
export const events = topic("clinical.events", {
  partitions: 2,
  key: "patient key",
  codec: envelope("ClinicalEvent", [
    clinical.candidate,
    roster.patient,
    consent.consent,
    broadcast.tick,
    broadcast.rules,
    consent.fhirConsent,
    consent.accessOverride,
    clinical.corrected,
    clinical.windowValue,
    clinical.observed,
    roster.association,
    scores.dialysisSession,
    consent.consentSource,
    consent.withheld,
  ]),
});
export const decisions = topic("clinical.decisions", {
  partitions: 2,
  key: "patient key",
  codec: envelope("DecisionEntry", [
    clinical.decision,
    broadcast.tick,
    broadcast.rules,
    clinical.sourceChosen,
    scores.news2,
  ]),
});
export const outbox = topic("clinical.outbox", {
  partitions: 2,
  key: "patient key",
  codec: envelope("OutboxEntry", [clinical.intent, broadcast.tick, broadcast.rules]),
});
export const deliveries = topic("clinical.deliveries", {
  partitions: 2,
  key: "patient key",
  codec: envelope("DeliveryEntry", [clinical.delivery, broadcast.tick]),
});
/** What people must do about the clinical plane. */
export const tasks = topic("clinical.tasks", {
  partitions: 2,
  key: "patient key",
  codec: envelope("TaskEntry", [clinical.task, broadcast.tick, broadcast.rules]),
});
export const clinicalQuarantine = topic("clinical.quarantine", {
  partitions: 2,
  key: "patient key",
  codec: envelope("ClinicalQuarantineEntry", [quarantine.quarantined, broadcast.tick, broadcast.rules]),
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
    broadcast.tick,
    broadcast.rules,
  ]),
});
export const notifications = topic("alert.notifications", {
  partitions: 1,
  key: "unit",
  codec: envelope("NotificationEntry", [
    alert.notification,
    alert.page,
    alert.mode,
    alert.policy,
    broadcast.tick,
    broadcast.rules,
  ]),
});
export const alertQuarantine = topic("alert.quarantine", {
  partitions: 1,
  key: "unit",
  codec: envelope("AlertQuarantineEntry", [quarantine.quarantined, broadcast.tick, broadcast.rules, alert.policy]),
});

export type RawBody = BodyOf<typeof raw>;
export type VitalsBody = BodyOf<typeof vitals>;
export type WaveformsBody = BodyOf<typeof waveforms>;
export type EpisodesBody = BodyOf<typeof episodes>;
export type AlarmsBody = BodyOf<typeof alarms>;
export type NotificationsBody = BodyOf<typeof notifications>;
export type EventsBody = BodyOf<typeof events>;
export type RawEnvelope = Envelope<RawBody>;
