/** The simulated ward: beds with their devices and stories, the same for the same seed, as messages in the order of ward time. */
import { random } from "../random.ts";
import type { Truth, Ward, WardMessage } from "./messages.ts";
import { Monitor } from "./monitor.ts";
import { restingVitals } from "./physiology.ts";
import { bedName, makeRoster, type Placed, unitName } from "./roster.ts";
import { type Story, storyOf } from "./stories.ts";

export interface WardOptions {
  /** 1 to 999. */
  readonly beds?: number;
  readonly seed: number;
  /** Ward time of the start, ms. */
  readonly startMs: number;
  /** False leaves the waveforms out; numerics stay the same. */
  readonly waveforms?: boolean;
}

/** Something of the ward that sends messages. */
export interface Sender {
  /** Messages of the second `atS` after the start, in order; called for each second in turn. */
  second(atS: number): WardMessage[];
}

const secondMs = 1_000;

/** A ward whose `messages` never end. */
export const ward = ({ beds = 24, seed, startMs, waveforms = true }: WardOptions): Ward => {
  const bedNumbers = Array.from({ length: beds }, (_, i) => i + 1);
  const placed = placeDevices(bedNumbers, seed);
  const roster = makeRoster({ beds, seed, startMs, placed });
  return {
    startMs,
    roster,
    devices: roster.devices,
    truth: bedNumbers.flatMap((bed) => {
      const story = storyOf(bed, beds);
      return story === undefined ? [] : [truthOf(story, bed, startMs)];
    }),
    messages: () => play(bedNumbers.map((bed) => monitorOf(bed, { beds, seed, startMs, waveforms }))),
  };
};

function* play(senders: readonly Sender[]): Generator<WardMessage, void> {
  for (let atS = 0; ; atS++) {
    const sent = senders.flatMap((sender) => sender.second(atS));
    yield* sent.sort((a, b) => a.atMs - b.atMs);
  }
}

const monitorId = (bed: number): string => `mon-${String(bed).padStart(2, "0")}`;

const placeDevices = (bedNumbers: readonly number[], seed: number): Placed[] => {
  const beds = bedNumbers.length;
  const placedAt = (device: string, model: string, bed: number | null, silentAfterMs: number): Placed => ({
    device,
    model,
    serial: random(seed, `serial ${device}`).hex(10).toUpperCase(),
    unit: unitName(bed ?? beds, beds),
    silentAfterMs,
    bedNumber: bed,
  });
  return bedNumbers.map((bed) => placedAt(monitorId(bed), "sim-monitor", bed, 10 * secondMs));
};

const monitorOf = (bed: number, { beds, seed, startMs, waveforms }: Required<WardOptions>): Monitor => {
  const own = random(seed, monitorId(bed));
  const story = storyOf(bed, beds);
  return new Monitor({
    device: monitorId(bed),
    story,
    rest: { ...restingVitals(own), ...story?.rest },
    arterialLine: story?.arterialLine ?? bed % 3 === 0,
    waveforms,
    random: own,
    startMs,
    phaseMs: Math.floor(own.next() * 900),
    firstCuffS: 6 + Math.floor((bed * 7) / 4),
  });
};

const truthOf = (story: Story, bed: number, startMs: number): Truth => ({
  story: story.name,
  what: story.what,
  bed: bedName(bed),
  device: monitorId(bed),
  from: startMs + story.firstS * secondMs,
  to: story.lastsS === null ? null : startMs + (story.firstS + story.lastsS) * secondMs,
  everyMs: story.everyS === null ? null : story.everyS * secondMs,
  recognise: story.recognise,
});
