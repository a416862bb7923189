/** The roster service on the full stack: where it hears ADT, what stays from one start to the next, and how it says that it is. */
import { join } from "node:path";
import type { Config } from "../streams/config.ts";
import { OperatingError } from "../streams/core/failure.ts";
import { type SimulatedRoster, simulatedRosterSection } from "../streams/roles/demo-roster.ts";
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

export const rosterDeployment = async (
  { data, ports }: StackConfig,
  beds: SimulatedRoster["beds"],
): Promise<RosterDeployment> => {
  const { apiPort, token } = await keptIn<Kept>(join(data, "roster", "kept.json"), async () => ({
    apiPort: Object.values(await freePorts())[0] ?? 0,
    token: makeSecret(),
  }));
  return {
    section: simulatedRosterSection({ beds, host, adtPort: ports.adt, apiPort, token }),
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
