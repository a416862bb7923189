/** Which devices stand where on the simulated ward, and what plays each. */
import { random } from "../random.ts";
import { Dialysis } from "./dialysis.ts";
import { Glucose } from "./glucose.ts";
import type { RosterDevice, WardMessage } from "./messages.ts";
import { Monitor } from "./monitor.ts";
import { restingVitals } from "./physiology.ts";
import { Pump } from "./pump.ts";
import { unitName } from "./roster.ts";
import { storyOf } from "./stories.ts";

export type Kind = "monitor" | "pump" | "dialysis" | "cgm";

/** A device and the bed (numbered from 1) at which it stands; null: in store, nobody's. */
export interface Placement {
  readonly kind: Kind;
  readonly bed: number | null;
  readonly roster: RosterDevice;
}

/** Something of the ward that sends messages. */
export interface Sender {
  /** Messages of the second `atS` after the start, in order; called for each second in turn, from 0. */
  second(atS: number): WardMessage[];
}

const prefixes: Readonly<Record<Kind, string>> = { monitor: "mon", pump: "pump", dialysis: "hd", cgm: "cgm" };

/** Silent after this long: three of a pump's or dialysis machine's reports, four of a glucose sensor's (clinical.md 5). */
const silentAfterMs: Readonly<Record<Kind, number>> = {
  monitor: 10_000,
  pump: 30_000,
  dialysis: 30_000,
  cgm: 20 * 60_000,
};

/** On 24 beds: 24 monitors, 6 pumps (the last in store), 2 dialysis machines, 4 glucose sensors; fewer on a smaller ward. */
export const placeDevices = (beds: number, serialOf: (device: string) => string): Placement[] => {
  const place = (kind: Kind, number: number, bed: number | null): Placement => {
    const device = `${prefixes[kind]}-${String(number).padStart(2, "0")}`;
    return {
      kind,
      bed,
      roster: {
        device,
        model: `sim-${kind}`,
        serial: serialOf(device),
        unit: unitName(bed ?? beds, beds),
        silentAfterMs: silentAfterMs[kind],
        // nobody here can confirm a link again after a night for which the demonstration was stopped
        linkGapMs: 0,
      },
    };
  };
  const spread = (kind: Kind, count: number, first: number): Placement[] =>
    Array.from({ length: count }, (_, i) => place(kind, i + 1, ((first + Math.floor((i * beds) / count)) % beds) + 1));
  const pumps = Math.max(2, Math.round(beds / 4));
  return [
    ...Array.from({ length: beds }, (_, i) => place("monitor", i + 1, i + 1)),
    ...spread("pump", pumps - 1, 0),
    place("pump", pumps, null),
    ...spread("dialysis", Math.max(1, Math.round(beds / 12)), 9),
    ...spread("cgm", Math.max(1, Math.round(beds / 6)), 3),
  ];
};

export interface SenderOptions {
  readonly beds: number;
  readonly seed: number;
  readonly startMs: number;
  readonly waveforms: boolean;
}

export const senderOf = ({ kind, bed, roster }: Placement, options: SenderOptions): Sender => {
  const own = random(options.seed, roster.device);
  const startMs = options.startMs;
  const base = { device: roster.device, random: own, startMs, phaseMs: Math.floor(own.next() * 900) };
  switch (kind) {
    case "monitor":
      return monitorAt(bed ?? 1, options, base);
    case "pump":
      return new Pump({ ...base, infusing: bed !== null });
    case "dialysis":
      return new Dialysis(base);
    case "cgm":
      return new Glucose({
        ...base,
        unit: own.next() < 0.5 ? "mg/dL" : "mmol/L",
        firstS: 5 + Math.floor(own.next() * 60),
      });
  }
};

type Base = Pick<ConstructorParameters<typeof Monitor>[0], "device" | "random" | "startMs" | "phaseMs">;

const monitorAt = (bed: number, { beds, waveforms }: SenderOptions, base: Base): Monitor => {
  const story = storyOf(bed, beds);
  return new Monitor({
    ...base,
    story,
    waveforms,
    rest: { ...restingVitals(base.random), ...story?.rest },
    arterialLine: story?.arterialLine ?? bed % 3 === 0,
    firstCuffS: 6 + Math.floor((bed * 7) / 4),
  });
};
