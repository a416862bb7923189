/** How a gate answers: passed, or the first of its objections as the reason and all of them in words. */
import type { GateAnswer } from "../../schemas/records/clinical.ts";

/** What speaks against passing: a stable code, and a sentence. */
export interface Objection {
  readonly reason: string;
  readonly detail: string;
}

export const objection = (reason: string, detail: string): Objection => ({ reason, detail });

/** Every objection that holds. */
export const objections = (...found: readonly (Objection | false)[]): readonly Objection[] =>
  found.filter((o) => o !== false);

/** The answer of a gate; `passedDetail` says on what grounds it passed. */
export const answer = (gate: GateAnswer["gate"], found: readonly Objection[], passedDetail: string): GateAnswer => {
  const [first] = found;
  return first === undefined
    ? { gate, passed: true, reason: "passed", detail: passedDetail }
    : { gate, passed: false, reason: first.reason, detail: found.map((o) => o.detail).join("; ") };
};
