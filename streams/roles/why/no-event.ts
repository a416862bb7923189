/** Where no event went on at a device and a time: what it measured about then, and what of it was refused, so that silence has a reason too. */
import { utcInstant } from "../../../schemas/fhir/instant.ts";
import type { Measurement } from "../../../schemas/records/telemetry.ts";
import { telemetryQuarantine, vitals } from "../../../schemas/topics.ts";
import type { Found, NoEvent } from "../../../schemas/why.ts";
import type { Ledger } from "./ledger.ts";

const aroundMs = 5_000;
/** What is told late stands this much further on in the log. */
const toldWithinMs = 60_000;
const shown_max = 40;

export const noEventAt = async (ledger: Ledger, device: string, atMs: number, question: string): Promise<NoEvent> => {
  const [from, to] = [atMs - aroundMs, atMs + aroundMs];
  const measurements: Found<Measurement>[] = [];
  for (let partition = 0; partition < vitals.partitions; partition++) {
    const first = await ledger.seek(vitals, partition, from - toldWithinMs);
    for await (const { at, body, logTime } of ledger.from(vitals, partition, first)) {
      if (logTime !== null && logTime > to + toldWithinMs) break;
      if (body.kind !== "measurement" || body.device !== device) continue;
      if (body.eventTime >= from && body.eventTime <= to && measurements.length < shown_max)
        measurements.push({ at, body });
    }
  }
  const quarantined = await quarantinedOf(ledger, device, from - toldWithinMs, to + toldWithinMs);
  return { question, device, from, to, measurements, quarantined, says: says(measurements, quarantined, atMs) };
};

const quarantinedOf = async (
  ledger: Ledger,
  device: string,
  from: number,
  to: number,
): Promise<NoEvent["quarantined"]> => {
  const found: NoEvent["quarantined"][number][] = [];
  for (let partition = 0; partition < telemetryQuarantine.partitions; partition++) {
    const first = await ledger.seek(telemetryQuarantine, partition, from);
    for await (const { at, body, logTime } of ledger.from(telemetryQuarantine, partition, first)) {
      if (logTime !== null && logTime > to) break;
      if (body.kind === "quarantined" && body.device === device && found.length < shown_max)
        found.push({ at, reason: body.reason, detail: body.detail });
    }
  }
  return found;
};

const says = (
  measurements: readonly Found<Measurement>[],
  quarantined: NoEvent["quarantined"],
  atMs: number,
): string => {
  const about = `within ${aroundMs / 1_000} s of ${utcInstant(atMs)}`;
  if (measurements.length > 0)
    return `No event: ${measurements.length} values ${about}, and no rule held for its minimum duration`;
  return quarantined.length > 0
    ? `No event: no value ${about}; what was sent was refused`
    : `No event: nothing is known of this device ${about}`;
};
