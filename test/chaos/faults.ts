/** Which fault strikes whom, and when: drawn from a seed, so that a run that fails can be drawn again. */
import { random, type Random } from "../../streams/sim/random.ts";

export type Strike =
  | { readonly what: "kill"; readonly target: string; readonly forMs: number }
  | { readonly what: "hang"; readonly target: string; readonly forMs: number }
  | { readonly what: "lose acks"; readonly target: string; readonly to: string; readonly count: number }
  | { readonly what: "rolling restart"; readonly target: "all roles" }
  | { readonly what: "changed stage"; readonly target: "all roles" };

export type Fault = Strike & { readonly atMs: number };

export interface Targets {
  readonly roles: readonly string[];
  readonly servers: readonly string[];
  /** Proxies by name, with the requests whose answers can be lost. */
  readonly proxies: Readonly<Record<string, readonly string[]>>;
}

/** A consumer group takes a member for dead after this (streams/log/kafka-group.ts): what hangs longer comes back as a zombie. */
const sessionMs = 6_000;
/** No fault before the platform runs smoothly, and none that has no load after it. */
const quietAtStartMs = 8_000;
const quietAtEndMs = 12_000;

/** One of every kind for every target. */
const deck = ({ roles, servers, proxies }: Targets, draw: Random): Strike[] => {
  const ms = (low: number, high: number): number => Math.round(draw.between(low, high));
  return [
    ...roles.flatMap((target): Strike[] => [
      { what: "kill", target, forMs: ms(0, 3_000) },
      { what: "hang", target, forMs: ms(500, sessionMs - 1_500) },
      { what: "hang", target, forMs: ms(sessionMs + 1_500, 2.5 * sessionMs) },
    ]),
    ...servers.flatMap((target): Strike[] => [
      { what: "kill", target, forMs: ms(0, 6_000) },
      { what: "hang", target, forMs: ms(1_000, 12_000) },
    ]),
    ...Object.entries(proxies).flatMap(([target, requests]) =>
      requests.map((to): Strike => ({ what: "lose acks", target, to, count: Math.ceil(draw.between(0, 4)) })),
    ),
    { what: "rolling restart", target: "all roles" },
  ];
};

/** A new version of a stage. */
const deployment: Strike = { what: "changed stage", target: "all roles" };

const shuffled = <T>(items: readonly T[], draw: Random): T[] =>
  items
    .map((item) => ({ item, at: draw.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** So many faults over so long, in the order of their times; all of a deck before any of the next. */
export const drawFaults = (seed: number, count: number, lastsMs: number, targets: Targets): Fault[] => {
  const draw = random(seed, "faults");
  const strikes: Strike[] = [];
  // a stage changes once
  while (strikes.length < count)
    strikes.push(...shuffled([...deck(targets, draw), ...(strikes.length === 0 ? [deployment] : [])], draw));
  const spanMs = lastsMs - quietAtStartMs - quietAtEndMs;
  return strikes
    .slice(0, count)
    .map((strike, i) => ({ ...strike, atMs: Math.round(quietAtStartMs + ((i + draw.next()) * spanMs) / count) }));
};

export const describeFault = (fault: Strike): string => {
  switch (fault.what) {
    case "kill":
      return `SIGKILL ${fault.target}, started again after ${seconds(fault.forMs)}`;
    case "hang":
      return `SIGSTOP ${fault.target} for ${seconds(fault.forMs)}${fault.forMs > sessionMs ? ", longer than a session" : ""}`;
    case "lose acks":
      return `${fault.target} loses ${fault.count} answer(s) to ${fault.to} after they took effect`;
    case "rolling restart":
      return "rolling restart of every role, one after another";
    case "changed stage":
      return "another build, with a changed stage, takes over: process-1, and process-2 once the new version steps every partition";
  }
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
