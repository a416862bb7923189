/**
 * The roster service beside a simulated ward, for whoever tries it: it hears ADT on this machine, and the ward's devices stay the roster file's, but for the
 * one that the file links to nobody. Nobody feeds it by itself, so its silence is no fault here.
 */
import type { Config } from "../config.ts";
import { patientSystem } from "../sim/ward/roster.ts";

export interface SimulatedRoster {
  /** Of the simulated ward; ADT calls them by unit and bed: `ICU^^B03`. */
  readonly beds: readonly { readonly bed: string; readonly unit: string }[];
  readonly host: "127.0.0.1";
  readonly adtPort: number;
  readonly apiPort: number;
  readonly token: string;
}

/** As ADT calls who gave the simulated patients their numbers (PID-3: `SIM-0001^^^SIM^MR`). */
const namespace = "SIM";

/** The configuration's section. */
export const simulatedRosterSection = ({
  beds,
  host,
  adtPort,
  apiPort,
  token,
}: SimulatedRoster): NonNullable<Config["rosterService"]> => ({
  authorities: [{ namespace, system: patientSystem, type: "MR", destinations: ["ehr"] }],
  locations: Object.fromEntries(beds.map(({ bed, unit }) => [`${unit}^^${bed}`, bed])),
  mllp: { host, port: adtPort, zone: "UTC", processingId: "P", silentAfterMs: null },
  api: { host, port: apiPort, token },
});
