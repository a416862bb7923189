/** A recording that has waveforms only: chunks of one signal, as schemas/decoding/recorded-chunk.ts describes them. */
import { refuse } from "../../streams/core/failure.ts";
import { decodeRecordedChunk } from "../decoding/recorded-chunk.ts";
import type { DeviceAdapter } from "./adapter.ts";

export const adapter: DeviceAdapter = {
  model: "recorded-waveforms",
  vendor: "Afferent recordings",
  decode: (payload, stream) =>
    stream === "waveforms"
      ? decodeRecordedChunk(payload)
      : refuse("unknown-stream", `stream: recorded-waveforms sends no ${JSON.stringify(stream)}`),
};
