/** The alert circuit's topology: from what devices sent to what people are told, over its own log and with nothing else. */
import { topology, type Topology } from "../streams/core/topology.ts";
import type { DeviceAdapter } from "../schemas/devices/adapter.ts";
import { alarms } from "./alarms.ts";
import { normalise } from "./normalise.ts";
import { paging } from "./paging.ts";
import { thresholds } from "./thresholds.ts";

/**
 * The role appends readings, roster and rules to `telemetry.raw`, and what people, notifiers and hops say to `alert.alarms`; it takes
 * `alert.notifications` from its end.
 */
export const circuitTopology = (adapters: ReadonlyMap<string, DeviceAdapter>): Topology =>
  topology([normalise(adapters), thresholds, alarms, paging]);
