/**
 * The day told as ADT messages to the real registry machine (topologies/roster), while nurses go round and confirm what they see: a link that ADT
 * asserts is theirs once they have stood at the bed. One of them believes a wrong wristband.
 */
import { adtBytes, type AdtOf, type AdtPatient } from "../../schemas/hl7v2/adt.fixture.ts";
import { readAdt } from "../../schemas/hl7v2/adt.ts";
import type { Association, Patient } from "../../schemas/records/roster.ts";
import { ok } from "../../streams/core/failure.ts";
import { judgeAct } from "../../topologies/roster/acts.ts";
import { adtEvent } from "../../topologies/roster/adt.ts";
import { patientKeyOf, type RosterBase } from "../../topologies/roster/base.ts";
import { changesOf, type RosterBody } from "../../topologies/roster/changes.ts";
import { derive } from "../../topologies/roster/derive.ts";
import type { RosterEvent } from "../../topologies/roster/events.ts";
import { authorities, naming } from "../../topologies/roster/ward.fixture.ts";
import { type Day, minuteMs, type Movement, type Told } from "./hospital-day.ts";
import { deviceOf, type Telling } from "./registry.ts";
import { personAt, staysOf } from "./stays.ts";

type Records = readonly (Association | Patient)[];

const bedName = (bed: number): string => `B${bed}`;
const locationOf = (bed: number): string => `ICU-1^${bed}^${bedName(bed)}`;
const dtm = (ms: number): string => `${new Date(ms).toISOString().replace(/\D/g, "").slice(0, 14)}+0000`;

const baseOf = (day: Day): RosterBase => {
  const beds = Array.from({ length: day.beds }, (_, bed) => bed);
  return {
    devices: beds.map((bed) => ({ device: deviceOf(bed), unit: "icu-1", bed: bedName(bed) })),
    beds: new Map(beds.map((bed) => [bedName(bed), "icu-1"])),
    links: [],
    filePatients: new Map(),
    locations: {},
    authorities,
  };
};

class AdtRegistry {
  readonly #day: Day;
  readonly #base: RosterBase;
  readonly #events: RosterEvent[] = [];
  readonly #told = new Map<string, RosterBody>();
  /** How each movement was told, so that it can be taken back. */
  readonly #sent = new Map<string, AdtOf>();
  readonly #admitted = new Set<number>();
  #merged = false;
  #swapping: Movement | undefined;
  #count = 0;

  constructor(day: Day) {
    this.#day = day;
    this.#base = baseOf(day);
  }

  keyOf(person: number, old = person === this.#day.merged && !this.#merged): string {
    return patientKeyOf(naming.secret, authorities[0]?.system ?? "", this.#patient(person, old).number);
  }

  hear(told: Told): Records {
    if (told.what === "movement") return this.#move(told.movement, told.at);
    if (told.what === "cancel") return this.#cancel(told.movement, told.at);
    const prior = this.#patient(told.person, true);
    this.#merged = true;
    return this.#send(
      { event: "A40", patient: this.#patient(told.person, false), prior, occurred: dtm(told.at) },
      told.at,
    );
  }

  /** A nurse at the bed: she confirms the link of whom she takes to lie there. */
  confirm(bed: number, person: number, at: number): Records {
    const link = this.#view.links.find(
      (one) => one.device === deviceOf(bed) && one.toMs === null && one.patientKey === this.keyOf(person),
    );
    return link === undefined || link.confirmedBy !== null ? [] : this.#act({ act: "confirm", link: link.id }, at);
  }

  /** She was wrong. */
  takeBack(bed: number, person: number, at: number): Records {
    const confirmed = this.#view.links.filter(
      (one) => one.device === deviceOf(bed) && one.patientKey === this.keyOf(person) && one.confirmedBy !== null,
    );
    return confirmed.flatMap(({ id }) => this.#act({ act: "wrong", link: id }, at));
  }

  get #view() {
    return derive(this.#events, this.#base);
  }

  #patient(person: number, old = person === this.#day.merged && !this.#merged): AdtPatient {
    const number = `${(old ? 9_000 : 1_000) + person}`;
    return { number, family: `Family${person}`, given: `Given${person}`, birth: "19600101", visit: `V-${person}` };
  }

  #move(movement: Movement, at: number): Records {
    const { id, person, bed, at: occurredMs } = movement;
    if (/a$/.test(id)) {
      this.#swapping = movement;
      return [];
    }
    const patient = this.#patient(person);
    const occurred = dtm(occurredMs);
    const other = this.#swapping;
    if (/b$/.test(id) && other !== undefined && other.bed !== null && bed !== null) {
      const swapped = { patient: this.#patient(other.person), location: locationOf(other.bed) };
      return this.#send({ event: "A17", patient, location: locationOf(bed), other: swapped, occurred }, at, id);
    }
    // Taken for somebody else at the desk: a visit of its own, which is taken back whole.
    const mistaken = id === "wrong-wristband";
    const isFirst = mistaken || !this.#admitted.has(person);
    if (!mistaken) this.#admitted.add(person);
    const event = bed === null ? "A03" : isFirst ? "A01" : "A02";
    const location = bed === null ? "" : locationOf(bed);
    const visit = mistaken ? "V-mistaken" : `V-${person}`;
    return this.#send({ event, patient: { ...patient, visit }, location, occurred, recorded: dtm(at) }, at, id);
  }

  #cancel(movement: string, at: number): Records {
    const sent = this.#sent.get(movement);
    if (sent === undefined) return [];
    return this.#send({ ...sent, event: sent.event === "A01" ? "A11" : "A12", recorded: dtm(at) }, at);
  }

  #send(of: Omit<AdtOf, "controlId">, at: number, movement?: string): Records {
    const message: AdtOf = { ...of, controlId: `c-${++this.#count}` };
    if (movement !== undefined) this.#sent.set(movement, message);
    const read = readAdt(adtBytes(message), { localTime: (local) => ok(Date.parse(local)), processingId: "P" });
    if (!read.ok) throw new Error(read.refusal.detail);
    const event = adtEvent(read.value, at, naming);
    if (!event.ok) throw new Error(event.problem.detail);
    return this.#take(event.value, `ADT^${message.event} ${message.controlId}`);
  }

  #act(request: { readonly act: "confirm" | "wrong"; readonly link: string }, at: number): Records {
    const context = { view: this.#view, base: this.#base, nowMs: at, id: `act/${++this.#count}` };
    const judged = judgeAct({ ...request, by: "nurse-4", because: "seen at the bed" }, context);
    return judged.ok ? this.#take(judged.value, judged.value.id) : [];
  }

  #take(event: RosterEvent, cause: string): Records {
    this.#events.push(event);
    const changes = changesOf(this.#view, this.#told, cause);
    for (const { id, body } of changes) this.#told.set(id, body);
    return changes.flatMap(({ body }) => (body.kind === "device" ? [] : [body]));
  }
}

const roundsMs = [3, 10, 25, 60, 120, 200].map((minutes) => minutes * minuteMs + 7_000);

/** `personOf`: by every key that a person has or had. */
export const byAdt = (day: Day): Telling & { readonly personOf: ReadonlyMap<string, number> } => {
  const registry = new AdtRegistry(day);
  const stays = staysOf(day.truth);
  const rounds = stays.flatMap(({ bed, person, from }) =>
    roundsMs.map((ms) => ({
      at: from + ms,
      does: (): Records =>
        personAt(stays, bed, from + ms)?.person === person ? registry.confirm(bed, person, from + ms) : [],
    })),
  );
  const mistakes = day.told.flatMap((one) => {
    if (one.what !== "movement" || one.movement.id !== "wrong-wristband" || one.movement.bed === null) return [];
    const { bed, person } = one.movement;
    const end = day.told.find((other) => other.what === "cancel" && other.movement === "wrong-wristband")?.at ?? 0;
    return [
      { at: one.at + 60_000, does: (): Records => registry.confirm(bed, person, one.at + 60_000) },
      { at: end - 1_000, does: (): Records => registry.takeBack(bed, person, end - 1_000) },
    ];
  });
  const persons = Array.from({ length: day.persons }, (_, i) => i + 1);
  const personOf = new Map(
    persons.flatMap((person) => [false, true].map((old) => [registry.keyOf(person, old), person] as const)),
  );
  return {
    patientKeys: [...personOf.keys()],
    known: [],
    acts: [...day.told.map((one) => ({ at: one.at, does: () => registry.hear(one) })), ...rounds, ...mistakes].sort(
      (a, b) => a.at - b.at,
    ),
    personOf,
  };
};
