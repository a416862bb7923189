/**
 * Reads again, slowly, what patients have at a source of consents. A search for changes finds nothing that shows later than the time that it
 * bears (a long transaction, a queue between two systems, a clock put back): such a denial is found here, within the time between two readings.
 */
import type { Patient } from "../../schemas/records/roster.ts";
import { type Filing, idAt } from "../io/consent/filing.ts";
import { fileAll, knownOf, type RoundPorts } from "./consent-round.ts";

/** Patients in one search, and in one look at least. */
const atOnce = 50;
const shareLeast = 4 * atOnce;
/** What names its patient by a number alone is found by no search for him: of that as much is read again, by its time. */
const lateMs_most = 86_400_000;

export class Rereading {
  readonly #everyMs: number;
  /** When each patient was asked for last, by his key; who is not in it is asked for first. */
  readonly #askedAt = new Map<string, number>();
  #changesAt = Number.NEGATIVE_INFINITY;
  #lookedAt: number | null = null;

  /** In the ward's time, as all times here. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** The share that is due now: enough that each patient's turn comes once in `everyMs`. Rejects as `round` does; then it is due again. */
  async look(mark: number | null, ports: RoundPorts, filing: Filing): Promise<void> {
    const { readAt: at, source } = filing;
    const { patients } = await knownOf(ports.table, source);
    const due = this.#due(patients, at);
    for (let i = 0; i < due.length; i += atOnce) {
      const some = due.slice(i, i + atOnce);
      await fileAll(await ports.reader.ofPatients(some.map((patient) => idAt(patient, source))), ports, filing);
      for (const { patientKey } of some) this.#askedAt.set(patientKey, at);
    }
    if (mark !== null && at - this.#changesAt >= this.#everyMs) {
      const { found } = await ports.reader.changed(mark - lateMs_most, ports.clock());
      await fileAll(found, ports, filing);
      this.#changesAt = at;
    }
    this.#lookedAt = at;
  }

  #due(patients: readonly Patient[], at: number): readonly Patient[] {
    const askedAt = ({ patientKey }: Patient) => this.#askedAt.get(patientKey) ?? Number.NEGATIVE_INFINITY;
    const pace = (patients.length * (at - (this.#lookedAt ?? at))) / this.#everyMs;
    return patients
      .filter((patient) => at - askedAt(patient) >= this.#everyMs)
      .toSorted((a, b) => askedAt(a) - askedAt(b) || 0)
      .slice(0, Math.max(shareLeast, Math.ceil(2 * pace)));
  }
}
