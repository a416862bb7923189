/** From a reading as received to one that is known to be its device's and that the model's adapter could read. */
import { ok, type Problem, refuse, type Result } from "../../streams/core/failure.ts";
import { platformRoot } from "../../schemas/platform.ts";
import type { Device } from "../../schemas/records/roster.ts";
import type { Reading } from "../../schemas/records/telemetry.ts";
import type { DecodedReading, DeviceAdapter } from "../../schemas/devices/adapter.ts";

export type Adapters = ReadonlyMap<string, DeviceAdapter>;

export interface Read {
  readonly decoded: DecodedReading;
  readonly adapter: DeviceAdapter;
}

/** What comes on it is the platform's own: only its credential may write there (clinical.md 17). */
export const isPlatformTopic = (mqttTopic: string): boolean => mqttTopic.startsWith(`${platformRoot}/`);

/**
 * Refuses `unknown-device`, `payload-too-large`, `identity-mismatch`, `unknown-model`, `platform-topic`, `device-time-invalid`,
 * `bad-channel` and whatever the adapter refuses.
 */
export const readDevice = (
  device: Device | undefined,
  key: string,
  reading: Reading,
  adapters: Adapters,
): Result<Read> => {
  if (device === undefined) return refuse("unknown-device", `${key}: is not in the roster`);
  if (reading.truncated !== null) {
    const { size, sha256 } = reading.truncated;
    return refuse("payload-too-large", `payload: has ${size} bytes, sha256 ${sha256}; the first 64 KiB are kept`);
  }
  if (reading.device !== key || !reading.mqttTopic.split("/").includes(reading.device))
    return refuse("identity-mismatch", `mqttTopic: ${reading.mqttTopic} is not a topic of device ${key}`);
  const adapter = adapters.get(device.model);
  if (adapter === undefined) return refuse("unknown-model", `${key}: no adapter is called ${device.model}`);
  if (isPlatformTopic(reading.mqttTopic) && adapter.synthetic !== true)
    return refuse("platform-topic", `mqttTopic: ${reading.mqttTopic}: ${key} is a device, not the platform`);
  const decoded = adapter.decode(reading.payload, reading.stream);
  if (!decoded.ok) return decoded;
  const checked = checkIdentity(decoded.value, key);
  return checked.ok ? ok({ decoded: checked.value, adapter }) : checked;
};

/**
 * What a device that is not in the roster says of alarms, by the first adapter that finds any in it: nobody has said of what model it is.
 * Undefined where nothing is said of alarms, or not in its own name.
 */
export const readStranger = (key: string, reading: Reading, adapters: Adapters): DecodedReading | undefined => {
  const { truncated, device, mqttTopic, payload, stream } = reading;
  if (truncated !== null || device !== key || !mqttTopic.split("/").includes(device) || isPlatformTopic(mqttTopic))
    return undefined;
  for (const adapter of adapters.values()) {
    const decoded = adapter.synthetic === true ? undefined : adapter.decode(payload, stream);
    if (decoded === undefined || !decoded.ok || decoded.value.alarms === undefined) continue;
    const checked = checkIdentity(decoded.value, key);
    if (checked.ok) return checked.value;
  }
  return undefined;
};

/** 9999-12-31T23:59:59.999Z: FHIR's and QuestDB's last year; neither stores a sample from before 1970. */
const latestTime = 253_402_300_799_999;

export const isStorableTime = (time: number): boolean => Number.isSafeInteger(time) && time >= 0 && time <= latestTime;
export const storableTimeProblem = (time: number): Problem => ({
  reason: "device-time-invalid",
  detail: `payload: its time ${time} is no time between 1970 and 9999`,
});

/** It becomes part of keys downstream. */
export const channelName = /^[A-Za-z0-9._:/-]{1,64}$/;

/** It names cells of the device's state. */
const bootLength = 128;

const checkIdentity = (decoded: DecodedReading, key: string): Result<DecodedReading> => {
  if (decoded.device !== null && decoded.device !== key)
    return refuse("identity-mismatch", `payload: says it is from ${decoded.device}, its topic is of ${key}`);
  if (decoded.boot !== null && decoded.boot.length > bootLength)
    return refuse(
      "bad-boot",
      `payload: its boot has ${decoded.boot.length} characters, at most ${bootLength} are taken`,
    );
  if (decoded.deviceTime !== null && !isStorableTime(decoded.deviceTime))
    return { ok: false, problem: storableTimeProblem(decoded.deviceTime) };
  for (const { channel } of [...decoded.measurements, ...decoded.waveforms])
    if (!channelName.test(channel))
      return refuse("bad-channel", `payload: ${JSON.stringify(channel)} names no channel`);
  return ok(decoded);
};
