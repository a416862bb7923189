/** What a broken monitor sends: each kind in its turn. */

/** Bytes for the second `atS`. */
export type Rubbish = (atS: number, sequence: number, time: string) => Uint8Array;

type Kind = (device: string, sequence: number, time: string) => string;

const reading = (device: unknown, seq: unknown, time: string, numerics: readonly unknown[]): string =>
  JSON.stringify({ device, boot: "0badbad0", seq, time, mode: "live", numerics });

const heartRate = { name: "HR", value: 74, unit: "bpm" };

const kinds: readonly Kind[] = [
  // cut off in the middle
  (device, seq, time) => reading(device, seq, time, [heartRate]).slice(0, -19),
  // the envelope's types
  (device, seq, time) => reading(device, String(seq), time, [heartRate]),
  // a bare NaN, which JSON has not
  (device, seq, time) => reading(device, seq, time, [heartRate]).replace("74", "NaN"),
  // somebody else's reading on this device's topic
  (device, seq, time) => reading(`${device}-other`, seq, time, [heartRate]),
  // nobody's
  (_device, seq, time) => reading(undefined, seq, time, [heartRate]),
  // parts that are wrong, and no part that is right
  (device, seq, time) => reading(device, seq, time, [{ ...heartRate, name: "MOOD" }]),
  (device, seq, time) => reading(device, seq, time, [{ ...heartRate, unit: "furlong" }]),
  (device, seq, time) => reading(device, seq, time, [{ ...heartRate, value: "seventy" }]),
  (device, seq, time) => reading(device, seq, time, [heartRate]).replace("74", "1e999"),
];

const utf8 = new TextEncoder();

export const rubbish =
  (device: string): Rubbish =>
  (atS, sequence, time) =>
    utf8.encode(kinds[atS % kinds.length]?.(device, sequence, time) ?? "");
