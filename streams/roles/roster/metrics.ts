/** The roster service's numbers. Names of outcomes are stable codes and say nothing of anybody. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Heard, RosterSource } from "./heard.ts";
import { type Off, offCodes } from "./off.ts";
import type { RosterService } from "./service.ts";
import type { RosterStore } from "./store.ts";

/** What is looked at each time that somebody asks; undefined while the service opens. */
export interface Measured {
  readonly store: RosterStore;
  readonly service: () => RosterService | undefined;
  readonly off: () => readonly Off[];
  readonly heard: Heard;
  readonly connections: () => number;
}

const sources: readonly RosterSource[] = ["adt", "fhir"];

const gauges = (registers: Registry[], { store, service, off, heard, connections }: Measured): void => {
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: (this: Gauge<L>) => void,
  ): Gauge<L> => new Gauge({ name, help, labelNames: [...labelNames], registers, collect });
  gauge("afferent_roster_waiting_records", "Roster records that the log does not have yet", [], function () {
    this.set(store.waitingCount());
  });
  gauge("afferent_roster_conflicts", "Open links of which it is unclear who is measured", [], function () {
    this.set(service()?.view.links.filter(({ toMs, conflicts }) => toMs === null && conflicts.length > 0).length ?? 0);
  });
  gauge(
    "afferent_roster_problems",
    "What was told and has no effect as it is, by reason: places that may be a bed of ours among them",
    ["reason"],
    function () {
      this.reset();
      for (const { reason } of service()?.view.problems ?? []) this.inc({ reason });
    },
  );
  gauge(
    "afferent_roster_events",
    "What was ever told (kept), and with how much of that the next message is derived unless it concerns closed stories (open)",
    ["part"],
    function () {
      const { kept, open } = service()?.sizes ?? { kept: 0, open: 0 };
      this.set({ part: "kept" }, kept);
      this.set({ part: "open" }, open);
    },
  );
  gauge(
    "afferent_roster_heard_timestamp_seconds",
    "When a source was last heard: the ADT feed, the FHIR server; one that never was, when it was first listened to",
    ["source"],
    function () {
      for (const source of sources) {
        const heardMs = heard.at(source);
        if (heardMs !== undefined) this.set({ source }, heardMs / 1_000);
      }
    },
  );
  gauge("afferent_roster_off", "How much is off, by what it is; 0: nothing", ["what"], function () {
    for (const what of offCodes) this.set({ what }, 0);
    for (const { what, count } of off()) this.set({ what }, count);
  });
  gauge(
    "afferent_roster_off_since_timestamp_seconds",
    "Since when something is off, by what it is; what is well is not there",
    ["what"],
    function () {
      this.reset();
      for (const { what, sinceMs } of off()) this.set({ what }, sinceMs / 1_000);
    },
  );
  gauge("afferent_roster_mllp_connections", "Connections that ADT senders hold open", [], function () {
    this.set(connections());
  });
};

export const rosterMetrics = (registry: Registry, measured: Measured) => {
  const registers = [registry];
  gauges(registers, measured);
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  return {
    derived: new Histogram({
      name: "afferent_roster_derive_seconds",
      help: "How long it takes to compute what holds, of open stories or of all that was ever told: ADT waits as long",
      labelNames: ["scope"],
      buckets: [0.001, 0.01, 0.1, 0.5, 1, 5, 10],
      registers,
    }),
    messages: counter("afferent_roster_messages_total", "ADT messages by event and by what became of them", [
      "event",
      "outcome",
    ]),
    faults: counter("afferent_roster_mllp_faults_total", "Connections of ADT senders that ended badly, by reason", [
      "reason",
    ]),
    resources: counter(
      "afferent_roster_fhir_resources_total",
      "Resources read from the FHIR server by type and by what became of them",
      ["type", "outcome"],
    ),
    rounds: counter("afferent_roster_fhir_rounds_total", "Looks at the FHIR server, by what came of them", ["outcome"]),
  };
};

export type RosterMetrics = ReturnType<typeof rosterMetrics>;
