/** Asks the alert circuit each second how it stands (`GET /status`), and remembers since when it has not answered. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { AlarmView, CircuitView } from "../../../schemas/board.ts";
import { bannerOf, modesOf } from "../../../schemas/degradation.ts";

const everyMs = 1_000;
const answerWithinMs = 2_000;
/** One answer that is lost is nothing to be alarmed at. */
const silentAfterMs = 3_000;
const alarmsMost = 100;
const nuisanceMost = 50;

const priority = z.enum(["low", "medium", "high"]);
const time = z.number();

/** What is read of a page; whatever else the circuit says stays there. */
const page = z.object({
  identity: z.string(),
  unit: z.string(),
  bed: z.string().nullable(),
  bedSince: time.nullable(),
  bedConfirmed: z.boolean(),
  device: z.string(),
  text: z.string(),
  priority,
  onset: time,
  state: z.enum(["escalating", "accepted", "over"]),
  latched: z.boolean(),
  lastResort: z.boolean(),
  nextAt: time.nullable(),
  acceptedBy: z.string().nullable(),
  responsibilities: z.array(
    z.object({
      recipient: z.string(),
      state: z.enum(["pending", "accepted", "rejected", "noAnswer", "undeliverable"]),
      since: time,
    }),
  ),
  raisedAt: time,
  test: z.boolean(),
});

const nuisance = z.object({
  unit: z.string(),
  bed: z.string().nullable(),
  source: z.enum(["rule", "device", "technical"]),
  what: z.string(),
  alarms: z.number(),
  selfEnded: z.number(),
  durationMs: z.number(),
  delayMs: z.number(),
});

const status = z.object({
  now: time,
  audit: z.array(z.object({ detail: z.string() })),
  banner: z.object({ text: z.string(), priority }).nullable(),
  openPages: z.array(page),
  nuisance: z.array(nuisance),
});

type Status = z.infer<typeof status>;

export interface FollowedCircuit {
  /** By the wall clock, ms. */
  view(nowMs: number): CircuitView;
  /** Resolves after the signal has fired. */
  readonly done: Promise<void>;
}

/** Follows the circuit at `url` until the signal fires. Never rejects: that it does not answer is what is shown. */
export const followCircuit = (url: string, now: () => number, signal: AbortSignal): FollowedCircuit => {
  let last: Status | null = null;
  let answeredAt = now();
  let why = "not asked yet";
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        last = await ask(url, signal);
        answeredAt = now();
      } catch (error) {
        why = reasonOf(error);
      }
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  return {
    done: follow(),
    view: (nowMs) => {
      const passed = Math.max(0, nowMs - answeredAt);
      return viewOf(last, passed, passed > silentAfterMs ? { since: answeredAt, why } : null);
    },
  };
};

const ask = async (url: string, signal: AbortSignal): Promise<Status> => {
  const response = await fetch(new URL("/status", url), {
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`it answers ${response.status}`);
  return status.parse(JSON.parse(text));
};

const reasonOf = (error: unknown): string => {
  if (error instanceof z.ZodError) return `what it answers is not understood: ${error.issues[0]?.path.join(".")}`;
  if (error instanceof SyntaxError) return "what it answers is no JSON";
  if (error instanceof Error && error.name === "TimeoutError") return `no answer within ${answerWithinMs / 1_000} s`;
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  return code ?? (error as Error).message;
};

const rank = { high: 0, medium: 1, low: 2 } as const;

const gravestFirst = (a: AlarmView, b: AlarmView): number =>
  rank[a.priority] - rank[b.priority] || (a.state === b.state ? a.onset - b.onset : a.state === "escalating" ? -1 : 1);

/** Silent, what everybody must know is what the table of degradation says of a circuit that is down; the circuit cannot say it itself. */
const viewOf = (last: Status | null, passedMs: number, silent: CircuitView["silent"]): CircuitView => {
  const alarms = (last?.openPages ?? []).flatMap(alarmOf).sort(gravestFirst);
  const down = bannerOf(modesOf({ down: ["circuit"], notifiers: [] }));
  return {
    silent,
    now: last === null ? 0 : last.now + passedMs,
    failures: last?.audit.map(({ detail }) => detail) ?? [],
    banner: silent === null ? (last?.banner ?? null) : down,
    alarms: alarms.slice(0, alarmsMost),
    open: alarms.length,
    nuisance: last?.nuisance.slice(0, nuisanceMost) ?? [],
  };
};

const alarmOf = ({ state, test, responsibilities: told, ...rest }: Status["openPages"][number]): AlarmView[] =>
  state === "over" || test ? [] : [{ ...rest, state, told }];
