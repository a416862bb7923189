/**
 * The 28 BIDMC patients as this suite plays them: all with a confirmed association and a consent, discharged after the recording, and two
 * twins, each the same recording in another bed, of which one has an association that nobody confirmed and one no consent.
 */
import { Buffer } from "node:buffer";
import { mqttTopicOf, type Ward, type WardMessage, type WardRoster } from "../../streams/sim/ward/messages.ts";
import { recordingWard } from "../../streams/sim/recordings/ward.ts";

export const speed = 20;
/** Fixed, so that every play has the same device times and the expected Observations can name theirs. */
export const startMs = Date.UTC(2026, 2, 2, 8);
export const endMs = startMs + 480_000;
/** Everybody's link ends then: whatever goes on to the end of a recording ends with it. */
export const dischargeMs = startMs + 600_000;

export const unconfirmed = { device: "bidmc-25-unconfirmed", twin: "bidmc-25" };
export const withoutConsent = { device: "bidmc-32-without-consent", twin: "bidmc-32" };
const twins = [unconfirmed, withoutConsent];

/** In real time: played fast, the delays of a busy machine are as many times longer as the ward is faster. */
const clockUncertaintyMs = 3_000;

const renamed = (message: WardMessage, device: string): WardMessage => {
  const text = Buffer.from(message.payload).toString();
  if (!text.includes(`device=${message.device};`)) throw new Error(`${message.device}: its payload does not name it`);
  return {
    ...message,
    device,
    mqttTopic: mqttTopicOf(device, message.stream),
    payload: Buffer.from(text.replace(`device=${message.device};`, `device=${device};`)),
  };
};

function* withTwins(messages: Iterable<WardMessage>): Generator<WardMessage, void> {
  for (const message of messages) {
    yield message;
    for (const { device, twin } of twins) if (message.device === twin) yield renamed(message, device);
  }
}

const copyOf = <T>(list: readonly T[], name: string, device: string): T[] =>
  list.flatMap((one) => {
    const text = JSON.stringify(one);
    return text.includes(`"${name}"`) || text.includes(`-${name}"`)
      ? [JSON.parse(text.replaceAll(name, device)) as T]
      : [];
  });

/** A person of their own: subject and patient key are opaque in the recordings' roster, and not made from the name here. */
const twinRoster = (roster: WardRoster, { device, twin }: (typeof twins)[number]): Omit<WardRoster, "version"> => {
  const association = roster.associations.find((a) => a.device === twin);
  if (association === undefined) throw new Error(`${twin}: is not in the roster`);
  const { subject, patientKey } = association;
  const own = (text: string): string =>
    text.replaceAll(subject, `sub-${device}`).replaceAll(patientKey, `pat-${device}`);
  const copied = <T>(list: readonly T[]): T[] => JSON.parse(own(JSON.stringify(copyOf(list, twin, device)))) as T[];
  return {
    devices: copied(roster.devices),
    beds: copied(roster.beds),
    associations: copied(roster.associations).map((a) =>
      device === unconfirmed.device ? { ...a, confirmedBy: null, confirmedAt: null, assertedBy: "ADT feed" } : a,
    ),
    patients: copied(roster.patients),
    consents: device === withoutConsent.device ? [] : copied(roster.consents),
  };
};

export interface RecordedWardOptions {
  /** At which it will be played. */
  readonly speed?: number;
  /** Further recordings, such as "mitbih". */
  readonly more?: readonly string[];
}

export const recordedWard = (
  folder: string,
  { speed: at = speed, more: others = [] }: RecordedWardOptions = {},
): Ward => {
  const ward = recordingWard({ folder, startMs, which: ["bidmc", ...others] });
  const more = twins.map((one) => twinRoster(ward.roster, one));
  const to = new Date(dischargeMs).toISOString();
  const roster: WardRoster = {
    version: 1,
    devices: [...ward.roster.devices, ...more.flatMap(({ devices }) => devices)].map((d) => ({
      ...d,
      clockUncertaintyMs: clockUncertaintyMs * at,
    })),
    beds: [...ward.roster.beds, ...more.flatMap(({ beds }) => beds)],
    associations: [...ward.roster.associations, ...more.flatMap(({ associations }) => associations)].map((a) => ({
      ...a,
      to,
    })),
    patients: [...ward.roster.patients, ...more.flatMap(({ patients }) => patients)],
    consents: [...ward.roster.consents, ...more.flatMap(({ consents }) => consents)],
  };
  return { ...ward, roster, devices: roster.devices, messages: () => withTwins(ward.messages()) };
};
