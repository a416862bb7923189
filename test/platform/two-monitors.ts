/** A ward of two simulated-monitor devices in two beds, for tests that say word for word what a device sends. */
import type { WardRoster } from "../../streams/sim/ward/messages.ts";
import { mqttTopicOf } from "../../streams/sim/ward/messages.ts";

const unit = "Bad input";
const hourMs = 3_600_000;

export const twoMonitors = (devices: readonly [string, string], nowMs: number): WardRoster => {
  const at = (hours: number): string => new Date(nowMs + hours * hourMs).toISOString();
  return {
    version: 1,
    devices: devices.map((device) => ({ device, model: "sim-monitor", serial: null, unit })),
    beds: devices.map((bed) => ({ bed, unit })),
    associations: devices.map((device) => ({
      id: `assoc-${device}`,
      revision: 1,
      device,
      subject: `sub-${device}`,
      patientKey: `pat-${device}`,
      bed: device,
      unit,
      ageBand: "adult",
      from: at(-2),
      to: null,
      confirmedBy: "Ines Marchetti RN",
      confirmedAt: at(-1),
      assertedBy: "Ines Marchetti RN",
    })),
    patients: devices.map((device) => ({
      patientKey: `pat-${device}`,
      fhirId: `patient-${device}`,
      identifierSystem: "urn:afferent:test:mrn",
      identifierValue: device,
      encounterFhirId: null,
      active: true,
      version: 1,
    })),
    consents: [],
  };
};

export interface Sent {
  readonly topic: string;
  readonly payload: Buffer;
}

/** A reading of the simulated monitor as its firmware writes it: one heart rate, unless told otherwise. */
export const monitorReading = (
  device: string,
  sequence: number,
  timeMs: number,
  numeric: Readonly<Record<string, unknown>> = {},
): Sent => {
  const reading = {
    device,
    boot: "b0b0b0b0",
    seq: sequence,
    time: new Date(timeMs).toISOString(),
    mode: "live",
    numerics: [{ name: "HR", value: 60 + (sequence % 40), unit: "bpm", ...numeric }],
  };
  return { topic: mqttTopicOf(device, "numerics"), payload: Buffer.from(JSON.stringify(reading)) };
};
