/**
 * Holds what is said of a device before anybody has said where it stands. A device that nobody is linked to and that is in alarm when it is
 * first heard says so one breath before `normalise` tells its unit; without the wait its alarm would be raised in no unit and then in its own.
 * So does one that comes back to where it had left.
 */
import type { EpisodesBody } from "../../schemas/topics.ts";
import type { Desk } from "./desk.ts";
import { isPlaced } from "./place.ts";

/** An alarm waits no longer than this for its unit, in ms of log time: then it is told to the unit for what nobody places. */
const waitMs = 1_000;

/** True where the word has to wait, and is kept. */
export const waits = (desk: Desk, body: EpisodesBody): boolean => {
  if (!isAboutAlarms(body) || (body.kind === "deviceAlarm" && body.test)) return false;
  const place = desk.place(body.device);
  if (isPlaced(place)) return false;
  const { words, until } = place.waiting ?? { words: [], until: desk.now + waitMs };
  if (desk.now >= until) return false;
  desk.keepPlace(body.device, { ...place, waiting: { words: [...words, body], until } });
  return true;
};

type AboutAlarms = Extract<
  EpisodesBody,
  { readonly kind: "episode" | "deviceAlarm" | "sensorState" | "stillCrossing" }
>;
const aboutAlarms: ReadonlySet<string> = new Set(["episode", "deviceAlarm", "sensorState", "stillCrossing"]);
export const isAboutAlarms = (body: EpisodesBody): body is AboutAlarms => aboutAlarms.has(body.kind);

/** What waited for the device's place, once that is known, the wait is over, or the device leaves; empty else. */
export const released = (desk: Desk, device: string, leaves: boolean): readonly EpisodesBody[] => {
  const place = desk.place(device);
  const { waiting } = place;
  if (waiting === null || waiting.words.length === 0) return [];
  if (!leaves && !isPlaced(place) && desk.now < waiting.until) return [];
  // One that nobody places does not wait again; one that left may come back any time.
  desk.keepPlace(device, { ...place, waiting: place.leftAt === null ? { ...waiting, words: [] } : null });
  return waiting.words;
};
