/** The board's own counters, and the lag of every stage as it sees it. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { BedState } from "../../../schemas/board.ts";
import type { BoardModel } from "./model.ts";

export interface BoardMetrics {
  entry(kind: string): void;
  fault(what: string, code: string): void;
  dropped(): void;
}

/** Without a registry, counts nothing. */
export const boardMetrics = (registry: Registry | undefined, model: BoardModel, now: () => number): BoardMetrics => {
  if (registry === undefined) return { entry: () => {}, fault: () => {}, dropped: () => {} };
  const registers = [registry];
  const entries = new Counter({
    name: "afferent_board_entries_total",
    help: "Entries that the board has read, by kind",
    labelNames: ["kind"],
    registers,
  });
  const faults = new Counter({
    name: "afferent_board_faults_total",
    help: "Reads that failed, by what was read and why",
    labelNames: ["what", "code"],
    registers,
  });
  const dropped = new Counter({
    name: "afferent_board_slow_clients_total",
    help: "Pages that were closed because they read too slowly",
    registers,
  });
  stageGauges(registry, model, now);
  deviceGauge(registry, model, now);
  return {
    entry: (kind) => entries.inc({ kind }),
    fault: (what, code) => faults.inc({ what, code }),
    dropped: () => dropped.inc(),
  };
};

const stageGauges = (registry: Registry, model: BoardModel, now: () => number): void => {
  const registers = [registry];
  const labelNames = ["stage"];
  const lagSeconds = new Gauge({
    name: "afferent_stage_lag_seconds",
    help: "Log seconds that the stage is behind its topic",
    labelNames,
    registers,
  });
  new Gauge({
    name: "afferent_stage_lag_entries",
    help: "Entries in the stage's topic that it has not processed",
    labelNames,
    registers,
    collect() {
      for (const stage of model.view(now()).stages) {
        this.set({ stage: stage.stage }, stage.lagEntries);
        lagSeconds.set({ stage: stage.stage }, stage.lagSeconds);
      }
    },
  });
};

const deviceStates: readonly BedState[] = [
  "streaming",
  "silent",
  "standby",
  "quarantining",
  "clockOff",
  "unassociated",
];

const deviceGauge = (registry: Registry, model: BoardModel, now: () => number): void => {
  new Gauge({
    name: "afferent_board_devices",
    help: "Devices that are expected to speak, by how they stand and by their model, which is their adapter",
    labelNames: ["state", "model"],
    registers: [registry],
    collect() {
      const { beds, unplaced } = model.view(now());
      const devices = [...beds.flatMap((bed) => bed.devices), ...unplaced];
      this.reset();
      for (const name of new Set(devices.map((device) => device.model)))
        for (const state of deviceStates)
          this.set(
            { state, model: name },
            devices.filter((device) => device.state === state && device.model === name).length,
          );
    },
  });
};
