/** Numbers, names and times in the words of the page. */
import type { BedState } from "../../schemas/board.ts";

/** "bed-07", "B07" and "7" are all Bed 7; any other name stands as it is. */
export const bedName = (bed: string): string => {
  const number = /^(?:b(?:ed)?[\s_-]*)?0*(\d+)$/i.exec(bed)?.[1];
  return number === undefined ? bed : `Bed ${number}`;
};

export const bedNames = (beds: readonly string[]): string => {
  if (beds.length <= 1) return beds.map(bedName).join("");
  const names = beds.map((bed) => bedName(bed).replace(/^Bed /, ""));
  return `Beds ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
};

export const stateName: Record<BedState, string> = {
  streaming: "Streaming",
  silent: "Silent",
  standby: "Standby",
  quarantining: "Refused",
  clockOff: "Clock off",
  unassociated: "No patient",
};

/** On a page that is not live nobody knows how a bed stands. */
export const standingText = (state: BedState, live: boolean): string => (live ? stateName[state] : "Unknown");

const two = (n: number): string => String(n).padStart(2, "0");

/** "42 s", "3 min", "2 h", "4 d": one unit, for ages. */
export const age = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
};

/** "2:50", "1:02:50": for how long something has lasted. */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};

/** "14:03:41" on this computer's clock face. */
export const timeOfDay = (ms: number): string => {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
};

export const day = (ms: number): string =>
  new Date(ms).toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short" });

/** "950", "12.4k", "3.1M". */
export const count = (n: number): string => {
  if (n < 10_000) return String(Math.round(n));
  if (n < 1_000_000) return `${(n / 1000).toFixed(n < 100_000 ? 1 : 0)}k`;
  return `${(n / 1_000_000).toFixed(1)}M`;
};

/** "0.4", "12", "1.2k" per second. */
export const rate = (n: number): string => (n < 10 && n > 0 ? n.toFixed(1) : count(n));

export const speed = (k: number): string => `${k >= 10 ? Math.round(k) : Number(k.toFixed(1))}×`;

/** A clock that is 187 s behind: "−3 min 7 s"; ahead: "+40 ms". `offsetMs`: received minus device time. */
export const clockOffset = (offsetMs: number): string => {
  const ms = Math.abs(offsetMs);
  const sign = offsetMs > 0 ? "−" : "+";
  if (ms < 1000) return `${sign}${Math.round(ms)} ms`;
  if (ms < 60_000) return `${sign}${(ms / 1000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${sign}${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${sign}${Math.round(ms / 3_600_000)} h`;
};

const unitNames: Record<string, string> = {
  "/min": "/min",
  "%": "%",
  Cel: "°C",
  "mm[Hg]": "mmHg",
  "{NU}": "",
  mV: "mV",
};
export const unitName = (ucum: string): string => unitNames[ucum] ?? ucum;

/** "rule-unapproved" as "rule unapproved". */
export const plain = (code: string): string => code.replaceAll("-", " ");
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
