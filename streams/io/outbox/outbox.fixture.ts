/** For tests of destinations: intents as the outbox has them, and time that passes when nothing else is left to do. */
import { type Intent, writesAlone } from "../../../schemas/records/clinical.ts";
import { outbox } from "../../../schemas/topics.ts";
import type { BodyOf, Entry } from "../../core/stage.ts";
import { logTime } from "../../core/time.ts";
import { type Adapter, type ConsentCheck, type Outcome, unsettled, type Unsettled } from "./attempt.ts";
import { Breaker, type DestinationState } from "./breaker.ts";
import type { Waiting } from "./pauses.ts";
import { type DestinationSink, outboxSink, type OutboxSinkOptions } from "./sink.ts";
import { nothingStands } from "./standing.ts";

export const anIntent = (change: Partial<Intent> = {}): Intent => ({
  kind: "intent",
  ...writesAlone,
  identity: "5d1f8c3a90b27e64a1c05b7e2f9d3846",
  revision: 0,
  patientKey: "pk-7",
  destination: "ehr",
  resourceType: "Observation",
  resourceId: "ep-7",
  resource: JSON.stringify({ resourceType: "Observation", id: "ep-7", subject: { reference: "Patient/p-0007" } }),
  at: logTime(0),
  ...change,
});

export const entriesOf = (intents: readonly Intent[], from = 0): Entry<BodyOf<typeof outbox>>[] =>
  intents.map((body, n) => ({
    key: body.patientKey,
    logTime: logTime(1_000 + n),
    offset: from + n,
    partition: 0,
    topic: outbox.name,
    body,
  }));

/** What a sink says back, as `offset outcome detail`; a task as `offset task reason`. */
export const written = async (sink: DestinationSink, intents: readonly Intent[], from = 0): Promise<string[]> =>
  (await sink.write(entriesOf(intents, from))).map(({ offset, body }) =>
    body.kind === "delivery"
      ? `${offset} ${body.outcome} ${body.detail}`
      : `${offset} ${body.kind} ${body.kind === "task" ? body.reason : ""}`,
  );

export const permit: ConsentCheck = () => Promise.resolve({ passed: true, reason: "passed", detail: "" });
export const never = new AbortController().signal;

/** A clock that jumps to whoever sleeps the shortest once nothing else runs. Chance is what the test says. */
export class VirtualTime implements Waiting {
  #now = 0;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  #ticking = false;
  readonly #chance: () => number;

  constructor(chance: () => number = () => 0.5) {
    this.#chance = chance;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.#chance();
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        reject(signal.reason);
      });
      this.#tick();
    });
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    setImmediate(() => {
      this.#ticking = false;
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) return;
      this.#sleepers = this.#sleepers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      if (this.#sleepers.length > 0) this.#tick();
    });
  }
}

export const took: Outcome = { outcome: "written", detail: "taken", versionId: null };
export const away: Unsettled = unsettled("unsure", "no answer");

export interface Scripted {
  readonly adapter: Adapter;
  /** What reached it, as `resourceId/revision`. */
  readonly came: string[];
}

/** A destination that answers as a test says; `withheld` is asked first, as every adapter does. */
export const scripted = (
  answer: (intent: Intent) => Outcome | Unsettled | Promise<Outcome | Unsettled>,
  change: Partial<Adapter> = {},
): Scripted => {
  const came: string[] = [];
  return {
    came,
    adapter: {
      readsBack: false,
      async attempt(intent, { withheld }) {
        const refusal = await withheld();
        if (refusal !== null) return refusal;
        came.push(`${intent.resourceId}/${intent.revision}`);
        return answer(intent);
      },
      probe: () => Promise.resolve(true),
      close: () => Promise.resolve(),
      ...change,
    },
  };
};

export interface TestSink {
  readonly sink: DestinationSink;
  readonly states: DestinationState[];
}

export const sinkTo = (adapter: Adapter, change: Partial<OutboxSinkOptions> = {}): TestSink => {
  const states: DestinationState[] = [];
  const waiting = change.waiting ?? new VirtualTime();
  const pauses = change.pauses ?? { firstMs: 200, mostMs: 60_000 };
  const breaker = new Breaker({
    failuresMost: 5,
    pauses,
    waiting,
    onState: (state) => states.push(state),
    onAnswer: () => undefined,
  });
  const sink = outboxSink({
    name: "test-ehr",
    destination: "ehr",
    adapter,
    breaker,
    consent: permit,
    standingOf: () => Promise.resolve(nothingStands),
    waiting,
    pauses,
    triesMost: 7,
    patienceMs: 10_000,
    aloneMostMs: 3_600_000,
    patientsAtOnce: 4,
    signal: never,
    ...change,
  });
  return { sink, states };
};

/** As the sink runner does: the same entries again until they are settled. */
export const untilWritten = async (sink: DestinationSink, intents: readonly Intent[], from = 0): Promise<string[]> => {
  for (let calls = 0; ; calls++) {
    try {
      return await written(sink, intents, from);
    } catch (error) {
      if (calls > 10_000 || (error as { retry?: boolean }).retry !== true) throw error;
    }
  }
};
