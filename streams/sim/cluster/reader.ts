/** A reader of the simulated log: each fetch is an action of its own and brings a chance number of records. */
import type { LogRecord, Reader } from "../../log/log.ts";
import type { TopicPartition } from "./broker.ts";
import type { Schedule, SimProcess } from "./schedule.ts";

/** At most so many records come in one fetch. */
const fetchMost = 8;

export class SimReader implements Reader {
  readonly #of: TopicPartition;
  readonly #schedule: Schedule;
  readonly #process: SimProcess;
  #next: number;
  #open = true;
  #stopWaiting = (): void => {};

  constructor(of: TopicPartition, from: number, schedule: Schedule, process: SimProcess) {
    this.#of = of;
    this.#next = from;
    this.#schedule = schedule;
    this.#process = process;
  }

  next(): Promise<readonly LogRecord[]> {
    return new Promise((resolve, reject) => {
      const fetch = (): void => this.#schedule.add(this.#process, "fetch", look);
      const look = (): void => {
        try {
          const records = this.#open ? this.#of.read(this.#next, 1 + this.#schedule.pick(fetchMost)) : [];
          this.#next += records.length;
          if (records.length > 0 || !this.#open) resolve(records);
          else this.#wait(fetch, () => resolve([]));
        } catch (error) {
          reject(error);
        }
      };
      fetch();
    });
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#stopWaiting();
  }

  #wait(fetch: () => void, giveUp: () => void): void {
    const takeBack = this.#of.park(fetch);
    this.#stopWaiting = () => {
      takeBack();
      giveUp();
    };
  }
}
