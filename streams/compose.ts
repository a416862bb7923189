/** The composition root's hands: which log, registry, store and EHR a checked configuration means is decided here and nowhere else. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pino, { type Logger } from "pino";
import { Counter, Gauge, Registry } from "prom-client";
import { OperatingError } from "./core/failure.ts";
import type { Topology } from "./core/topology.ts";
import type { Wire } from "./core/wire.ts";
import { loadChartPolicies } from "./chart-policies.ts";
import { type Config, hasSpool } from "./config.ts";
import { consentReadingOf, hopsOf } from "./hops.ts";
import { loadAdapters } from "./io/device-adapters.ts";
import { confluentRegistry } from "./io/registry/confluent.ts";
import { localRegistry } from "./io/registry/local.ts";
import type { SchemaRegistry } from "./io/registry/registry.ts";
import { rememberedRegistry } from "./io/registry/remembered.ts";
import { openWire } from "./io/registry/wire.ts";
import { readRoster, type Roster } from "./io/roster-file.ts";
import { questdbSeries } from "./io/series/questdb.ts";
import type { SeriesStore } from "./io/series/series.ts";
import { sqliteSeries } from "./io/series/sqlite.ts";
import { kafkaLog } from "./log/kafka.ts";
import type { Log } from "./log/log.ts";
import type { SinkRunnerOptions } from "./log/sink-runner.ts";
import { sqliteLog } from "./log/sqlite.ts";
import { approveForDemo, parseRules } from "../topologies/rules.ts";
import type { GatePolicy } from "../topologies/gates.ts";
import { wardTopology } from "../topologies/ward.ts";
import { kafkaRetention, sqliteRetention } from "./retention.ts";
import type { Rule } from "../schemas/records/broadcast.ts";

/** What every role gets: the ports, and where to say what happens. */
export interface Platform {
  readonly config: Config;
  readonly log: Log;
  readonly wire: Wire;
  readonly topology: Topology;
  readonly metrics: Registry;
  readonly say: Logger;
  readonly running: SinkRunnerOptions;
  readonly counted: Counts;
  /** The log is away and its topics are not looked at yet: only for a listener that has a spool. */
  readonly logAway?: boolean;
  close(): Promise<void>;
}

export interface Counts {
  readonly received: Counter;
  readonly receivedBytes: Counter;
  readonly promoted: Counter<"outcome">;
}

const openLog = ({ log, data }: Config, topology: Topology): Log => {
  if (log.kind === "kafka")
    return kafkaLog({
      brokers: log.brokers,
      clientId: "afferent",
      configOf: kafkaRetention(topology.topics, log.keepDerivedHours),
    });
  return sqliteLog({ file: join(data, "log.sqlite"), retain: sqliteRetention(log.keepRecords) });
};

export const openRegistry = (config: Config): SchemaRegistry =>
  config.registry.kind === "local"
    ? localRegistry(join(config.data, "schemas.sqlite"))
    : confluentRegistry({ url: config.registry.url });

export const openSeries = (config: Config): Promise<SeriesStore> =>
  config.series.kind === "sqlite"
    ? sqliteSeries({ file: join(config.data, "series.sqlite"), keepHours: config.series.keepHours })
    : questdbSeries({ url: config.series.url });

/** The roster, or OperatingError `roster-invalid` with every problem and its place. */
export const loadRoster = async (file: string): Promise<Roster> => {
  const reading = readRoster(await text(file));
  if (!reading.ok)
    throw new OperatingError(reading.problem.reason, `${file}:\n${reading.problem.detail}`, { retry: false });
  return reading.value;
};

/** The rules of all configured files. Codes: `rules-invalid`, `file-unreadable`. */
export const loadRules = async (
  config: Pick<Config, "rules" | "allowPlainRules" | "demoApproval">,
): Promise<readonly Rule[]> => {
  const rules: Rule[] = [];
  for (const file of config.rules) {
    const parsed = parseRules(await text(file), { allowPlain: config.allowPlainRules });
    if (!parsed.ok) throw new OperatingError("rules-invalid", `${file}:\n${parsed.problem.detail}`, { retry: false });
    rules.push(...parsed.value);
  }
  return config.demoApproval ? approveForDemo(rules, demoApprovedAt) : rules;
};

const text = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("file-unreadable", `${file}: can't be read`, { retry: false, cause });
  });

/** The topology alone, for `graph` and `check`: nothing is opened. */
export const describeTopology = async (
  config: Pick<Config, "destinations" | "demoApproval" | "precedence" | "scores" | "consents">,
): Promise<Topology> => wardTopology(await loadAdapters(), await gatePolicyOf(config));

/** What the gates are asked by. */
export const gatePolicyOf = async (
  config: Pick<Config, "destinations" | "demoApproval" | "precedence" | "scores" | "consents">,
): Promise<GatePolicy> => ({
  ...(await loadChartPolicies(config, demoApprovedAt)),
  destinations: hopsOf(config),
  ...consentReadingOf(config),
  acceptDemoApprovals: config.demoApproval,
  clockUncertaintyMs,
});

/** How near an association's edge a sample's time is ambiguous (clinical.md 8). */
const clockUncertaintyMs = 2_000;
/** When the demo ward approved its examples; before anything that it measures. */
const demoApprovedAt = Date.UTC(2026, 0, 1);

export const openPlatform = async (config: Config, role: string): Promise<Platform> => {
  await mkdir(config.data, { recursive: true });
  const say = pino({ name: role, level: process.env["LOG_LEVEL"] ?? "info" }, pino.destination(2));
  const topology = await describeTopology(config);
  const log = openLog(config, topology);
  // a listener that starts while all else is down is the alert circuit's ear
  const startsAlone = role === "listen" && hasSpool(config) && config.speed === 1;
  const logAway = await log.ensure(topology.topics).then(
    () => false,
    (error: unknown) => {
      if (!(startsAlone && error instanceof OperatingError && error.retry)) throw error;
      say.error({ error: String(error) }, "the raw log is away at the start; the door opens with the spool alone");
      return true;
    },
  );
  const registry = startsAlone
    ? rememberedRegistry(openRegistry(config), join(config.data, "schema-ids.json"), (error) =>
        say.error({ error: String(error) }, "the schema registry is away; what it said before holds"),
      )
    : openRegistry(config);
  const wire = await openWire(registry, topology.topics);
  const metrics = new Registry();
  return {
    config,
    log,
    wire,
    topology,
    metrics,
    say,
    logAway,
    running: runnerOptions(config, log, wire, metrics, say),
    counted: {
      received: new Counter({
        name: "afferent_received_messages_total",
        help: "Messages durable in the raw log",
        registers: [metrics],
      }),
      receivedBytes: new Counter({
        name: "afferent_received_bytes_total",
        help: "Bytes durable in the raw log",
        registers: [metrics],
      }),
      promoted: new Counter({
        name: "afferent_deliveries_total",
        help: "Answers of destinations by outcome",
        labelNames: ["outcome"],
        registers: [metrics],
      }),
    },
    close: async () => {
      await log.close();
      await registry.close();
    },
  };
};

const runnerOptions = (config: Config, log: Log, wire: Wire, metrics: Registry, say: Logger): SinkRunnerOptions => {
  const registers = [metrics];
  const entries = new Gauge({
    name: "afferent_stage_next_offset",
    help: "Next offset that a stage or sink reads",
    labelNames: ["stage", "partition"],
    registers,
  });
  const quarantined = new Counter({
    name: "afferent_quarantined_total",
    help: "Refused input by stage and reason",
    labelNames: ["stage", "reason"],
    registers,
  });
  const errors = new Counter({
    name: "afferent_errors_total",
    help: "Operating errors by stage and code",
    labelNames: ["stage", "code"],
    registers,
  });
  return {
    log,
    wire,
    lingerMs: config.lingerMs,
    onProgress: (stage, partition, next) => entries.set({ stage, partition }, next),
    onQuarantined: (stage, reason) => quarantined.inc({ stage, reason }),
    onUnreadable: (sink, record, reason) => {
      quarantined.inc({ stage: sink, reason });
      say.error({ sink, offset: record.offset, reason }, "a record can't be read; it stays in the log");
    },
    onError: (stage, partition, error) => {
      errors.inc({ stage, code: error instanceof OperatingError ? error.code : "unexpected" });
      say.warn({ stage, partition, error: String(error) }, "a partition stopped and will be taken up again");
    },
  };
};
