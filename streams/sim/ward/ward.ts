/** The simulated ward: beds with their devices and stories, the same for the same seed, as messages in the order of ward time. */
import { random } from "../random.ts";
import { placeDevices, type Placement, senderOf } from "./devices.ts";
import type { Truth, Ward, WardMessage } from "./messages.ts";
import { bedName, makeRoster } from "./roster.ts";
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

const secondMs = 1_000;

/** A ward whose `messages` never end. */
export const ward = ({ beds = 24, seed, startMs, waveforms = true }: WardOptions): Ward => {
  const placements = placeDevices(beds, (device) => random(seed, `serial ${device}`).hex(10).toUpperCase());
  const roster = makeRoster({ beds, seed, startMs, placements });
  return {
    startMs,
    roster,
    devices: roster.devices,
    truth: placements.flatMap((placement) => truthOf(placement, beds, startMs)),
    messages: () => play(placements.map((placement) => senderOf(placement, { beds, seed, startMs, waveforms }))),
  };
};

function* play(senders: readonly { second(atS: number): WardMessage[] }[]): Generator<WardMessage, void> {
  for (let atS = 0; ; atS++) {
    const sent = senders.flatMap((sender) => sender.second(atS));
    yield* sent.sort((a, b) => a.atMs - b.atMs);
  }
}

const truthOf = ({ kind, bed, roster }: Placement, beds: number, startMs: number): Truth[] => {
  const story: Story | undefined = kind === "monitor" && bed !== null ? storyOf(bed, beds) : undefined;
  if (story === undefined || bed === null) return [];
  const { name, what, firstS, lastsS, everyS, recognise } = story;
  return [
    {
      story: name,
      what,
      bed: bedName(bed),
      device: roster.device,
      from: startMs + firstS * secondMs,
      to: lastsS === null ? null : startMs + (firstS + lastsS) * secondMs,
      everyMs: everyS === null ? null : everyS * secondMs,
      recognise,
    },
  ];
};
