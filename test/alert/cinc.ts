/**
 * The recorded monitors of the PhysioNet/CinC Challenge 2015 for the thousand: the last seconds of each one's waveforms and the alarm that its
 * monitor raised. What people must hear is read from the headers' own comments; the second, whether the alarm was true, changes nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { noRecordings, recordingsFolder } from "../../streams/sim/recordings/recordings.fixture.ts";
import { recordingWard } from "../../streams/sim/recordings/ward.ts";
import type { Expected, MoreDevice, Sending } from "./thousand.ts";

/** Five minutes from each record's beginning (the challenge's own description). */
const alarmAfterMs = 300_000;
const playedMs = 3_000;

const events: Readonly<Record<string, string>> = {
  Asystole: "asystole",
  Bradycardia: "extremeBradycardia",
  Tachycardia: "extremeTachycardia",
  Ventricular_Tachycardia: "ventricularTachycardia",
  Ventricular_Flutter_Fib: "ventricularFibrillation",
};

interface Labelled {
  readonly device: string;
  readonly event: string;
  readonly verdict: "true" | "false";
}

const labelled = (): Labelled[] =>
  readdirSync(join(recordingsFolder, "cinc2015_alarms"))
    .filter((file) => file.endsWith(".hea"))
    .map((file) => {
      const text = readFileSync(join(recordingsFolder, "cinc2015_alarms", file), "utf8");
      const [name = "", said = ""] = text
        .split(/\r?\n/)
        .flatMap((line) => (line.startsWith("#") ? [line.slice(1)] : []));
      return {
        device: `cinc-${file.slice(0, -".hea".length)}`,
        event: events[name.trim()] ?? `(${name})`,
        verdict: said.startsWith("True") ? "true" : "false",
      };
    });

/** None where there are no recordings. */
export const cincDevices = (): readonly MoreDevice[] =>
  noRecordings
    ? []
    : labelled().map(({ device }) => ({
        device,
        bed: device,
        model: "recorded-waveforms",
        silentAfterMs: 24 * 3_600_000,
      }));

/** All that they send, in the order of time, with the moment (ms) of each; the alarms come at `alarmAtMs`, one after the other. */
export const cincSendings = (alarmAtMs: number): readonly (Sending & { readonly atMs: number })[] => {
  if (noRecordings) return [];
  const alarms = new Map(labelled().map((one) => [one.device, one]));
  const startMs = alarmAtMs - alarmAfterMs;
  const sendings: (Sending & { readonly atMs: number })[] = [];
  for (const message of recordingWard({ folder: recordingsFolder, which: ["cinc"], startMs }).messages()) {
    const { atMs, device, mqttTopic, payload } = message;
    if (atMs < alarmAtMs - playedMs || atMs > alarmAtMs) continue;
    const one = alarms.get(device);
    const isAlarm = one !== undefined && message.stream !== "waveforms";
    sendings.push({ atMs, device, mqttTopic, payload, raises: isAlarm ? [expectedOf(one, atMs)] : [] });
  }
  return sendings;
};

const expectedOf = ({ device, event, verdict }: Labelled, onset: number): Expected => ({
  shape: `recorded (CinC), ${verdict}`,
  device,
  bed: device,
  event,
  metric: "heartRate",
  priority: "high",
  value: null,
  onset,
  withinMs: 0,
  publishedAt: 0,
});
