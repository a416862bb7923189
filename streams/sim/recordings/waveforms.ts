/** A recorded piece of waveforms as its device sends it: a chunk a second for each signal, sent when the second is over. */
import { join } from "node:path";
import { mqttTopicOf, type WardMessage } from "../ward/messages.ts";
import type { RecordedPiece } from "./catalogue.ts";
import { encodeRecordedChunk } from "./waveform-chunk.ts";
import { readWfdb, type WfdbSignal } from "./wfdb-signals.ts";

const secondMs = 1_000;

interface Run {
  /** Index of the first sample in the signal. */
  readonly from: number;
  readonly samples: Int16Array;
}

/** What a signal has of one second: runs of samples, with nothing where a sample is missing. */
const runsOf = ({ samples, rateHz, missing }: WfdbSignal, second: number): Run[] => {
  const runs: Run[] = [];
  const end = Math.min(samples.length, Math.round((second + 1) * rateHz));
  let from = Math.round(second * rateHz);
  for (let i = from; i <= end; i++) {
    if (i < end && samples[i] !== missing) continue;
    if (i > from) runs.push({ from, samples: samples.subarray(from, i) });
    from = i + 1;
  }
  return runs;
};

const lengthS = ({ samples, rateHz }: WfdbSignal): number => Math.ceil(samples.length / rateHz);

/** In the order of time, and of the header's signals within a second. The file is read with the first. */
export function* waveformsOf(
  folder: string,
  device: string,
  { header, offsetMs }: RecordedPiece,
  startMs: number,
): Generator<WardMessage, void> {
  const signals = readWfdb(join(folder, header));
  const firstMs = startMs + offsetMs;
  const seconds = Math.max(...signals.map(lengthS));
  for (let second = 0; second < seconds; second++)
    for (const signal of signals)
      for (const { from, samples } of runsOf(signal, second))
        yield {
          atMs: firstMs + (second + 1) * secondMs,
          device,
          stream: "waveforms",
          mqttTopic: mqttTopicOf(device, "waveforms"),
          payload: encodeRecordedChunk(
            device,
            firstMs + Math.round((from * secondMs) / signal.rateHz),
            signal,
            samples,
          ),
        };
}
