/** Follows one event through the log, both ways: back by its records' positions to the bytes, and on to each destination's answer. */
import { partitionOf } from "../../core/hash.ts";
import type { BodyOf } from "../../core/stage.ts";
import type { Candidate, Decision, Delivery, Intent } from "../../../schemas/records/clinical.ts";
import type { Episode, Measurement, WindowAggregate } from "../../../schemas/records/telemetry.ts";
import {
  decisions,
  deliveries,
  episodes,
  events,
  outbox,
  raw,
  tasks,
  vitals,
  windows,
} from "../../../schemas/topics.ts";
import type {
  Found,
  Trace,
  TracedConsent,
  TracedDecision,
  TracedDestination,
  TracedPatient,
  TracedReading,
} from "../../../schemas/why.ts";
import type { Ledger, Page } from "./ledger.ts";
import { consentSays } from "./consent-says.ts";
import { shown } from "./payload.ts";

export interface TraceOptions {
  readonly ledger: Ledger;
  readonly question: string;
  /** Nothing about the event was appended before this stamp (ms); undefined: that is not known, and all is read. */
  readonly sinceMs: number | undefined;
  /** As the roster has it; null: not in it. */
  modelOf(device: string): string | null;
}

/** How far apart log times of a partition's upstreams may be, and how long after its end a window may be told. */
const marginMs = 120_000;
const windowsWithinMs = 900_000;
/** The record that an episode's start was told at follows its qualifying sample closely. */
const searchBack = 5_000;

const missing = {
  reading: "what the device sent is no longer in the raw log, or was not found",
  measurement: "the qualifying measurement is no longer in telemetry.vitals, or was not found",
  windows: "no window covers the qualifying sample (any more)",
  episodes: "the episode is no longer in telemetry.episodes",
  candidates: "it was never offered to the clinical plane, or the gates' input is not kept that long",
} as const;

/** The trace of an event that the log knows by its identity; undefined where neither plane holds it any more. */
export const traceOf = async (identity: string, options: TraceOptions): Promise<Trace | undefined> => {
  const { ledger, question, sinceMs } = options;
  const told = await ledger.those(episodes, (body) => body.kind === "episode" && body.identity === identity, sinceMs);
  const isOffer = (body: BodyOf<typeof events>) => body.kind === "candidate" && body.episode.identity === identity;
  const offered = await ledger.those(events, isOffer, sinceMs);
  const forms = told.flatMap(episodeIn);
  const newest = forms.at(-1)?.body ?? offered.flatMap(candidateIn).at(-1)?.body.episode;
  if (newest === undefined) return undefined;
  const measurement = await measurementOf(ledger, told, newest);
  const reading = measurement === undefined ? null : await readingOf(ledger, measurement);
  const covering = await windowsOf(ledger, newest);
  const gaps = [
    ...(reading === null ? [missing.reading] : []),
    ...(measurement === undefined ? [missing.measurement] : []),
    ...(covering.length === 0 ? [missing.windows] : []),
    ...(forms.length === 0 ? [missing.episodes] : []),
    ...(offered.length === 0 ? [missing.candidates] : []),
  ];
  return {
    question,
    identity,
    reading,
    model: options.modelOf(newest.device),
    measurement: measurement === undefined ? null : { at: measurement.at, body: measurement.body },
    windows: covering,
    rule: newest.rule,
    episodes: forms,
    patients: await patientsOf(identity, offered.flatMap(candidateIn), options),
    missing: gaps,
  };
};

const episodeIn = ({ at, body }: Page<{ readonly kind: string }>): Found<Episode>[] =>
  body.kind === "episode" ? [{ at, body: body as Episode }] : [];
const candidateIn = ({ at, body }: Page<{ readonly kind: string }>): Found<Candidate>[] =>
  body.kind === "candidate" ? [{ at, body: body as Candidate }] : [];

/** The qualifying sample is what the episode's start was told at, or shortly before it. */
const measurementOf = async (
  ledger: Ledger,
  told: readonly Page<{ readonly kind: string }>[],
  { qualifyingIdentity }: Episode,
): Promise<Page<Measurement> | undefined> => {
  const from = told[0]?.position;
  if (from == null || from.topic !== vitals.name) return undefined;
  let found: Page<Measurement> | undefined;
  for await (const page of ledger.from(vitals, from.partition, from.offset - searchBack, from.offset + 1))
    if (page.body.kind === "measurement" && page.body.identity === qualifyingIdentity)
      found = page as Page<Measurement>;
  return found;
};

const readingOf = async (ledger: Ledger, measurement: Page<Measurement>): Promise<TracedReading | null> => {
  const page = await ledger.behind(raw, measurement.position);
  if (page?.body.kind !== "reading") return null;
  const { device, mqttTopic, receivedTime, payload, truncated } = page.body;
  const size = truncated?.size ?? payload.length;
  return { at: page.at, device, mqttTopic, receivedTime, size, payload: shown(payload) };
};

/** The newest revision of each window that covers the qualifying sample. */
const windowsOf = async (ledger: Ledger, episode: Episode): Promise<readonly Found<WindowAggregate>[]> => {
  const { subject, device, channel, metric, qualifyingAt } = episode;
  const partition = partitionOf(subject, windows.partitions);
  const from = await ledger.seek(windows, partition, qualifyingAt - marginMs);
  const newest = new Map<string, Found<WindowAggregate>>();
  for await (const { at, body, logTime } of ledger.from(windows, partition, from)) {
    if (logTime !== null && logTime > qualifyingAt + windowsWithinMs) break;
    if (body.kind !== "windowAggregate" || body.subject !== subject || body.device !== device) continue;
    if (body.channel !== channel || body.metric !== metric) continue;
    if (body.start <= qualifyingAt && qualifyingAt < body.start + body.lengthMs)
      newest.set(body.identity, { at, body });
  }
  return [...newest.values()];
};

const patientsOf = async (
  identity: string,
  offered: readonly Found<Candidate>[],
  options: TraceOptions,
): Promise<readonly TracedPatient[]> => {
  const { ledger, sinceMs } = options;
  const byKey = Map.groupBy(offered, ({ body }) => body.patientKey);
  const patients: TracedPatient[] = [];
  for (const [patientKey, forms] of byKey) {
    const said = await ledger.ofKey(tasks, patientKey, sinceMs);
    patients.push({
      patientKey,
      association: forms.at(-1)?.body.association ?? null,
      consents: await consentsOf(ledger, patientKey),
      destinations: await destinationsOf(patientKey, identity, options),
      tasks: said.flatMap(({ body }) => (body.kind === "task" && body.about.includes(identity) ? [body] : [])),
    });
  }
  return patients;
};

/** The newest version of each, however old: it may have been in force since long before the event. */
const consentsOf = async (ledger: Ledger, patientKey: string): Promise<readonly TracedConsent[]> => {
  const newest = new Map<string, TracedConsent>();
  for (const { body } of await ledger.ofKey(events, patientKey)) {
    if (body.kind !== "consent" && body.kind !== "fhirConsent" && body.kind !== "accessOverride") continue;
    const before = newest.get(body.id);
    if (before === undefined || body.version >= before.version)
      newest.set(body.id, { id: body.id, version: body.version, kind: body.kind, says: consentSays(body) });
  }
  return [...newest.values()];
};

const destinationsOf = async (
  patientKey: string,
  identity: string,
  { ledger, sinceMs }: TraceOptions,
): Promise<readonly TracedDestination[]> => {
  const judged = (await ledger.ofKey(decisions, patientKey, sinceMs)).flatMap(({ at, body }) =>
    body.kind === "decision" && body.identity === identity ? [{ at, body }] : [],
  );
  const intents = (await ledger.ofKey(outbox, patientKey, sinceMs)).flatMap(({ body }) =>
    body.kind === "intent" && body.identity === identity ? [body] : [],
  );
  const answers = (await ledger.ofKey(deliveries, patientKey, sinceMs)).flatMap(({ body }) =>
    body.kind === "delivery" && body.identity === identity ? [body] : [],
  );
  return [...Map.groupBy(judged, ({ body }) => body.destination)].map(([destination, of]) => {
    const traced = of.map((one) => tracedDecision(one, intents, answers));
    return { destination, standing: standingOf(traced), decisions: traced };
  });
};

const tracedDecision = (
  { at, body }: Found<Decision>,
  intents: readonly Intent[],
  answers: readonly Delivery[],
): TracedDecision => {
  const same = (one: Intent | Delivery): boolean =>
    one.destination === body.destination && one.revision === body.revision;
  const intent = intents.findLast(same);
  return {
    at,
    decision: body,
    intent:
      intent === undefined
        ? null
        : {
            resourceType: intent.resourceType,
            resourceId: intent.resourceId,
            action: intent.action,
            resentBy: intent.resentBy,
          },
    answers: answers.filter(same),
  };
};

/** How it stands there now: by the last that was to be written. */
const standingOf = (of: readonly TracedDecision[]): TracedDestination["standing"] => {
  const last = of.findLast(({ intent }) => intent !== null);
  if (last === undefined) return "refused";
  const answer = last.answers.at(-1)?.outcome;
  if (answer === undefined) return "notAnswered";
  if (answer !== "written" && answer !== "alreadyThere") return "refusedThere";
  return last.intent?.action === "retract" ? "retracted" : "promoted";
};
