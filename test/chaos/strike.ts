/** Lets the faults loose at their times. Faults of different targets overlap; those of one target wait for each other. */
import { setTimeout as sleep } from "node:timers/promises";
import { describeFault, type Fault, type Strike } from "./faults.ts";
import type { LossyProxy } from "./proxy.ts";
import type { Supervised } from "./supervised.ts";

export interface Struck {
  readonly fault: Fault;
  /** Since the start of the load: when it struck, and when its target ran again. */
  readonly struckMs: number;
  readonly healedMs: number;
}

export interface Field {
  readonly processes: readonly Supervised[];
  /** Restarts the roles that run the stages with the other build. `inTurn` waits for what strikes a role already. */
  readonly deploy: (inTurn: InTurn, tell: (line: string) => void) => Promise<void>;
  readonly proxies: Readonly<Record<string, LossyProxy>>;
  readonly tell: (line: string) => void;
}

/** Acts on one target after what strikes it already. */
export type InTurn = <T>(name: string, act: () => Promise<T>) => Promise<T>;

/** Resolves when every fault is healed. Rejects when a target can't be brought back. */
export const strikeAll = async (
  faults: readonly Fault[],
  { processes, proxies, deploy, tell }: Field,
): Promise<Struck[]> => {
  const began = performance.now();
  const sinceMs = (): number => Math.round(performance.now() - began);
  const busy = new Map<string, Promise<unknown>>();
  const process = (name: string): Supervised => {
    const found = processes.find((candidate) => candidate.name === name);
    if (found === undefined) throw new RangeError(`nothing is called ${name}`);
    return found;
  };
  const inTurn: InTurn = (name, act) => {
    const turn = (busy.get(name) ?? Promise.resolve()).then(act);
    busy.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  };
  const act = async (strike: Strike): Promise<number> => {
    switch (strike.what) {
      case "kill":
      case "hang":
        return inTurn(strike.target, async () => {
          const struckMs = sinceMs();
          tell(`${describeFault(strike)}`);
          await process(strike.target)[strike.what](strike.forMs);
          return struckMs;
        });
      case "lose acks":
        tell(describeFault(strike));
        proxies[strike.target]?.lose(strike.to, strike.count);
        return sinceMs();
      case "rolling restart": {
        const struckMs = sinceMs();
        tell(describeFault(strike));
        for (const role of processes.filter(({ kind }) => kind === "role"))
          await inTurn(role.name, () => role.restart());
        return struckMs;
      }
      case "changed stage": {
        const struckMs = sinceMs();
        tell(describeFault(strike));
        await deploy(inTurn, tell);
        tell("no old build runs any more");
        return struckMs;
      }
    }
  };
  return Promise.all(
    faults.map(async (fault): Promise<Struck> => {
      await sleep(Math.max(0, fault.atMs - sinceMs()));
      const struckMs = await act(fault);
      return { fault, struckMs, healedMs: sinceMs() };
    }),
  );
};
