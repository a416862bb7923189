/** Says what begins, what goes on under another version of its rule, and what ends on one series. Only what was told to start is told to end. */
import type { Out } from "../../streams/core/stage.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Episode, Measurement } from "../../schemas/records/telemetry.ts";
import type { episodes, telemetryQuarantine } from "../../schemas/topics.ts";
import { episodeCell, type Judging, lateEpisodeCell } from "./cells.ts";
import { endOf, startOf } from "./episode.ts";
import { type Advance, end, type Machine } from "./machine.ts";
import { revised, turnOf } from "./new-version.ts";

export type EpisodesOut = Out<{ episodes: typeof episodes; quarantine: typeof telemetryQuarantine }>;

/** The rules for a series, and the version of their set. */
export interface RulesNow {
  readonly rules: readonly Rule[];
  readonly version: number;
}

export const ruleChanged = "rule changed";

export class Teller {
  readonly #state: Judging;
  readonly #subject: string;
  readonly #name: string;
  readonly #out: EpisodesOut;
  readonly #late: boolean;

  /** `late`: of what is judged beside the live samples. */
  constructor(state: Judging, subject: string, name: string, out: EpisodesOut, late: boolean) {
    this.#state = state;
    this.#subject = subject;
    this.#name = name;
    this.#out = out;
    this.#late = late;
  }

  /** What was told of the rule's episode that is open. */
  started(ruleId: string): Episode | undefined {
    return this.#state.get(this.#cell(ruleId)) as Episode | undefined;
  }

  /** `m` made the moves, under `rule`. */
  tell({ moves }: Advance, rule: Rule, version: number, m: Measurement): void {
    for (const move of moves)
      if (move.what === "start") this.#say(startOf(move.machine, rule, version, m, this.#subject, this.#late));
      else this.#sayEnd(move.machine, move.ended);
  }

  end(machine: Machine, ended: string): void {
    for (const move of end(machine, ended).moves) this.#sayEnd(move.machine, ended);
  }

  /** Ends what no rule is for any more. */
  endOthers(machines: readonly Machine[], rules: readonly Rule[]): void {
    for (const machine of machines) if (!rules.some(({ id }) => id === machine.ruleId)) this.end(machine, ruleChanged);
  }

  /** The rule's machine as `m` finds it: of the version in force, or none. */
  found(machines: readonly Machine[], rule: Rule, version: number, m: Measurement): Machine | undefined {
    const machine = machines.find(({ ruleId }) => ruleId === rule.id);
    if (machine === undefined || machine.ruleVersion === rule.version) return machine;
    const start = machine.phase === "pending" ? undefined : this.started(rule.id);
    const turn = turnOf(machine, start, rule, m);
    if (turn === "later") return machine;
    if (turn === "ends") {
      this.end(machine, ruleChanged);
      return undefined;
    }
    if (start !== undefined) this.#say(revised(start, rule, version));
    return { ...machine, ruleVersion: rule.version };
  }

  #say(start: Episode): void {
    this.#state.set(this.#cell(start.rule.id), start);
    this.#out.emit("episodes", this.#subject, start);
  }

  #sayEnd(machine: Machine, ended: string): void {
    const start = this.started(machine.ruleId) as Episode;
    this.#state.delete(this.#cell(machine.ruleId));
    this.#out.emit("episodes", this.#subject, endOf(start, machine, ended));
  }

  #cell(ruleId: string): string {
    return this.#late ? lateEpisodeCell(ruleId, this.#name) : episodeCell(ruleId, this.#name);
  }
}
