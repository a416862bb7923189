/** The composition root of the alert circuit: which log, which registry and which notifiers its configuration means is decided here. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import pino, { type Logger } from "pino";
import { Registry } from "prom-client";
import type { AlertConfig } from "./alert-config.ts";
import type { Topology } from "./core/topology.ts";
import type { Wire } from "./core/wire.ts";
import { loadAdapters } from "./io/device-adapters.ts";
import type { Notifier } from "./io/notify/notifier.ts";
import { openNotifiers } from "./io/notify/open.ts";
import { localRegistry } from "./io/registry/local.ts";
import { openWire } from "./io/registry/wire.ts";
import type { Log } from "./log/log.ts";
import { sqliteLog } from "./log/sqlite.ts";
import { closeAll } from "./roles/running.ts";
import { circuitTopology } from "../topologies/circuit.ts";

/** What the circuit runs on. */
export interface Circuit {
  readonly config: AlertConfig;
  readonly log: Log;
  readonly wire: Wire;
  readonly topology: Topology;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly metrics: Registry;
  readonly say: Logger;
  close(): Promise<void>;
}

/** What people were told and said is kept; the rest can be made again, or is old. */
const isKept = (topic: string): boolean => topic.startsWith("alert.");

export const describeCircuit = async (): Promise<Topology> => circuitTopology(await loadAdapters());

/** There is always a console: it is told where no policy names anybody else. Codes: `log-unavailable`, `schema-incompatible`, `config-invalid` for a notifier's settings. */
export const openCircuit = async (config: AlertConfig): Promise<Circuit> => {
  await mkdir(config.data, { recursive: true });
  const say = pino({ name: "alert", level: process.env["LOG_LEVEL"] ?? "info" }, pino.destination(2));
  const topology = await describeCircuit();
  const closing: (() => Promise<void>)[] = [];
  try {
    const notifiers = await openNotifiers({ console: { kind: "console" }, ...config.notifiers });
    closing.push(...[...notifiers.values()].map((notifier) => () => notifier.close()));
    const log = sqliteLog({
      file: join(config.data, "circuit.sqlite"),
      retain: (topic) => (isKept(topic) ? undefined : config.keepRecords),
    });
    closing.push(() => log.close());
    await log.ensure(topology.topics.map(({ name, partitions }) => ({ name, partitions })));
    const registry = localRegistry(join(config.data, "schemas.sqlite"));
    closing.push(() => registry.close());
    const wire = await openWire(registry, topology.topics);
    const metrics = new Registry();
    return { config, log, wire, topology, notifiers, metrics, say, close: () => closeAll(closing) };
  } catch (error) {
    await closeAll(closing).catch(() => undefined); // what it could not be opened for is what counts
    throw error;
  }
};
