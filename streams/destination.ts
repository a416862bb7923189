/** One destination as its configuration says: its adapter behind a circuit breaker, the sink that feeds it, and its audit repository. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Sink } from "./core/sink.ts";
import type { BodyOf } from "./core/stage.ts";
import { type DestinationConfig, openAdapter } from "./destination-kinds.ts";
import { openAuthorization } from "./io/authorization/authorization.ts";
import { fhirClient } from "./io/fhir/client.ts";
import { auditSink } from "./io/fhir-audit.ts";
import type { Adapter, ConsentCheck } from "./io/outbox/attempt.ts";
import { Breaker, type DestinationState } from "./io/outbox/breaker.ts";
import type { Pauses, Waiting } from "./io/outbox/pauses.ts";
import { type DestinationSink, outboxSink } from "./io/outbox/sink.ts";
import type { StandingOf } from "./io/outbox/standing.ts";
import type { deliveries } from "../schemas/topics.ts";

/** What every destination is opened with, whatever its kind. */
export interface DestinationPorts {
  /** Asked once more at the moment of each write. */
  readonly consent: ConsentCheck;
  readonly standingOf: StandingOf;
  /** Aborted when the role closes: a write on its way is given up at once, and comes again with the next start. */
  readonly signal: AbortSignal;
  readonly onState: (state: DestinationState) => void;
  readonly onAnswer: () => void;
  readonly onAuditRefused: (detail: string) => void;
}

export interface OpenDestination {
  readonly sink: DestinationSink;
  /** Takes AuditEvents to the destination's audit repository; null: none is configured. */
  readonly audit: Sink<BodyOf<typeof deliveries>> | null;
  /** Asks whether it answers at all, and tells `onAnswer` if so. */
  beat(): Promise<void>;
  close(): Promise<void>;
}

const realWaiting: Waiting = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
  random: Math.random,
};
const pauses: Pauses = { firstMs: 200, mostMs: 60_000 };
const triesMost = 7;
const failuresMost = 5;
const patienceMs = 10_000;
const aloneMostMs = 3_600_000;
const patientsAtOnce = 4;

/** Codes: `config-invalid`, `file-unreadable`. */
export const openDestination = async (config: DestinationConfig, ports: DestinationPorts): Promise<OpenDestination> => {
  const { name: destination, kind } = config;
  const { signal, onState, onAnswer } = ports;
  const adapter = await openAdapter(config, { signal });
  const breaker = new Breaker({ failuresMost, pauses, waiting: realWaiting, onState, onAnswer });
  const common = { destination, waiting: realWaiting, pauses, triesMost, signal };
  return {
    sink: outboxSink({
      ...common,
      name: `${kind}-${destination}`,
      adapter,
      breaker,
      consent: ports.consent,
      standingOf: ports.standingOf,
      patienceMs,
      aloneMostMs,
      patientsAtOnce: config.patientsAtOnce ?? patientsAtOnce,
    }),
    audit: await openAudit(config, common, ports.onAuditRefused),
    beat: () => beat(adapter, breaker, ports),
    close: () => adapter.close(),
  };
};

const beat = async (adapter: Adapter, breaker: Breaker, { signal, onAnswer }: DestinationPorts): Promise<void> => {
  if (!(await adapter.probe(signal))) return;
  onAnswer();
  breaker.heard();
};

const openAudit = async (
  { audit }: DestinationConfig,
  common: { destination: string; waiting: Waiting; pauses: Pauses; triesMost: number; signal: AbortSignal },
  onRefused: (detail: string) => void,
): Promise<OpenDestination["audit"]> => {
  if (audit === undefined) return null;
  const authorization = audit.auth === undefined ? undefined : await openAuthorization(audit.auth);
  const client = fhirClient({
    baseUrl: audit.baseUrl.replace(/\/+$/, ""),
    timeoutMs: 30_000,
    now: Date.now,
    authorization,
    signal: common.signal,
  });
  return auditSink({ ...common, client, onRefused: (_delivery, detail) => onRefused(detail) });
};
