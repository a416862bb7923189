/**
 * A child of the bench: measurements that cross a limit, each of another patient, go through thresholds, candidates and gates and are written to
 * an EHR, by the real stages, runners and destination over the memory log. `cost`: all at once; CPU from the first record that the gates decode
 * to the last answer, the stages before them having been run already. `latency`: so many a second; from the measurement's append to the EHR's
 * answer. Prints one line of JSON.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Counter, Registry } from "prom-client";
import { aConsent, aPatient, aRule, anAssociation } from "../../schemas/fhir/clinical.fixture.ts";
import { type Patient, usualClockUncertaintyMs } from "../../schemas/records/roster.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import { deliveries, events, vitals } from "../../schemas/topics.ts";
import type { Platform } from "../../streams/compose.ts";
import { partitionOf } from "../../streams/core/hash.ts";
import { eventTime, logTime, receivedTime } from "../../streams/core/time.ts";
import type { Body, Topic } from "../../streams/core/topic.ts";
import type { Wire } from "../../streams/core/wire.ts";
import { seedPatients } from "../../streams/io/fhir/patients.ts";
import { localRegistry } from "../../streams/io/registry/local.ts";
import { openWire } from "../../streams/io/registry/wire.ts";
import { memoryLog } from "../../streams/log/memory.ts";
import { runStage } from "../../streams/log/stage-runner.ts";
import { runPromotion } from "../../streams/roles/promote.ts";
import { wardTopology } from "../../topologies/ward.ts";

/** What the child found, on its standard output. */
export interface PromotionRun {
  readonly written: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly cpuS: number;
  readonly wallS: number;
  /** Of each, in ms; empty for `cost`. */
  readonly latencies: readonly number[];
}

const [mode = "cost", baseUrl = "", count = "1000", perSecond = "20"] = process.argv.slice(2);
const promotions = Number(count);
const begunMs = Date.now();
const hourMs = 3_600_000;

const patients: readonly Patient[] = Array.from({ length: promotions }, (_, n) =>
  aPatient({
    patientKey: `pk-bench-${n}`,
    fhirId: `p-bench-${mode === "cost" ? n : n % 20}`,
    encounterFhirId: null,
    identifierValue: `bench-${n}`,
  }),
);
const rule = {
  ...aRule(),
  minimumMs: 0,
  clearMs: 0,
  clear: null,
  plain: false,
  approval: { by: "Dr. Ada Brandt", at: begunMs - hourMs, demo: false },
};

const linkOf = (n: number) =>
  anAssociation({
    id: `link-${n}`,
    device: `mon-${n}`,
    subject: `subject-${n}`,
    patientKey: `pk-bench-${n}`,
    from: begunMs - hourMs,
    confirmedAt: begunMs - hourMs,
  });

/** 180 /min, over the limit of 120. */
const crossing = (n: number): Measurement => ({
  kind: "measurement",
  identity: `bench-${begunMs}-${n}`,
  subject: `subject-${n}`,
  association: `link-${n}`,
  associationRevision: 1,
  device: `mon-${n}`,
  channel: "ecg",
  metric: "heartRate",
  mdc: 147842,
  loinc: "8867-4",
  ucum: "/min",
  value: 180,
  validity: "valid",
  evidence: null,
  deviceTime: null,
  receivedTime: receivedTime(Date.now()),
  eventTime: eventTime(Date.now()),
  clockUncertaintyMs: usualClockUncertaintyMs,
  periodMs: 1_000,
  ordinal: 0,
  revision: 0,
  companions: [],
});

const topology = wardTopology(new Map(), {
  destinations: [{ name: "ehr", finalAtEnd: true }],
  acceptDemoApprovals: false,
  clockUncertaintyMs: usualClockUncertaintyMs,
});
const log = memoryLog();
const bare = await openWire(localRegistry(":memory:"), topology.topics);
await log.ensure(topology.topics);

const appendedAt = new Map<string, number>();
const latencies: number[] = [];
const outcomes: Record<string, number> = {};
const all = Promise.withResolvers<void>();
let begun: { readonly cpu: NodeJS.CpuUsage; readonly atMs: number } | undefined;
let ended: { readonly cpu: NodeJS.CpuUsage; readonly atMs: number } | undefined;
let answers = 0;

const wire: Wire = {
  ...bare,
  decode: (topic, bytes) => bare.decode(topic, bytes),
  learn: (id) => bare.learn(id),
  encode(topic, envelope, ...rest) {
    const { body } = envelope as { body: Body & { patientKey?: string; outcome?: string } };
    if (topic.name === deliveries.name && body.kind === "delivery") {
      outcomes[body.outcome ?? ""] = (outcomes[body.outcome ?? ""] ?? 0) + 1;
      latencies.push(performance.now() - (appendedAt.get(body.patientKey ?? "") ?? Number.NaN));
      if (++answers === promotions) {
        ended = { cpu: process.cpuUsage(begun?.cpu), atMs: performance.now() };
        all.resolve();
      }
    }
    return bare.encode(topic, envelope, ...rest);
  },
};

const appender = await log.appender("bench");
const append = <B extends Body>(topic: Topic<B>, key: string, body: B, at = Date.now()): Promise<void> =>
  appender.append([
    {
      topic: topic.name,
      partition: partitionOf(key, topic.partitions),
      key,
      value: bare.encode(topic, { position: null, logTime: logTime(at), body }),
    },
  ]);

for (let partition = 0; partition < vitals.partitions; partition++)
  await appender.append([
    {
      topic: vitals.name,
      partition,
      key: "",
      value: bare.encode(vitals, {
        position: null,
        logTime: logTime(begunMs),
        body: { kind: "rules", version: 1, effectiveFrom: logTime(begunMs - hourMs), rules: [rule] },
      }),
    },
  ]);
for (const [n, patient] of patients.entries()) {
  const { patientKey } = patient;
  await append(events, patientKey, patient);
  await append(
    events,
    patientKey,
    aConsent({ id: `consent-${n}`, patientKey, from: begunMs - hourMs, recordedAt: begunMs - hourMs }),
  );
  await append(vitals, `subject-${n}`, linkOf(n));
}
if (mode === "latency") await seedPatients(baseUrl, patients.slice(0, 20));

const running = {
  log,
  wire,
  lingerMs: 0,
  onUnreadable: () => undefined,
  onError: (...told: unknown[]) => console.error(...told),
};
const named = (...names: readonly string[]) => topology.stages.filter(({ name }) => names.includes(name));
const before = await Promise.all(
  named("thresholds", "candidates", "patient-values").map((one) => runStage(one, topology, running)),
);

const cross = async (n: number): Promise<void> => {
  appendedAt.set(`pk-bench-${n}`, performance.now());
  await append(vitals, `subject-${n}`, crossing(n));
};
const promote = async () => {
  const gates = await Promise.all(named("gates").map((one) => runStage(one, topology, running)));
  const promotion = await runPromotion({
    config: { speed: 1, destinations: [{ name: "ehr", kind: "fhir", baseUrl, finalAtEnd: true }] },
    log,
    wire,
    metrics: new Registry(),
    say: { error: console.error, warn: console.error },
    running,
    counted: { promoted: new Counter({ name: "promoted", help: "told", labelNames: ["outcome"], registers: [] }) },
  } as unknown as Platform);
  return [...gates, promotion];
};

const offsets = async (): Promise<number> =>
  (await Promise.all([0, 1].map((p) => log.bounds(events.name, p)))).reduce((sum, { end }) => sum + end, 0);

const runs: { close(): Promise<void> }[] = [...before];
if (mode === "cost") {
  for (let n = 0; n < promotions; n++) await cross(n);
  while ((await offsets()) < 3 * promotions) await sleep(50);
  begun = { cpu: process.cpuUsage(), atMs: performance.now() };
  runs.push(...(await promote()));
} else {
  begun = { cpu: process.cpuUsage(), atMs: performance.now() };
  runs.push(...(await promote()));
  const startMs = performance.now();
  for (let n = 0; n < promotions; n++) {
    await sleep(Math.max(0, startMs + (n * 1000) / Number(perSecond) - performance.now()));
    await cross(n);
  }
}
await all.promise;
for (const one of runs.toReversed()) await one.close();
await log.close();
const cpu = ended?.cpu ?? { user: Number.NaN, system: Number.NaN };
const found: PromotionRun = {
  written: outcomes["written"] ?? 0,
  outcomes,
  cpuS: (cpu.user + cpu.system) / 1e6,
  wallS: ((ended?.atMs ?? Number.NaN) - (begun?.atMs ?? 0)) / 1000,
  latencies: mode === "cost" ? [] : latencies,
};
process.stdout.write(`${JSON.stringify(found)}\n`);
