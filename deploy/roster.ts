/**
 * The roster service on the full stack: it hears ADT on this machine, for whoever tries it; the ward's devices stay the roster file's, but for the one that
 * the file links to nobody. Nobody feeds it by itself, so its silence is no fault here.
 */
import { join } from "node:path";
import type { Config } from "../streams/config.ts";
import { OperatingError } from "../streams/core/failure.ts";
import { patientSystem } from "../streams/sim/ward/roster.ts";
import { host, portVariable, type StackConfig } from "./config.ts";
import { keptIn, makeSecret } from "./kept.ts";
import { freePorts, isFree } from "./ports.ts";

export interface RosterDeployment {
  /** The configuration's section. */
  readonly section: NonNullable<Config["rosterService"]>;
  /** Where ADT is sent to. */
  readonly adtUrl: string;
  /** `host:port` at which it serves its interface and its numbers. */
  readonly apiAt: string;
}

interface Kept {
  readonly apiPort: number;
  readonly token: string;
}

/** As ADT calls who gave the simulated patients their numbers (PID-3: `SIM-0001^^^SIM^MR`). */
const namespace = "SIM";

/** `beds`: of the simulated ward. ADT calls them by unit and bed: `ICU^^B03`. */
export const rosterDeployment = async (
  { data, ports }: StackConfig,
  beds: readonly { readonly bed: string; readonly unit: string }[],
): Promise<RosterDeployment> => {
  const { apiPort, token } = await keptIn<Kept>(join(data, "roster", "kept.json"), async () => ({
    apiPort: Object.values(await freePorts())[0] ?? 0,
    token: makeSecret(),
  }));
  return {
    section: {
      authorities: [{ namespace, system: patientSystem, type: "MR", destinations: ["ehr"] }],
      locations: Object.fromEntries(beds.map(({ bed, unit }) => [`${unit}^^${bed}`, bed])),
      mllp: { host, port: ports.adt, zone: "UTC", processingId: "P", silentAfterMs: null },
      api: { host, port: apiPort, token },
    },
    adtUrl: `mllp://${host}:${ports.adt}`,
    apiAt: `${host}:${apiPort}`,
  };
};

/** Codes: `port-taken`, with the way out; before anything is started for nothing. */
export const checkAdtPort = async ({ ports }: StackConfig): Promise<void> => {
  if (await isFree(ports.adt)) return;
  throw new OperatingError(
    "port-taken",
    `roster: port ${ports.adt} is taken by a process that this stack did not start; end that, or set ${portVariable("adt")}`,
    { retry: false },
  );
};

const healthMs_max = 2_000;

/** What it says of itself: what waits, and what is off since when; "does not answer" where it says nothing. */
export const rosterHealth = async (apiAt: string): Promise<string> => {
  try {
    const answer = await fetch(`http://${apiAt}/health`, { signal: AbortSignal.timeout(healthMs_max) });
    return ((await answer.json()) as { readonly detail: string }).detail;
  } catch {
    return "does not answer";
  }
};
