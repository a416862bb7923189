/** Writes what the gates let through to each destination, asking for consent once more at the moment of each write. */
import { setTimeout as sleep } from "node:timers/promises";
import { Gauge } from "prom-client";
import type { Platform } from "../compose.ts";
import { openDestination, type OpenDestination } from "../destination.ts";
import { scaleTime, type TimeScale } from "../core/time.ts";
import type { DestinationSink } from "../io/outbox/sink.ts";
import { runSink } from "../log/sink-runner.ts";
import { consentReadingOf, hopsOf } from "../hops.ts";
import { consentAtWriting, tellingWithheld } from "./consent-at-writing.ts";
import { openConsentSource } from "./consent-source.ts";
import { consentTable } from "./consent-table.ts";
import { delivered } from "./delivered.ts";
import { closeAll, followAll, type Running } from "./running.ts";
import { knownScale } from "./source.ts";

/** Tells each answer of a destination once, as it goes back into the log. */
const counting = (sink: DestinationSink, tell: (outcome: string) => void): DestinationSink => ({
  ...sink,
  async write(entries) {
    const emissions = await sink.write(entries);
    for (const { body } of emissions) if (body.kind === "delivery") tell(body.outcome);
    return emissions;
  },
});

const states = ["up", "probing", "down"] as const;

const gaugesIn = ({ metrics }: Platform) => ({
  state: new Gauge({
    name: "afferent_destination_state",
    help: "1 for the state that a destination's circuit breaker is in",
    labelNames: ["destination", "state"],
    registers: [metrics],
  }),
  lastAnswer: new Gauge({
    name: "afferent_destination_last_answer_timestamp_seconds",
    help: "When a destination answered last, to a write or to the probe; 0: not since the start",
    labelNames: ["destination"],
    registers: [metrics],
  }),
});

const beatMs = 15_000;
const firstLookMs_max = 10_000;

/** Asks a destination now and then whether it lives, written to or not. Ends with the signal. */
const keepAsking = async (destination: OpenDestination, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await destination.beat();
    await sleep(beatMs, undefined, { signal }).catch(() => undefined);
  }
};

export const runPromotion = async (platform: Platform): Promise<Running> => {
  const { config, log, wire, counted, say } = platform;
  const stop = new AbortController();
  // the front door fixes the scale; whoever starts first must not wait for it before there is anything to write
  let scale: Promise<TimeScale> | undefined;
  const now = async (): Promise<number> => {
    scale ??= knownScale(config.speed, { log }, stop.signal);
    return Math.round(scaleTime(await scale, Date.now()));
  };
  const table = consentTable(log, wire);
  const { consentSource } = config;
  const consent = consentAtWriting({
    table,
    now,
    hops: hopsOf(config),
    zones: consentReadingOf(config).zones,
    source: consentSource && { name: consentSource.name, freshForMs: consentSource.freshForMs * config.speed },
    onWithheld: await tellingWithheld(log, wire, now),
  });
  const source = consentSource && (await openConsentSource(consentSource, { platform, table, now }));
  const taken = delivered(log, wire);
  const gauges = gaugesIn(platform);
  for (const { name: destination } of config.destinations) gauges.lastAnswer.set({ destination }, 0);
  const destinations = await Promise.all(
    config.destinations.map((destination) =>
      openDestination(destination, {
        consent,
        standingOf: taken.standingOf,
        signal: stop.signal,
        onState: (state) => {
          for (const one of states)
            gauges.state.set({ destination: destination.name, state: one }, one === state ? 1 : 0);
        },
        onAnswer: () => gauges.lastAnswer.set({ destination: destination.name }, Date.now() / 1000),
        onAuditRefused: (detail) => {
          counted.promoted.inc({ outcome: "auditRefused" });
          say.error({ destination: destination.name, detail }, "an AuditEvent was refused; it stays in the log");
        },
      }),
    ),
  );
  const sinks = destinations.flatMap(({ sink, audit }) => [
    counting(sink, (outcome) => counted.promoted.inc({ outcome })),
    ...(audit === null ? [] : [audit]),
  ]);
  // what waited while nobody read consents is not to be withheld for that
  await Promise.race([source?.looked, sleep(firstLookMs_max, undefined, { ref: false })]);
  const subscriptions = await Promise.all(sinks.map((sink) => runSink(sink, platform.running)));
  const asking = destinations.map((destination) => keepAsking(destination, stop.signal));
  const running = followAll(config.destinations.map(whereOf), subscriptions);
  return {
    ...running,
    done: Promise.race([running.done, Promise.all(asking).then(() => running.done)]),
    close: () =>
      closeAll([
        () => table.close(),
        async () => source?.close(),
        () => taken.close(),
        ...destinations.map((destination) => () => destination.close()),
        () => Promise.all(asking),
        running.close,
        async () => stop.abort(),
      ]),
  };
};

const whereOf = (destination: Platform["config"]["destinations"][number]): string => {
  const { name, kind } = destination;
  if ("baseUrl" in destination) return `${name} at ${destination.baseUrl}`;
  return "host" in destination ? `${name} at ${destination.host}:${destination.port}` : `${name} by ${kind}`;
};
