/** What was promoted or refused and why, joined with what the destination answered. The patient key stays behind. */
import type { DecisionView } from "../../../schemas/board.ts";
import type { Decision, Delivery } from "../../../schemas/records/clinical.ts";
import { keep } from "./episodes.ts";
import { redact } from "./redact.ts";

const kept = 5_000;

interface Decided {
  readonly revision: number;
  readonly ruleId: string;
  readonly view: Omit<DecisionView, "delivery" | "title">;
}

interface Delivered {
  readonly revision: number;
  readonly outcome: string;
  readonly detail: string;
}

export interface DecisionCounts {
  /** Per episode and destination, not per revision. */
  readonly promoted: number;
  readonly refused: number;
  readonly written: number;
}

const keyOf = (of: { identity: string; destination: string }): string => `${of.identity} ${of.destination}`;
const isWritten = (outcome: string): boolean => outcome === "written" || outcome === "alreadyThere";

export class Decisions {
  readonly #decided = new Map<string, Decided>();
  readonly #delivered = new Map<string, Delivered>();
  #promoted = 0;
  #refused = 0;
  #written = 0;

  /** `bed` as known now. The newest revision is shown; the counts follow a decision that turned. */
  decision(decision: Decision, bed: string | null): void {
    const had = this.#decided.get(keyOf(decision));
    if (had !== undefined && had.revision >= decision.revision) return;
    if (had?.view.promoted !== decision.promoted) {
      if (had !== undefined) this.#count(had.view.promoted, -1);
      this.#count(decision.promoted, 1);
    }
    const view = {
      identity: decision.identity,
      revision: decision.revision,
      bed,
      at: decision.at,
      promoted: decision.promoted,
      destination: decision.destination,
      answers: decision.answers.map((answer) => ({ ...answer, detail: redact(answer.detail, [decision.patientKey]) })),
    };
    keep(this.#decided, keyOf(decision), { revision: decision.revision, ruleId: decision.ruleId, view }, kept);
  }

  delivery(delivery: Delivery): void {
    const had = this.#delivered.get(keyOf(delivery));
    if (had !== undefined && had.revision > delivery.revision) return;
    if (isWritten(delivery.outcome) && !(had !== undefined && isWritten(had.outcome))) this.#written++;
    const detail = redact(delivery.detail, [delivery.patientKey, delivery.resourceId]);
    keep(this.#delivered, keyOf(delivery), { revision: delivery.revision, outcome: delivery.outcome, detail }, kept);
  }

  counts(): DecisionCounts {
    return { promoted: this.#promoted, refused: this.#refused, written: this.#written };
  }

  /** `titleOf` gives a rule's title by its id. */
  newest(most: number, titleOf: (ruleId: string) => string): DecisionView[] {
    return [...this.#decided.entries()]
      .sort(([, a], [, b]) => b.view.at - a.view.at)
      .slice(0, most)
      .map(([key, { view, ruleId }]) => ({
        ...view,
        title: titleOf(ruleId),
        delivery: this.#answer(key, view.revision),
      }));
  }

  /** An answer to an earlier revision says nothing about this one. */
  #answer(key: string, revision: number): DecisionView["delivery"] {
    const delivered = this.#delivered.get(key);
    if (delivered === undefined || delivered.revision < revision) return null;
    return { outcome: delivered.outcome, detail: delivered.detail };
  }

  #count(promoted: boolean, by: number): void {
    if (promoted) this.#promoted += by;
    else this.#refused += by;
  }
}
