/** What all parts of the circuit stand on: its log's time, its numbers, and a way to say something into its log. */
import { raw } from "../../../schemas/topics.ts";
import type { Circuit } from "../../alert-compose.ts";
import { OperatingError } from "../../core/failure.ts";
import { logTime, scaleTime, type TimeScale } from "../../core/time.ts";
import type { SinkRunnerOptions } from "../../log/sink-runner.ts";
import { closeAll } from "../running.ts";
import { fixScale, type SourceOptions } from "../source.ts";
import { type CircuitMetrics, circuitMetrics } from "./circuit-metrics.ts";
import { type Degradation, openDegradation } from "./degradation.ts";
import { Hops } from "./hops.ts";
import { openWords, type Words } from "./words.ts";

export interface Ground {
  readonly circuit: Circuit;
  readonly source: SourceOptions;
  readonly scale: TimeScale;
  /** Log time now, and of a moment of the wall clock; ms. */
  readonly logNow: () => number;
  readonly logAt: (wallMs: number) => number;
  readonly metrics: CircuitMetrics;
  readonly words: Words;
  readonly hops: Hops;
  readonly degradation: Degradation;
  readonly onError: (error: unknown) => void;
  close(): Promise<void>;
}

/** Waveforms are acknowledged and left to the telemetry plane: the circuit has one raw topic. */
export const rawTopics = [raw];

/** Codes: `speed-differs`, `log-unavailable`. */
export const openGround = async (circuit: Circuit): Promise<Ground> => {
  const { config, log, wire, say } = circuit;
  const source = { log, wire, now: Date.now, rawTopics };
  const { originMs, speed } = config.scale ?? { originMs: 0, speed: 1 };
  const scale = await fixScale(speed, { ...source, ...(speed !== 1 && { now: () => originMs }) });
  const logAt = (wallMs: number): number => Math.round(scaleTime(scale, wallMs));
  const logNow = (): number => logAt(Date.now());
  const metrics = circuitMetrics(circuit.metrics);
  const onError = (error: unknown): void => say.warn({ error: String(error) }, "will be tried again");
  const words = await openWords(log, wire, () => logTime(logNow()));
  const degradation = openDegradation({
    notifiers: [...circuit.notifiers.keys()],
    displays: config.displays,
    say,
    onModes: (count) => metrics.modes.set(count),
  });
  const hops: Hops = new Hops({
    words,
    now: logNow,
    onError,
    onChange: ({ hop, up, detail }) => {
      metrics.hop.set({ hop }, up ? 1 : 0);
      say[up ? "info" : "error"]({ hop, detail }, up ? "is there" : "is DOWN");
      degradation.look(hops.all(), logNow());
    },
  });
  return {
    circuit,
    source,
    scale,
    logNow,
    logAt,
    metrics,
    words,
    hops,
    degradation,
    onError,
    close: () => closeAll([() => words.close(), degradation.close, async () => hops.close()]),
  };
};

export const runnerOptions = ({ circuit, metrics }: Ground): SinkRunnerOptions => {
  const { log, wire, say, config } = circuit;
  return {
    log,
    wire,
    lingerMs: config.lingerMs,
    onQuarantined: (stage, reason) => metrics.quarantined.inc({ stage, reason }),
    onUnreadable: (stage, record, reason) => {
      metrics.quarantined.inc({ stage, reason });
      say.error({ stage, offset: record.offset, reason }, "a record can't be read; it stays in the log");
    },
    onError: (stage, partition, error) => {
      metrics.errors.inc({ stage, code: error instanceof OperatingError ? error.code : "unexpected" });
      say.warn({ stage, partition, error: String(error) }, "a partition stopped and will be taken up again");
    },
  };
};
