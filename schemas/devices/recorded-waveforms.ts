/**
 * A recording that has waveforms only: chunks of one signal (schemas/decoding/recorded-chunk.ts), and the alarm that its monitor raised
 * (schemas/decoding/recorded-alarm.ts).
 */
import { refuse } from "../../streams/core/failure.ts";
import { decodeRecordedAlarm } from "../decoding/recorded-alarm.ts";
import { decodeRecordedChunk } from "../decoding/recorded-chunk.ts";
import type { DeviceAdapter } from "./adapter.ts";

export const adapter: DeviceAdapter = {
  model: "recorded-waveforms",
  vendor: "Afferent recordings",
  decode(payload, stream) {
    switch (stream) {
      case "waveforms":
        return decodeRecordedChunk(payload);
      case "alarms":
        return decodeRecordedAlarm(payload);
      default:
        return refuse("unknown-stream", `stream: recorded-waveforms sends no ${JSON.stringify(stream)}`);
    }
  },
};
