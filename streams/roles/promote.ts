/** Writes what the gates let through to each destination, asking for consent once more at the moment of each write. */
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Intent } from "../../schemas/records.ts";
import { consented } from "../../topologies/gates/consented.ts";
import { type DestinationSink, openDestination, type Platform } from "../compose.ts";
import { scaleTime, type TimeScale } from "../core/time.ts";
import type { ConsentCheck } from "../io/fhir/write.ts";
import { runSink } from "../log/sink-runner.ts";
import { type ConsentTable, consentTable } from "./consent-table.ts";
import { closeAll, followAll, type Running } from "./running.ts";
import { knownScale } from "./source.ts";

/** When the data of an intent arose: its own effective time (ms). A resource without one is covered by no consent. */
const eventTimeOf = (intent: Intent): number => {
  const { effectiveDateTime } = JSON.parse(intent.resource) as { effectiveDateTime?: string };
  return Date.parse(effectiveDateTime ?? "");
};

/** `now`: in the ward's time, as the log has it. */
export const consentAtWriting =
  (table: ConsentTable, now: () => number | Promise<number>): ConsentCheck =>
  async (intent) => {
    const at = eventTimeOf(intent);
    const asked = await now();
    if (Number.isNaN(at))
      return { passed: false, reason: "consent-not-at-event", detail: `no effective time, asked ${utcInstant(asked)}` };
    return consented(await table.of(intent.patientKey), intent.destination, [at], asked);
  };

/** Tells each answer of a destination once, as it goes back into the log. */
const counting = (sink: DestinationSink, tell: (outcome: string) => void): DestinationSink => ({
  ...sink,
  async write(entries) {
    const emissions = await sink.write(entries);
    for (const { body } of emissions) if (body.kind === "delivery") tell(body.outcome);
    return emissions;
  },
});

export const runPromotion = async (platform: Platform): Promise<Running> => {
  const { config, log, wire, counted } = platform;
  const stop = new AbortController();
  // the front door fixes the scale; whoever starts first must not wait for it before there is anything to write
  let scale: Promise<TimeScale> | undefined;
  const now = async (): Promise<number> => {
    scale ??= knownScale(config.speed, { log }, stop.signal);
    return Math.round(scaleTime(await scale, Date.now()));
  };
  const table = consentTable(log, wire);
  const consent = consentAtWriting(table, now);
  const sinks = config.destinations.map((destination) =>
    counting(openDestination(destination, consent, stop.signal), (outcome) => counted.promoted.inc({ outcome })),
  );
  const subscriptions = await Promise.all(sinks.map((sink) => runSink(sink, platform.running)));
  const running = followAll(
    config.destinations.map(({ name, baseUrl }) => `${name} at ${baseUrl}`),
    subscriptions,
  );
  return {
    ...running,
    close: () => closeAll([() => table.close(), running.close, async () => stop.abort()]),
  };
};
