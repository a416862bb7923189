/** Plays a day through normalise, thresholds, candidates and gates: what devices send and what the registry says, in the order of the log. */
import { aConsent, aRule } from "../../schemas/fhir/clinical.fixture.ts";
import type { Intent, Task } from "../../schemas/records/clinical.ts";
import type { Association, Patient } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import type { RawBody } from "../../schemas/topics.ts";
import { logTime, receivedTime } from "../../streams/core/time.ts";
import { chain } from "../../streams/sim/chain.ts";
import { drive } from "../../streams/sim/drive.ts";
import { random } from "../../streams/sim/random.ts";
import { candidates } from "../../topologies/candidates.ts";
import { gates, type GatePolicy } from "../../topologies/gates.ts";
import { normalise } from "../../topologies/normalise.ts";
import { thresholds } from "../../topologies/thresholds.ts";
import { type Day, dayStart, minuteMs, minutesOfDay } from "./hospital-day.ts";
import { adapter, device, readingOf } from "./monitor.ts";
import { plainly } from "./plain-stage.ts";
import { deviceOf, type Telling } from "./registry.ts";

const rule = aRule({
  minimumMs: minuteMs,
  clearMs: minuteMs,
  ceilingPerDay: 10_000,
  approval: { by: "Dr. Ada Brandt", at: dayStart - minutesOfDay * minuteMs, demo: false },
});

const policyOf = (mergedPatients: "leave" | "move", byIdentifier: boolean): GatePolicy => ({
  destinations: [{ name: "ehr", finalAtEnd: true, mergedPatients, byIdentifier }],
  acceptDemoApprovals: false,
  clockUncertaintyMs: 2_000,
});

interface Sample {
  readonly minute: number;
  readonly value: number;
}

/** Now and then a heart rate of 150 for some minutes, and 80 on either side; nothing in between, to keep a day short. */
const samplesOf = (seed: number, bed: number): readonly Sample[] => {
  const r = random(seed, `bed ${bed}`);
  const samples: Sample[] = [];
  for (let minute = Math.floor(r.between(1, 30)); minute < minutesOfDay - 20; minute += Math.floor(r.between(18, 45))) {
    const high = Math.floor(r.between(2, 11));
    samples.push({ minute: minute++, value: 80 });
    for (let i = 0; i < high; i++) samples.push({ minute: minute++, value: 150 });
    for (let i = 0; i < 3; i++) samples.push({ minute: minute++, value: 80 });
  }
  return samples;
};

interface Entry {
  readonly at: number;
  readonly key: string;
  readonly body: RawBody;
}

/** As they are logged: a device that was cut off sends what it kept within a minute or two, then goes on. */
const readingsOf = (seed: number, day: Day): readonly Entry[] =>
  Array.from({ length: day.beds }, (_, bed) => bed).flatMap((bed) => {
    const { cutOff } = day;
    let loggedAt = 0;
    return samplesOf(seed, bed).map(({ minute, value }, sequence): Entry => {
      const measuredAt = dayStart + minute * minuteMs;
      const held = bed === cutOff.bed && cutOff.from <= measuredAt && measuredAt < cutOff.to;
      loggedAt = Math.max(loggedAt + 200, held ? cutOff.to : measuredAt + 80);
      const reading = readingOf(deviceOf(bed), { sequence, measuredAt, value }, receivedTime(loggedAt));
      return { at: loggedAt, key: deviceOf(bed), body: reading };
    });
  });

export interface Played {
  /** In the order in which they went out. */
  readonly intents: readonly Intent[];
  readonly tasks: readonly Task[];
  /** Each in its newest form. */
  readonly episodes: ReadonlyMap<string, Episode>;
  /** Each as it was told when it qualified. */
  readonly begun: ReadonlyMap<string, Episode>;
  readonly candidates: number;
}

export interface Playing {
  readonly merged: "leave" | "move";
  /** Every association is told again, once at once and once at the end. */
  readonly repeats?: boolean;
  /** The destination keeps no FHIR resources: patients of whom only ADT told have no FHIR id. */
  readonly byIdentifier?: boolean;
  /** Through tasks and codecs, every cell checked. */
  readonly checked?: boolean;
}

const stagesOf = ({ merged, byIdentifier = false, checked = false }: Playing) => {
  const step = (checked ? drive : plainly) as typeof plainly;
  return {
    normalise: step(normalise(new Map([[adapter.model, adapter]]))),
    thresholds: step(thresholds),
    candidates: step(candidates),
    gates: step(gates(policyOf(merged, byIdentifier))),
  };
};

export const play = (seed: number, day: Day, telling: Telling, options: Playing): Played => {
  const stages = stagesOf(options);
  const ward = chain<RawBody>(Object.values(stages), ["vitals", "episodes", "events"]);
  const early = dayStart - 3_600_000;
  stages.thresholds.send("", early, { kind: "rules", version: 1, effectiveFrom: logTime(early), rules: [rule] });
  const know = (patient: Patient, at: number): void => stages.gates.send(patient.patientKey, at, patient);
  for (const patient of telling.known) know(patient, early);
  for (const patientKey of telling.patientKeys)
    stages.gates.send(
      patientKey,
      early,
      aConsent({ id: `c-${patientKey}`, patientKey, from: early, recordedAt: early }),
    );
  for (let bed = 0; bed < day.beds; bed++) ward.send(deviceOf(bed), early, device(deviceOf(bed)));

  const told: (Association | Patient)[] = [];
  const tell = (record: Association | Patient, at: number): void => {
    if (record.kind === "patient") know(record, at);
    else ward.send(record.device, at, record);
  };
  const happenings = [
    ...readingsOf(seed, day).map((entry) => ({ at: entry.at, do: () => ward.send(entry.key, entry.at, entry.body) })),
    ...telling.acts.map(({ at, does }) => ({
      at,
      do: () => {
        for (const record of does()) {
          told.push(record);
          tell(record, at);
          if (options.repeats) tell(record, at);
        }
      },
    })),
    ...Array.from({ length: 4 * 36 }, (_, i) => dayStart + i * 15 * minuteMs).map((at) => ({
      at,
      do: () => ward.tick(at),
    })),
  ].sort((a, b) => a.at - b.at);
  for (const happening of happenings) happening.do();
  const end = (happenings.at(-1)?.at ?? 0) + 1_000;
  if (options.repeats) for (const record of told) tell(record, end);

  const episodes = new Map<string, Episode>();
  const begun = new Map<string, Episode>();
  for (const { body } of stages.thresholds.outputs("episodes"))
    if (body.kind === "episode" && body.revision >= (episodes.get(body.identity)?.revision ?? 0)) {
      episodes.set(body.identity, body);
      if (body.phase === "start") begun.set(body.identity, body);
    }
  return {
    intents: stages.gates.outputs("outbox").flatMap(({ body }) => (body.kind === "intent" ? [body] : [])),
    tasks: stages.gates.outputs("tasks").flatMap(({ body }) => (body.kind === "task" ? [body] : [])),
    episodes,
    begun,
    candidates: stages.candidates.outputs("events").length,
  };
};
