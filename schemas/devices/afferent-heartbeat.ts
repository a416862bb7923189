/**
 * The platform's own heartbeat (streams/io/mqtt/heartbeat.ts sends it): an alarm that goes the whole way from broker to notifier and concerns
 * nobody. JSON with the sender's life, the beat's number in it, and the time of the beat in ms since 1970. Each beat is an alarm of its own,
 * with its number as its value. What makes it a test is its topic, and nothing in here (clinical.md 17).
 */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { deviceTime } from "../../streams/core/time.ts";
import { type AlarmCodes, alarmOf } from "../decoding/alarm.ts";
import { parseJsonObject } from "../decoding/json.ts";
import type { DecodedReading, DeviceAdapter } from "./adapter.ts";

const code = "BEAT";
const fields: ReadonlySet<string> = new Set(["device", "boot", "seq", "time"]);
const codes: AlarmCodes = { [code]: { event: "heartbeat", channel: "platform" } };

const decode = (payload: Uint8Array): Result<DecodedReading> => {
  const object = parseJsonObject(payload);
  if (!object.ok) return object;
  const device = object.value.string("device");
  if (!device.ok) return device;
  const boot = object.value.string("boot");
  if (!boot.ok) return boot;
  const beat = object.value.integer("seq");
  if (!beat.ok) return beat;
  const time = object.value.integer("time");
  if (!time.ok) return time;
  const at = deviceTime(time.value);
  const alarm = alarmOf(codes, code, `heartbeat ${beat.value}`);
  return ok({
    device: device.value,
    boot: boot.value,
    sequence: beat.value,
    deviceTime: at,
    measurements: [],
    waveforms: [],
    alarms: { changes: [{ ...alarm, priority: "low", value: beat.value, since: at, present: true }] },
    problems: object.value
      .names()
      .filter((name) => !fields.has(name))
      .map((name) => ({ reason: "unknown-field", detail: `${name}: not a field of a heartbeat` })),
  });
};

export const adapter: DeviceAdapter = {
  model: "afferent-heartbeat",
  vendor: "Afferent",
  alarmsOnly: true,
  synthetic: true,
  decode: (payload, stream) =>
    stream === "alarms"
      ? decode(payload)
      : refuse("unknown-stream", `stream: afferent-heartbeat sends no ${JSON.stringify(stream)}`),
};
