/**
 * A ward's afternoon in a log in memory, always the same to the byte: monitors and a dialysis machine, each but one with a crossing of its
 * limit, through the real topology, stage by stage. One crossing passes all gates, each other one fails one.
 */
import { partitionOf } from "../../streams/core/hash.ts";
import type { AnyTopic } from "../../streams/core/stage.ts";
import { type InputRecord, Task } from "../../streams/core/task.ts";
import { type LogTime, logTime, receivedTime } from "../../streams/core/time.ts";
import type { Topology } from "../../streams/core/topology.ts";
import type { Body } from "../../streams/core/topic.ts";
import type { Wire } from "../../streams/core/wire.ts";
import { loadAdapters } from "../../streams/io/device-adapters.ts";
import { localRegistry } from "../../streams/io/registry/local.ts";
import { openWire } from "../../streams/io/registry/wire.ts";
import { decodeAll } from "../../streams/log/decode.ts";
import type { Log, LogRecord } from "../../streams/log/log.ts";
import { memoryLog } from "../../streams/log/memory.ts";
import { aConsent, anAssociation, aPatient, aRule } from "../../schemas/fhir/clinical.fixture.ts";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Delivery, Intent } from "../../schemas/records/clinical.ts";
import type { Consent } from "../../schemas/records/consent.ts";
import type { Association, Device } from "../../schemas/records/roster.ts";
import { decisions, deliveries, events, outbox, raw, rawWaveforms, tasks } from "../../schemas/topics.ts";
import type { GatePolicy } from "../../topologies/gates.ts";
import { policyOf } from "../../topologies/gates.fixture.ts";
import { shippedPrecedence } from "../../topologies/shipped.fixture.ts";
import { wardTopology } from "../../topologies/ward.ts";

/** 2026-11-21T14:00:00Z */
export const startMs = 1_795_269_600_000;
const lastS = 240;
const crossing = { fromS: 60, toS: 110 } as const;
/** By then the minute of the charted source is known. */
const crossingBeside = { fromS: 150, toS: 200 } as const;

/** A bed: its device, what it measures, and what is wrong with it. */
export interface Bed {
  readonly device: string;
  readonly model: "sim-monitor" | "sim-dialysis";
  readonly link: Partial<Association>;
  readonly consent: "permit" | "deny";
}

export const beds = {
  promoted: { device: "mon-01", model: "sim-monitor", link: {}, consent: "permit" },
  /** Breathes too fast, and nobody approved that rule. */
  unapproved: { device: "mon-02", model: "sim-monitor", link: {}, consent: "permit" },
  /** A metric without any code. */
  uncoded: { device: "hd-03", model: "sim-dialysis", link: {}, consent: "permit" },
  unconfirmed: {
    device: "mon-04",
    model: "sim-monitor",
    link: { confirmedBy: null, confirmedAt: null },
    consent: "permit",
  },
  denied: { device: "mon-05", model: "sim-monitor", link: {}, consent: "deny" },
  /** Measures the same patient as the next one, and its heart rate is what the chart shows. */
  charted: { device: "mon-06", model: "sim-monitor", link: {}, consent: "permit" },
  beside: { device: "spot-06", model: "sim-monitor", link: { patientKey: "pk-mon-06" }, consent: "permit" },
} as const satisfies Record<string, Bed>;

const keyOf = ({ device, link }: Bed): string => link.patientKey ?? `pk-${device}`;

const rules: readonly Rule[] = [
  aRule({ units: [] }),
  aRule({
    id: "resp-high",
    title: "Respiratory rate high",
    metric: "respiratoryRate",
    limit: 30,
    clear: 27,
    units: [],
    approval: null,
  }),
  aRule({
    id: "venous-high",
    title: "Venous pressure high",
    metric: "dialysisVenousPressure",
    ucum: "mm[Hg]",
    limit: 250,
    clear: 240,
    units: [],
  }),
];

const crosses = ({ device }: Bed, s: number): boolean => {
  if (device === beds.charted.device) return false;
  const { fromS, toS } = device === beds.beside.device ? crossingBeside : crossing;
  return s >= fromS && s < toS;
};

const payloadOf = (bed: Bed, s: number): string => {
  const atMs = startMs + s * 1_000;
  if (bed.model === "sim-dialysis") {
    const pressure = { value: crosses(bed, s) ? 280 : 138, unit: "mmHg" };
    return JSON.stringify({
      machine: { id: bed.device, starts: 41 },
      epochSeconds: atMs / 1_000,
      treatment: { phase: "running", extracorporeal: { venousPressure: pressure } },
    });
  }
  const respiring = bed.device === beds.unapproved.device;
  const numerics = [
    { name: "HR", value: crosses(bed, s) && !respiring ? 131 : 88, unit: "bpm" },
    { name: "RR", value: crosses(bed, s) && respiring ? 36 : 15, unit: "rpm" },
  ];
  return JSON.stringify({ device: bed.device, boot: "1", seq: s, time: utcInstant(atMs), mode: "live", numerics });
};

const everySeconds = ({ model }: Bed): number => (model === "sim-dialysis" ? 10 : 1);

export const afternoonPolicy: GatePolicy = {
  ...policyOf(),
  precedence: shippedPrecedence,
};

export interface Afternoon {
  readonly log: Log;
  readonly wire: Wire;
  modelOf(device: string): string | null;
}

export interface AfternoonOptions {
  /** Of links, made known at 14:05, when all has been written. */
  readonly revisions?: readonly Association[];
  /** The clinical plane's log holds what is so many days older: an earlier version of each consent, and ticks. */
  readonly daysBefore?: number;
}

export const anAfternoon = async ({ revisions = [], daysBefore = 0 }: AfternoonOptions = {}): Promise<Afternoon> => {
  const topology = wardTopology(await loadAdapters(), afternoonPolicy);
  let nowMs = startMs - 60_000;
  const log = memoryLog({ now: () => nowMs });
  await log.ensure(topology.topics);
  const registry = localRegistry(":memory:");
  const wire = await openWire(registry, topology.topics);
  await registry.close();
  const written = new Written(log, wire);
  if (daysBefore > 0) {
    nowMs = startMs - daysBefore * 24 * 3_600_000;
    await earlier(written, nowMs);
    nowMs = startMs - 60_000;
  }
  await announce(written);
  for (let s = 0; s <= lastS; s++) {
    nowMs = startMs + s * 1_000 + 20;
    for (const bed of Object.values(beds)) if (s % everySeconds(bed) === 0) await written.reading(bed, s, nowMs);
    await written.tick();
  }
  nowMs = startMs + 300_000;
  for (const revision of revisions) await written.aboutDevice(revision.device, revision);
  await written.tick();
  const stampsAt = (ms: number): void => {
    nowMs = ms;
  };
  await runThrough(topology, log, wire, stampsAt);
  stampsAt(startMs + 300_000);
  await answerAll(log, wire, written);
  const models = new Map<string, string>(Object.values(beds).map(({ device, model }) => [device, model]));
  return { log, wire, modelOf: (device) => models.get(device) ?? null };
};

/** The link of a bed, as it was announced. */
export const linkOf = (bed: Bed): Association =>
  anAssociation({
    id: `link-${bed.device}`,
    device: bed.device,
    subject: `subject-${bed.device}`,
    patientKey: keyOf(bed),
    bed: `icu-1-${bed.device.slice(-2)}`,
    ...bed.link,
  });

const earlier = async (written: Written, atMs: number): Promise<void> => {
  for (const bed of Object.values(beds)) {
    const consent: Consent = { ...consentOf(bed), version: 0 };
    await written.one(events, keyOf(bed), logTime(atMs), consent);
  }
  for (const topic of [decisions, outbox, deliveries, tasks])
    for (const partition of partitionsOf(topic))
      await written.one(topic, "", logTime(atMs), { kind: "tick" }, partition);
};

const consentOf = (bed: Bed): Consent =>
  aConsent({ id: `consent-${bed.device}`, patientKey: keyOf(bed), decision: bed.consent });

const announce = async (written: Written): Promise<void> => {
  for (const bed of Object.values(beds)) {
    const device: Device = {
      kind: "device",
      device: bed.device,
      model: bed.model,
      serial: null,
      unit: "icu-1",
      clockUncertaintyMs: 2_000,
      silentAfterMs: 30_000,
      version: 1,
    };
    const patientKey = keyOf(bed);
    await written.aboutDevice(bed.device, device);
    await written.aboutDevice(bed.device, linkOf(bed));
    await written.one(events, patientKey, logTime(startMs - 60_000), aPatient({ patientKey, fhirId: patientKey }));
    await written.one(events, patientKey, logTime(startMs - 60_000), consentOf(bed));
  }
  const inForce: Body = {
    kind: "rules",
    version: 12,
    effectiveFrom: logTime(startMs - 60_000),
    rules,
  } as Body;
  await written.everywhere(inForce);
};

/** What sources and sinks append. */
class Written {
  readonly #log: Log;
  readonly #wire: Wire;

  constructor(log: Log, wire: Wire) {
    this.#log = log;
    this.#wire = wire;
  }

  async one(topic: AnyTopic, key: string, at: LogTime | null, body: Body, partition?: number): Promise<void> {
    const appender = await this.#log.appender("afternoon");
    const value = this.#wire.encode(topic, { position: null, logTime: at, body });
    await appender.append([
      { topic: topic.name, partition: partition ?? partitionOf(key, topic.partitions), key, value },
    ]);
    await appender.close();
  }

  async aboutDevice(device: string, body: Body): Promise<void> {
    for (const topic of [raw, rawWaveforms]) await this.one(topic, device, null, body);
  }

  async everywhere(body: Body): Promise<void> {
    for (const topic of [raw, rawWaveforms])
      for (let partition = 0; partition < topic.partitions; partition++)
        await this.one(topic, "", null, body, partition);
  }

  tick(): Promise<void> {
    return this.everywhere({ kind: "tick" });
  }

  reading(bed: Bed, s: number, receivedMs: number): Promise<void> {
    const stream = "numerics";
    return this.one(raw, bed.device, null, {
      kind: "reading",
      device: bed.device,
      stream,
      mqttTopic: `afferent/${bed.device}/${stream}`,
      payload: new TextEncoder().encode(payloadOf(bed, s)),
      receivedTime: receivedTime(receivedMs),
      session: "afternoon",
      dup: false,
      retained: false,
      truncated: null,
    } as Body);
  }
}

const recordsOf = async (log: Log, topic: string, partition: number): Promise<readonly LogRecord[]> => {
  const { end } = await log.bounds(topic, partition);
  const reader = await log.reader(topic, partition, "start");
  const records: LogRecord[] = [];
  while (records.length < end) records.push(...(await reader.next(0)));
  await reader.close();
  return records;
};

/**
 * Each stage once over all that is there, in the topology's order (a stage must come behind those that write what it reads); its partitions
 * beside each other, in the order of log time, and what comes of a record is stamped with its time.
 */
const runThrough = async (topology: Topology, log: Log, wire: Wire, stampsAt: (ms: number) => void): Promise<void> => {
  const appender = await log.appender("stages");
  for (const stage of topology.stages) {
    const tasks = partitionsOf(stage.reads).map((p) => new Task(stage, p, topology.upstreams(stage.reads.name)));
    const inputs = await Promise.all(
      partitionsOf(stage.reads).map(async (partition) => {
        const records = await decodeAll(stage.reads, await recordsOf(log, stage.reads.name, partition), wire);
        return records.map((record) => ({ partition, record, at: timeOf(record) }));
      }),
    );
    for (const { partition, record, at } of inputs
      .flat()
      .toSorted((a, b) => a.at - b.at || a.partition - b.partition)) {
      stampsAt(at);
      const outputs = tasks[partition]?.process([record]) ?? [];
      await appender.append(
        outputs.map(({ topic, envelope, ...to }) => ({
          ...to,
          topic: topic.name,
          value: wire.encode(topic, envelope),
        })),
      );
    }
  }
  await appender.close();
};

const partitionsOf = (topic: AnyTopic): readonly number[] => Array.from({ length: topic.partitions }, (_, p) => p);
const timeOf = ({ decoded, stampMs }: InputRecord): number =>
  decoded.ok ? (decoded.value.logTime ?? stampMs) : stampMs;

/** The destination took everything. */
const answerAll = async (log: Log, wire: Wire, written: Written): Promise<void> => {
  for (const partition of partitionsOf(outbox))
    for (const { decoded } of await decodeAll(outbox, await recordsOf(log, outbox.name, partition), wire)) {
      if (!decoded.ok || decoded.value.body.kind !== "intent") continue;
      const intent = decoded.value.body as Intent;
      const { identity, revision, patientKey, destination, resourceType, resourceId, at } = intent;
      const delivery: Delivery = {
        kind: "delivery",
        identity,
        revision,
        patientKey,
        destination,
        resourceType,
        resourceId,
        outcome: "written",
        detail: revision === 0 ? "201" : "200",
        versionId: String(revision + 1),
        by: null,
        audit: null,
      };
      await written.one(deliveries, patientKey, at, delivery);
    }
};
