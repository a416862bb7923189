/** What parts of the alarm path are there, as the circuit sees it: each change is a record, so that people are told, and it is shown. */
import type { Hop } from "../../../schemas/records/alert.ts";
import { platformUnit, type Words } from "./words.ts";

export interface HopsOptions {
  readonly words: Words;
  /** Log time in ms. */
  readonly now: () => number;
  readonly onChange: (hop: Hop) => void;
  readonly onError: (error: unknown) => void;
}

const sayAgainMs = 500;

export class Hops {
  readonly #options: HopsOptions;
  readonly #known = new Map<string, Hop>();
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  #unsaid: Hop[] = [];
  #saying = false;
  #closed = false;

  constructor(options: HopsOptions) {
    this.#options = options;
  }

  /**
   * A part is down from now on. `graceMs`: told only if it is still down after that; one that is down already is told once. Said again until
   * the log has it.
   */
  down(hop: string, detail: string, graceMs = 0): void {
    if (this.#closed || this.#known.get(hop)?.up === false || this.#waiting.has(hop)) return;
    const since = this.#options.now();
    const tell = (): void => {
      this.#waiting.delete(hop);
      this.#tell({ kind: "hop", hop, up: false, since, detail });
    };
    if (graceMs === 0) tell();
    else this.#waiting.set(hop, setTimeout(tell, graceMs));
  }

  /** It is there: told where it was down before, or where nothing was ever told of it but may have been before a restart. */
  up(hop: string, detail: string): void {
    clearTimeout(this.#waiting.get(hop));
    this.#waiting.delete(hop);
    if (this.#closed || this.#known.get(hop)?.up === true) return;
    this.#tell({ kind: "hop", hop, up: true, since: this.#options.now(), detail });
  }

  /** A moment in the past during which it was down, which is over now. */
  was(hop: string, since: number, detail: string): void {
    this.#tell({ kind: "hop", hop, up: false, since, detail });
    this.#tell({ kind: "hop", hop, up: true, since: this.#options.now(), detail });
  }

  /** Those that are down, since when. */
  all(): readonly Hop[] {
    return [...this.#known.values()].filter(({ up }) => !up);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#waiting.values()) clearTimeout(timer);
  }

  #tell(hop: Hop): void {
    this.#known.set(hop.hop, hop);
    this.#options.onChange(hop);
    this.#unsaid.push(hop);
    if (!this.#saying) void this.#sayAll();
  }

  async #sayAll(): Promise<void> {
    this.#saying = true;
    while (this.#unsaid.length > 0 && !this.#closed) {
      const batch = this.#unsaid;
      this.#unsaid = [];
      try {
        await this.#options.words.say(batch.map((word) => ({ unit: platformUnit, word })));
      } catch (error) {
        this.#unsaid = [...batch, ...this.#unsaid];
        this.#options.onError(error);
        await new Promise((resolve) => setTimeout(resolve, sayAgainMs));
      }
    }
    this.#saying = false;
  }
}
