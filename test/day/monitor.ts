/** A monitor of tests: its payload is the reading as it is to be decoded, one heart rate. */
import type { DecodedReading, DeviceAdapter } from "../../schemas/devices/adapter.ts";
import type { Device } from "../../schemas/records/roster.ts";
import type { Reading } from "../../schemas/records/telemetry.ts";
import { ok } from "../../streams/core/failure.ts";
import { deviceTime, type ReceivedTime } from "../../streams/core/time.ts";

export const adapter: DeviceAdapter = {
  model: "test-monitor",
  vendor: "test",
  decode: (payload) => ok(JSON.parse(new TextDecoder().decode(payload)) as DecodedReading),
};

export const device = (name: string): Device => ({
  kind: "device",
  device: name,
  model: adapter.model,
  serial: null,
  unit: "icu-1",
  clockUncertaintyMs: 2_000,
  silentAfterMs: 3_600_000,
  version: 1,
});

export interface Measured {
  readonly sequence: number;
  /** By the device's clock, which is right. */
  readonly measuredAt: number;
  readonly value: number;
}

export const readingOf = (name: string, { sequence, measuredAt, value }: Measured, received: ReceivedTime): Reading => {
  const decoded: DecodedReading = {
    device: null,
    boot: "boot-1",
    sequence,
    deviceTime: deviceTime(measuredAt),
    measurements: [
      {
        channel: "ecg",
        metric: "heartRate",
        value,
        ucum: "/min",
        validity: "valid",
        evidence: null,
        periodMs: 60_000,
      },
    ],
    waveforms: [],
    problems: [],
  };
  return {
    kind: "reading",
    device: name,
    stream: "numerics",
    mqttTopic: `ward/icu-1/${name}/numerics`,
    payload: new TextEncoder().encode(JSON.stringify(decoded)),
    receivedTime: received,
    session: "s-1",
    dup: false,
    retained: false,
    truncated: null,
  };
};
