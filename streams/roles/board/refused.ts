/** What the stages refused, for the page: how often and why, and which of it is a defect of our own. Bounded. */
import type { Quarantined } from "../../../schemas/records/quarantine.ts";
import { type Defect, technicalReasons } from "./attention.ts";

const reasonsKept = 60;
const otherReason = "other";
/** A defect of our own stays on the list for so long after it last showed. */
const defectShownMs = 3_600_000;

export class Refused {
  readonly #byReason = new Map<string, number>();
  /** By stage and reason. */
  readonly #defects = new Map<string, Defect & { readonly until: number }>();

  take(refused: Quarantined, logTime: number): void {
    this.#count(refused.reason);
    if (technicalReasons.has(refused.reason)) this.#defect(refused, logTime);
  }

  /** The most frequent first. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#byReason].sort(([, a], [, b]) => b - a));
  }

  defects(logTime: number): readonly Defect[] {
    return [...this.#defects.values()].filter(({ until }) => until > logTime);
  }

  #count(reason: string): void {
    const key = this.#byReason.has(reason) || this.#byReason.size < reasonsKept ? reason : otherReason;
    this.#byReason.set(key, (this.#byReason.get(key) ?? 0) + 1);
  }

  #defect({ stage, reason, topic, partition, offset }: Quarantined, logTime: number): void {
    const name = `${stage} ${reason}`;
    const until = logTime + defectShownMs;
    const before = this.#defects.get(name);
    const stands = before !== undefined && before.until > logTime ? before : { count: 0, since: logTime };
    const { count, since } = stands;
    this.#defects.set(name, { stage, reason, topic, partition, offset, count: count + 1, since, until });
  }
}
