/** Notifications in every shape that PCD-04 has a code for. */
import { eventTime, logTime, receivedTime } from "../../streams/core/time.ts";
import type { Notification } from "../records/alert.ts";
import type { Parties } from "./message.ts";
import { inactivationCodes, phaseCodes } from "./pcd04.ts";

export const aNotification = (change: Partial<Notification> = {}): Notification => ({
  kind: "notification",
  identity: "notification-1",
  page: "page-1",
  alarms: ["alarm-1"],
  what: "alarm",
  phase: "start",
  priority: "high",
  alertType: "physiological",
  event: "high",
  direction: "high",
  device: "mon-01",
  channel: "ecg",
  metric: "heartRate",
  text: "Heart rate above its limit",
  onset: eventTime(1_800_000_000_000),
  end: null,
  signal: "active",
  inactivation: "enabled",
  value: 180,
  ucum: "/min",
  lowLimit: 50,
  highLimit: 120,
  unit: "icu",
  bed: "icu-03",
  bedSince: 1_799_000_000_000,
  bedConfirmed: true,
  beds: [],
  recipient: "nurse-1",
  inside: true,
  addresses: [],
  step: 0,
  attempt: 0,
  lastResort: false,
  receivedTime: receivedTime(1_800_000_000_050),
  at: logTime(1_800_000_000_060),
  ...change,
});

export const parties: Parties = {
  sender: { namespace: "AFFERENT", universalId: "0011223344556677", universalIdType: "EUI-64" },
  receiver: "ALARM_MANAGER",
};

const low = {
  event: "low",
  direction: "low",
  metric: "spo2",
  value: 81.5,
  ucum: "%",
  lowLimit: 88,
  highLimit: null,
} as const;
const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>): K[] => Object.keys(record) as K[];

/** What it shows, and the notification. */
export const everyShape: readonly (readonly [string, Notification])[] = [
  ...keysOf(phaseCodes).map((phase) => [`phase ${phase}`, aNotification({ phase })] as const),
  ...keysOf(inactivationCodes).map((inactivation) => [inactivation, aNotification({ inactivation })] as const),
  ...(["active", "latched", "inactive"] as const).map(
    (signal) => [`signal ${signal}`, aNotification({ signal })] as const,
  ),
  ...(["high", "medium", "low"] as const).map(
    (priority) => [`priority ${priority}`, aNotification({ priority })] as const,
  ),
  ...(["physiological", "technical", "advisory"] as const).map(
    (alertType) => [alertType, aNotification({ alertType })] as const,
  ),
  ["below its low limit", aNotification(low)],
  ["over", aNotification({ what: "ended", phase: "end", signal: "inactive", end: eventTime(1_800_000_090_000) })],
  [
    "a test",
    aNotification({ what: "test", event: "heartbeat", alertType: "technical", metric: null, value: 7, ucum: null }),
  ],
  [
    "monitoring lost, several beds",
    aNotification({
      event: "monitoringLost",
      alertType: "technical",
      direction: "none",
      metric: null,
      value: null,
      ucum: null,
      lowLimit: null,
      highLimit: null,
      bed: null,
      beds: ["icu-01", "icu-02"],
    }),
  ],
  [
    "a text full of separators, in another alphabet, and lines of its own",
    aNotification({
      text: "HR|^~\\& \u000b\u001c\r\nOBX|99|ST|fake Überfrequenz 心拍数",
      bed: "3|^&",
      unit: "icu\\R\\",
    }),
  ],
];
