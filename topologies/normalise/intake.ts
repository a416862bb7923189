/** From a reading as received to one that is known to be its device's and that the model's adapter could read. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { Device, Reading } from "../../schemas/records.ts";
import type { DecodedReading, DeviceAdapter } from "../../schemas/devices/adapter.ts";

export type Adapters = ReadonlyMap<string, DeviceAdapter>;

/**
 * Refuses `unknown-device`, `payload-too-large`, `identity-mismatch`, `unknown-model`, `device-time-invalid` and whatever
 * the adapter refuses.
 */
export const readDevice = (
  device: Device | undefined,
  key: string,
  reading: Reading,
  adapters: Adapters,
): Result<DecodedReading> => {
  if (device === undefined) return refuse("unknown-device", `${key}: is not in the roster`);
  if (reading.truncated !== null) {
    const { size, sha256 } = reading.truncated;
    return refuse("payload-too-large", `payload: has ${size} bytes, sha256 ${sha256}; the first 64 KiB are kept`);
  }
  if (reading.device !== key || !reading.mqttTopic.split("/").includes(reading.device))
    return refuse("identity-mismatch", `mqttTopic: ${reading.mqttTopic} is not a topic of device ${key}`);
  const adapter = adapters.get(device.model);
  if (adapter === undefined) return refuse("unknown-model", `${key}: no adapter is called ${device.model}`);
  const decoded = adapter.decode(reading.payload, reading.stream);
  return decoded.ok ? checkIdentity(decoded.value, key) : decoded;
};

const checkIdentity = (decoded: DecodedReading, key: string): Result<DecodedReading> => {
  if (decoded.device !== null && decoded.device !== key)
    return refuse("identity-mismatch", `payload: says it is from ${decoded.device}, its topic is of ${key}`);
  for (const time of [decoded.deviceTime, ...decoded.measurements.map((m) => m.deviceTime ?? null)])
    if (time !== null && !Number.isSafeInteger(time))
      return refuse("device-time-invalid", `payload: its time ${time} is no time`);
  return ok(decoded);
};
