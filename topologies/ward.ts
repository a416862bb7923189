/** The whole topology: from what devices sent to what destinations are to be told. */
import { topology, type Topology } from "../streams/core/topology.ts";
import type { DeviceAdapter } from "../schemas/devices/adapter.ts";
import { deliveries } from "../schemas/topics.ts";
import { candidates } from "./candidates.ts";
import { gates, type GatePolicy } from "./gates.ts";
import { normalise, normaliseWaveforms } from "./normalise.ts";
import { patientValues } from "./patient-values.ts";
import { reports } from "./reports.ts";
import { dialysisSessions } from "./sessions.ts";
import { thresholds } from "./thresholds.ts";
import { windows } from "./windows.ts";

export const wardTopology = (adapters: ReadonlyMap<string, DeviceAdapter>, policy: GatePolicy): Topology =>
  topology(
    [
      normalise(adapters),
      normaliseWaveforms(adapters),
      windows,
      thresholds,
      candidates,
      patientValues(policy.precedence ?? null),
      dialysisSessions,
      gates(policy),
      reports(policy),
    ],
    [deliveries],
  );
