/** What a hospital's registry makes of what it is told: links by person and bed, each change the next revision of a link. */
import { type Association, type Patient, knownAlike, undisputed } from "../../schemas/records/roster.ts";
import type { Day, Movement, Told } from "./hospital-day.ts";
import { type Stay, staysOf } from "./stays.ts";

export const deviceOf = (bed: number): string => `mon-${bed}`;
export const personOf = (patientKey: string): number => Number(/^pk-(\d+)/.exec(patientKey)?.[1]);

const patient = (person: number, patientKey: string, change: Partial<Patient> = {}): Patient => ({
  kind: "patient",
  ...knownAlike,
  patientKey,
  version: 1,
  fhirId: patientKey.replace("pk", "p"),
  identifierSystem: "urn:example:mrn",
  identifierValue: `${1_000 + person}`,
  encounterFhirId: null,
  active: true,
  ...change,
});

/** What the platform is told, when, by whatever keeps the hospital's links. */
export interface Telling {
  /** Every key that a patient may come to have. */
  readonly patientKeys: readonly string[];
  /** What is known before the first device speaks. */
  readonly known: readonly Patient[];
  /** Each gives its records when it is called, in the order of time. */
  readonly acts: readonly { readonly at: number; readonly does: () => readonly (Association | Patient)[] }[];
}

/** A registry that takes every word for confirmed at the bedside. */
export const believing = (day: Day): Telling => {
  const registry = new Registry(day.merged);
  const known = registry.patients(day.persons);
  return {
    patientKeys: known.map(({ patientKey }) => patientKey),
    known,
    acts: day.told.map((one) => ({ at: one.at, does: () => registry.hear(one) })),
  };
};

class Registry {
  readonly #movements = new Map<string, Movement>();
  readonly #links = new Map<string, Association>();
  /** Registered twice, under two numbers, until the merge. */
  readonly #twice: number;
  #merged = false;

  constructor(twice: number) {
    this.#twice = twice;
  }

  /** Every patient as he is known at first, him who is registered twice under both keys. */
  patients(persons: number): readonly Patient[] {
    return [
      ...Array.from({ length: persons }, (_, i) => patient(i + 1, `pk-${i + 1}`)),
      patient(this.#twice, `pk-${this.#twice}-old`),
    ];
  }

  /** The records that follow from it; what is told twice has none. */
  hear(told: Told): readonly (Association | Patient)[] {
    if (told.what === "movement") this.#movements.set(told.movement.id, told.movement);
    else if (told.what === "cancel") this.#movements.delete(told.movement);
    else if (this.#merged) return [];
    else return this.#merge(told.person);
    return this.#changed(told.what === "cancel" ? `cancelled ${told.movement}` : `movement ${told.movement.id}`);
  }

  get links(): readonly Association[] {
    return [...this.#links.values()];
  }

  #keyOf(person: number): string {
    return person === this.#twice && !this.#merged ? `pk-${person}-old` : `pk-${person}`;
  }

  #merge(person: number): readonly (Association | Patient)[] {
    const mergedFrom = this.#keyOf(person);
    this.#merged = true;
    const revised = this.links
      .filter(({ patientKey }) => patientKey === mergedFrom)
      .map((link) => this.#keep({ ...link, patientKey: this.#keyOf(person), mergedFrom, cause: "A40" }));
    const into = { version: 2, active: false, mergedInto: this.#keyOf(person) };
    return [...revised, patient(person, mergedFrom, into)];
  }

  #changed(cause: string): readonly Association[] {
    const stays = staysOf([...this.#movements.values()]);
    const gone = this.links.filter(({ id, voided }) => !voided && !stays.some((stay) => `link-${stay.id}` === id));
    return [
      ...gone.map((link) => this.#keep({ ...link, voided: true, mergedFrom: null, cause })),
      ...stays.flatMap((stay) => this.#revised(stay, cause)),
    ];
  }

  #revised(stay: Stay, cause: string): readonly Association[] {
    const known = this.#links.get(`link-${stay.id}`);
    if (known === undefined) return [this.#keep(this.#fresh(stay, cause))];
    if (known.to === stay.to && !known.voided) return [];
    return [this.#keep({ ...known, to: stay.to, voided: false, mergedFrom: null, cause })];
  }

  #fresh({ id, person, bed, from, to }: Stay, cause: string): Association {
    return {
      kind: "association",
      ...undisputed,
      id: `link-${id}`,
      revision: 0,
      device: deviceOf(bed),
      subject: `s-${id}`,
      patientKey: this.#keyOf(person),
      bed: `icu-1-${bed}`,
      unit: "icu-1",
      ageBand: "adult",
      from,
      to,
      confirmedBy: "Nurse K. Okafor",
      // Seen at the bedside then, however late it was written down.
      confirmedAt: from,
      assertedBy: "Nurse K. Okafor",
      cause,
    };
  }

  #keep(link: Association): Association {
    const next = { ...link, revision: link.revision + 1 };
    this.#links.set(link.id, next);
    return next;
  }
}
