/** The recorded patients as a ward: a bed and a device for each record, its times rebased to the ward's start, all merged in the order of time. */
import { OperatingError } from "../../core/failure.ts";
import { mqttTopicOf, type Ward, type WardMessage } from "../ward/messages.ts";
import { encodeAlarm } from "./alarm-line.ts";
import { type Recording, readAlarm, readNumerics, recordingsIn } from "./catalogue.ts";
import { merge } from "./merge.ts";
import { encodeLine } from "./numerics-line.ts";
import { type RecordedRosterOptions, recordedRoster } from "./roster.ts";
import { waveformsOf } from "./waveforms.ts";

export interface RecordingWardOptions extends RecordedRosterOptions {
  /** The recordings' folder; its README describes it. */
  readonly folder: string;
  /** Records or whole sets, e.g. ["bidmc", "mimic-s00001"]; all of them unless told otherwise. */
  readonly which?: readonly string[];
}

/**
 * A ward whose `messages` end with the longest recording. Their files are read when a walk over them begins.
 * Codes: `recordings-missing`, `recording-unknown`, also for a name in `unconfirmed` or `withoutConsent` that plays no part.
 */
export const recordingWard = (options: RecordingWardOptions): Ward => {
  const { folder, which, startMs, unconfirmed = [], withoutConsent = [] } = options;
  const recordings = recordingsIn(folder, which);
  for (const name of [...unconfirmed, ...withoutConsent])
    if (!recordings.some(({ record }) => record === name))
      throw new OperatingError("recording-unknown", `recordings: ${name} is not played`, { retry: false });
  const roster = recordedRoster(recordings, options);
  return {
    startMs,
    roster,
    devices: roster.devices,
    // What happens in them stands in EVENTS.csv (truth.ts), as runs beyond plain limits and not as stories.
    truth: [],
    messages: () =>
      merge(
        recordings.flatMap((recording) => [
          numericsOf(folder, recording, startMs),
          ...recording.waveforms.map((piece) => waveformsOf(folder, recording.record, piece, startMs)),
          alarmOf(folder, recording, startMs),
        ]),
      ),
  };
};

function* numericsOf(folder: string, recording: Recording, startMs: number): Generator<WardMessage, void> {
  const { record, numerics } = recording;
  if (numerics === undefined) return;
  for (const { offsetMs, values } of readNumerics(folder, recording).rows) {
    if (values.length === 0) continue;
    const atMs = startMs + offsetMs;
    yield {
      atMs,
      device: record,
      stream: "numerics",
      mqttTopic: mqttTopicOf(record, "numerics"),
      payload: encodeLine(record, atMs, numerics.periodMs, values),
    };
  }
}

function* alarmOf(folder: string, recording: Recording, startMs: number): Generator<WardMessage, void> {
  const { record, alarmAtMs } = recording;
  const alarm = alarmAtMs === undefined ? undefined : readAlarm(folder, recording);
  if (alarmAtMs === undefined || alarm === undefined) return;
  const atMs = startMs + alarmAtMs;
  yield {
    atMs,
    device: record,
    stream: "alarms",
    mqttTopic: mqttTopicOf(record, "alarms"),
    payload: encodeAlarm(record, atMs, alarm),
  };
}
