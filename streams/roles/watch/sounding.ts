/**
 * Sounds what the watch has to say: to every recipient by the first of its addresses whose notifier takes it, the next one when that fails
 * or hangs, and always on stderr. It waits for nobody but within its own time limit.
 */
import type { Notification } from "../../../schemas/records/alert.ts";
import { contentHash } from "../../core/hash.ts";
import { eventTime, logTime, receivedTime } from "../../core/time.ts";
import type { Notifier } from "../../io/notify/notifier.ts";
import type { ConcernName, Telling } from "./watching.ts";

export interface Recipient {
  readonly id: string;
  /** Tried in this order. */
  readonly addresses: readonly { readonly notifier: string; readonly to: string }[];
}

export interface SoundingOptions {
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly recipients: readonly Recipient[];
  /** What a notifier gets to take it before the next one is tried. */
  readonly limitMs: number;
  /** A line for whoever reads the watch's own output. */
  readonly say: (line: string) => void;
  readonly onOutcome: (notifier: string, outcome: "confirmed" | "failed") => void;
}

/** Whose watch it is and where its times are on the wall clock. */
export interface WatchName {
  readonly device: string;
  readonly boot: string;
  /** Wall clock (ms) of a time of the watch's steady clock. */
  readonly wall: (steadyMs: number) => number;
  readonly now: () => number;
}

const texts: Readonly<Record<ConcernName, { readonly alarm: string; readonly ended: string }>> = {
  beat: {
    alarm: "alarm path: a test alarm did not come through. Alarms may not reach you: watch the bedside monitors",
    ended: "alarm path: test alarms come through again",
  },
  alive: {
    alarm: "alert circuit: no sign of life. Alarms may not reach you: watch the bedside monitors",
    ended: "alert circuit: alive again",
  },
};

/** A technical alarm of high priority of the platform's own unit: no patient, no bed. */
export const notificationOf = (
  telling: Telling,
  recipient: string,
  { device, boot, wall, now }: WatchName,
): Notification => {
  const { concern, what, instance, attempt, since } = telling;
  const over = what === "ended";
  const page = contentHash("watch", device, boot, instance);
  const at = now();
  return {
    kind: "notification",
    identity: contentHash("watch", device, boot, instance, what, attempt, recipient),
    page,
    alarms: [page],
    what,
    phase: over ? "end" : what === "reminder" ? "continue" : "start",
    priority: "high",
    alertType: "technical",
    event: "hopDown",
    direction: "none",
    device,
    channel: concern,
    metric: null,
    text: texts[concern][over ? "ended" : "alarm"],
    onset: eventTime(wall(since)),
    end: over ? eventTime(at) : null,
    signal: over ? "inactive" : "active",
    inactivation: "enabled",
    value: null,
    ucum: null,
    lowLimit: null,
    highLimit: null,
    unit: "platform",
    bed: null,
    bedSince: null,
    bedConfirmed: false,
    beds: [],
    recipient,
    inside: true,
    addresses: [],
    step: 0,
    attempt,
    lastResort: what === "reminder",
    receivedTime: receivedTime(at),
    at: logTime(at),
  };
};

/** Whether at least one recipient's system has it. Never rejects. */
export const sound = async (telling: Telling, name: WatchName, options: SoundingOptions): Promise<boolean> => {
  const { recipients, say } = options;
  const line = `${telling.what === "ended" ? "well again" : "ALARM"}: ${notificationOf(telling, "", name).text}`;
  say(`${line} (since ${new Date(name.wall(telling.since)).toISOString()}, told ${telling.attempt + 1}.)`);
  const took = await Promise.all(
    recipients.map((recipient) => tell(notificationOf(telling, recipient.id, name), recipient, options)),
  );
  return took.includes(true);
};

const tell = async (
  notification: Notification,
  { id, addresses }: Recipient,
  options: SoundingOptions,
): Promise<boolean> => {
  for (const address of addresses)
    try {
      await send({ ...notification, addresses: [address] }, address, options);
      options.onOutcome(address.notifier, "confirmed");
      return true;
    } catch (error) {
      options.onOutcome(address.notifier, "failed");
      options.say(
        `notifier ${address.notifier} failed for ${id}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  options.say(`${id} could not be told by any notifier`);
  return false;
};

/** Bounded whatever the notifier does with its signal. */
const send = async (
  notification: Notification,
  { notifier: named, to }: Recipient["addresses"][number],
  { notifiers, limitMs }: SoundingOptions,
): Promise<void> => {
  const notifier = notifiers.get(named);
  if (notifier === undefined) throw new Error("there is no such notifier");
  const signal = AbortSignal.timeout(limitMs);
  const late = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => late.reject(new Error(`took longer than ${limitMs / 1_000} s`)), {
    once: true,
  });
  await Promise.race([notifier.send(notification, to, signal), late.promise]);
};
