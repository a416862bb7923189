/** The state that `normalise` keeps of one device, and how it changes when the roster or time says so. */
import type { State } from "../../streams/core/stage.ts";
import { type Association, type Device, undisputed, usualLinkGapMs } from "../../schemas/records/roster.ts";
import type { Clock } from "./clock.ts";
import type { AlarmLists, KnownAlarm } from "./alarms.ts";
import { type Associations, inForceAt, keyOf } from "./holder.ts";
import { neverThere, type Presence } from "./interruptions.ts";
import type { Bucket, SeenIndex } from "./seen.ts";
import type { Standing } from "./standing.ts";
import type { Stranger } from "./stranger.ts";
import type { Pulse } from "./value.ts";

/** Whom the device measured when log time last passed over it. */
export interface Holder {
  readonly key: string;
  readonly association: string | null;
  readonly revision: number | null;
}

/** Values with a time of their own (a cuff's), by series: the last, for a monitor repeats it with every message; true where it was refused. */
export interface OwnTimedValue {
  readonly at: number | null;
  readonly value: number | null;
  readonly refused?: true;
}
export type OwnTimed = Readonly<Record<string, OwnTimedValue>>;

/** What was last said of the device downstream, as JSON, and when. */
export interface Told {
  readonly what: string;
  readonly detail: string | null;
  readonly at: number;
}

/** `alarms`: the alarms that it shows; `alarmLists`: how its lists of them have come. */
export type Cell =
  | Device
  | Associations
  | Presence
  | Clock
  | Holder
  | Standing
  | Pulse
  | OwnTimed
  | Told
  | Bucket
  | SeenIndex
  | readonly KnownAlarm[]
  | AlarmLists
  | Stranger;
export type DeviceCells = State<Cell>;

export const deviceOf = (state: DeviceCells): Device | undefined => state.get("device") as Device | undefined;
export const associationsOf = (state: DeviceCells): Associations =>
  (state.get("associations") as Associations | undefined) ?? [];
export const presenceOf = (state: DeviceCells): Presence =>
  (state.get("presence") as Presence | undefined) ?? neverThere;
export const linkGapOf = (state: DeviceCells): number => deviceOf(state)?.linkGapMs ?? usualLinkGapMs;
export const clockOf = (state: DeviceCells): Clock | undefined => state.get("clock") as Clock | undefined;
export const standingOf = (state: DeviceCells): Standing | undefined => state.get("standing") as Standing | undefined;
export const pulseOf = (state: DeviceCells): Pulse | null => (state.get("pulse") as Pulse | undefined) ?? null;
export const alarmsOf = (state: DeviceCells): readonly KnownAlarm[] =>
  (state.get("alarms") as readonly KnownAlarm[] | undefined) ?? [];
export const alarmListsOf = (state: DeviceCells): AlarmLists | undefined =>
  state.get("alarmLists") as AlarmLists | undefined;
export const holderOf = (state: DeviceCells): Holder | undefined => state.get("holder") as Holder | undefined;

/** The device's settings; an older version than the one that is known changes nothing. False then. */
export const learnDevice = (state: DeviceCells, device: Device): boolean => {
  const known = deviceOf(state);
  if (known !== undefined && known.version > device.version) return false;
  state.set("device", device);
  return true;
};

export const holderAt = (associations: Associations, at: number, device: string): Holder => {
  const association = inForceAt(associations, at);
  return {
    key: keyOf(association, device),
    association: association?.id ?? null,
    revision: association?.revision ?? null,
  };
};

/** Cells of a version that told no interruptions: of the device's boots it knew the last. */
export const withTellings = (cells: Readonly<Record<string, Cell>>): Record<string, Cell> => {
  const { associations, clock, presence } = cells;
  const boot = (clock as Clock | undefined)?.boot ?? null;
  return {
    ...cells,
    ...(associations !== undefined && {
      associations: (associations as readonly Association[]).map((one) => ({ ...undisputed, ...one })),
    }),
    ...(presence === undefined && boot !== null && { presence: { ...neverThere, boots: [boot] } }),
  };
};
