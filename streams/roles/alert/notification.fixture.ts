/** A notification for tests, and notifiers that do what a story needs. */
import type { Notification } from "../../../schemas/records/alert.ts";
import { OperatingError } from "../../core/failure.ts";
import { eventTime, logTime, receivedTime } from "../../core/time.ts";
import type { Notifier } from "../../io/notify/notifier.ts";

export const asystole: Notification = {
  kind: "notification",
  identity: "n-1",
  page: "page-1",
  alarms: ["alarm-1"],
  what: "alarm",
  phase: "start",
  priority: "high",
  alertType: "physiological",
  event: "asystole",
  direction: "none",
  device: "mon-01",
  channel: "ecg",
  metric: "heartRate",
  text: "asystole",
  onset: eventTime(1_800_000_000_000),
  end: null,
  signal: "active",
  inactivation: "enabled",
  value: 0,
  ucum: "/min",
  lowLimit: null,
  highLimit: null,
  unit: "icu",
  bed: "3",
  bedSince: 1_799_000_000_000,
  bedConfirmed: true,
  beds: [],
  recipient: "nurse-1",
  inside: true,
  addresses: [{ notifier: "pager", to: "nurse-1" }],
  step: 0,
  attempt: 0,
  lastResort: false,
  receivedTime: receivedTime(1_800_000_000_050),
  at: logTime(1_800_000_000_060),
};

export interface Sent {
  readonly notification: Notification;
  readonly to: string;
}

export interface ScriptedNotifier extends Notifier {
  readonly sent: Sent[];
  /** What happens to the next ones. */
  becomes(how: "confirms" | "hangs" | "refuses" | "is away"): void;
}

/** `hangs`: heeds not even its signal. */
export const scriptedNotifier = (name: string): ScriptedNotifier => {
  const sent: Sent[] = [];
  let how: Parameters<ScriptedNotifier["becomes"]>[0] = "confirms";
  return {
    name,
    sent,
    becomes: (next) => {
      how = next;
    },
    send: async (notification, to) => {
      sent.push({ notification, to });
      if (how === "hangs") return new Promise(() => undefined);
      if (how === "confirms") return undefined;
      throw new OperatingError("notifier-test", how, { retry: how === "is away" });
    },
    close: async () => undefined,
  };
};
