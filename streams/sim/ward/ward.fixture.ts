/** Five minutes of a full ward and what its devices said, for tests. */
import { adapter as cgm } from "../../../schemas/devices/sim-cgm.ts";
import { adapter as dialysis } from "../../../schemas/devices/sim-dialysis.ts";
import { adapter as monitor } from "../../../schemas/devices/sim-monitor.ts";
import { adapter as pump } from "../../../schemas/devices/sim-pump.ts";
import type { DecodedReading } from "../../../schemas/devices/adapter.ts";
import type { Ward, WardMessage } from "./messages.ts";
import { ward } from "./ward.ts";

export const startMs = Date.UTC(2026, 10, 21, 5);
export const adapters = new Map([monitor, pump, dialysis, cgm].map((adapter) => [adapter.model, adapter]));

/** The first seconds of a ward. */
export const until = (of: Ward, seconds: number): WardMessage[] => {
  const messages: WardMessage[] = [];
  for (const message of of.messages()) {
    if (message.atMs >= of.startMs + seconds * 1000) break;
    messages.push(message);
  }
  return messages;
};

export const full = ward({ seed: 1, startMs });
export const minutes = until(full, 300);
const modelOf = new Map(full.devices.map(({ device, model }) => [device, model]));

const decoded = new WeakMap<WardMessage, DecodedReading>();

/** Throws where the adapter refuses. */
export const decode = (message: WardMessage): DecodedReading => {
  const known = decoded.get(message);
  if (known !== undefined) return known;
  const result = adapters.get(modelOf.get(message.device) ?? "")?.decode(message.payload, message.stream);
  if (result === undefined || !result.ok) throw new Error(`${message.device}: ${JSON.stringify(result)}`);
  decoded.set(message, result.value);
  return result.value;
};

const byDevice = Map.groupBy(minutes, ({ device, stream }) => `${device}/${stream}`);
/** What one device sent on one stream. */
export const sentBy = (device: string, stream: string): readonly WardMessage[] =>
  byDevice.get(`${device}/${stream}`) ?? [];

export interface Sample {
  readonly atS: number;
  readonly value: number | null;
}

/** Second of the ward and value of a metric in these messages. */
export const samplesOf = (messages: readonly WardMessage[], metric: string): Sample[] =>
  messages.flatMap((message) =>
    decode(message)
      .measurements.filter((m) => m.metric === metric)
      .map(({ value }) => ({ atS: Math.floor((message.atMs - startMs) / 1000), value })),
  );
export const seriesOf = (device: string, metric: string): Sample[] => samplesOf(sentBy(device, "numerics"), metric);
export const valuesOf = (device: string, metric: string): number[] =>
  seriesOf(device, metric).flatMap(({ value }) => (value === null ? [] : [value]));
export const between = (samples: readonly Sample[], fromS: number, toS: number): number[] =>
  samples.flatMap(({ atS, value }) => (atS >= fromS && atS < toS && value !== null ? [value] : []));
export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The device that a story happens to. */
export const deviceOf = (story: string): string => full.truth.find((t) => t.story === story)?.device ?? "";
