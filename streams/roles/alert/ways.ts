/**
 * Which ways of telling people stand: a notifier is gone while one of its addresses is down and none of a person's was confirmed since that
 * one began to fail; otherwise the address is dead, which is a finding of its own, so that it hides nothing of what fails later. Dead ones are
 * kept beside the outbox: whoever takes one out of the policy while the circuit is down ends its finding too.
 */
import type { DatabaseSync } from "node:sqlite";
import type { PolicyContent } from "../../io/policy-file.ts";
import type { Tried } from "./lane.ts";
import type { LaneName } from "./outbox.ts";

export interface WaysOptions {
  /** The outbox's own file. */
  readonly db: DatabaseSync;
  /** In force now. */
  readonly policy: () => Pick<PolicyContent, "recipients">;
  /** `notifier/<name>`, or `address/<notifier>/<who>`, is down or there again. */
  readonly onStanding: (hop: string, up: boolean, detail: string) => void;
}

/** Moments are counted, not measured: what matters is their order. */
interface Way {
  readonly lane: LaneName;
  down: boolean;
  /** Its first failure after it was confirmed, and its last one. */
  failingFrom: number;
  failedLast: number;
  detail: string;
}

const tables = `create table if not exists dead_addresses (
  notifier text not null, address text not null, hop text not null, detail text not null, primary key (notifier, address)
) without rowid;`;

export class Ways {
  readonly #options: WaysOptions;
  readonly #ways = new Map<string, Way>();
  /** By notifier: when an address of a person's was last confirmed. */
  readonly #confirmed = new Map<string, number>();
  /** The hop that it was told as, by address. */
  readonly #dead = new Map<string, { readonly lane: LaneName; readonly hop: string }>();
  readonly #gone = new Set<string>();
  readonly #sql;
  #moment = 0;

  constructor(options: WaysOptions) {
    this.#options = options;
    options.db.exec(tables);
    this.#sql = {
      put: options.db.prepare(
        "insert or replace into dead_addresses (notifier, address, hop, detail) values (?, ?, ?, ?)",
      ),
      drop: options.db.prepare("delete from dead_addresses where notifier = ? and address = ?"),
    };
    for (const row of options.db.prepare("select notifier, address, hop, detail from dead_addresses").all()) {
      const lane = { notifier: String(row["notifier"]), to: String(row["address"]) };
      this.#dead.set(keyOf(lane), { lane, hop: String(row["hop"]) });
      options.onStanding(String(row["hop"]), false, String(row["detail"])); // as long as nothing shows otherwise
    }
  }

  /** Notifiers that nothing gets through by now. */
  gone(): readonly string[] {
    return [...this.#gone];
  }

  /** After each attempt at an address. */
  tried(lane: LaneName, { confirmed, down, detail }: Tried): void {
    const way = this.#ways.getOrInsertComputed(keyOf(lane), () => ({
      lane,
      down: false,
      failingFrom: 0,
      failedLast: 0,
      detail: "",
    }));
    const moment = ++this.#moment;
    if (confirmed) {
      if (this.#who(lane).some(({ test }) => !test)) this.#confirmed.set(lane.notifier, moment);
      Object.assign(way, { down: false, failingFrom: 0, failedLast: 0 });
      this.#alive(lane, detail);
    } else {
      Object.assign(way, { down, failingFrom: way.failingFrom || moment, failedLast: moment, detail });
    }
    this.#look(lane.notifier, detail, confirmed);
  }

  /** Another policy may be in force: nobody is told any more at what left it. */
  forgetOld(): void {
    for (const { lane } of this.#ways.values()) if (this.#who(lane).length === 0) this.#ways.delete(keyOf(lane));
    for (const { lane } of this.#dead.values())
      if (this.#who(lane).length === 0) this.#alive(lane, "nobody is told there any more");
    for (const notifier of this.#gone) this.#look(notifier, "nobody is told any more at what was down", false);
  }

  /** A notifier that stands is said to do so by what it confirms: after a restart nobody knows what was told of it before. */
  #look(notifier: string, detail: string, confirmed: boolean): void {
    const down = [...this.#ways.values()].filter((way) => way.down && way.lane.notifier === notifier);
    const provedAt = this.#confirmed.get(notifier) ?? 0;
    const isGone = down.some(({ lane, failingFrom }) => failingFrom > provedAt && this.#who(lane).length > 0);
    const wasGone = this.#gone.has(notifier);
    if (isGone) {
      this.#gone.add(notifier);
      if (!wasGone) this.#options.onStanding(`notifier/${notifier}`, false, detail);
      return;
    }
    this.#gone.delete(notifier);
    if (wasGone || confirmed) this.#options.onStanding(`notifier/${notifier}`, true, detail);
    // of many that fell silent with the notifier each is asked again before it is called dead; a single one was the reason
    for (const way of down) if (down.length === 1 || way.failedLast > provedAt) this.#died(way);
  }

  #died({ lane, detail }: Way): void {
    const who = this.#who(lane).map(({ id }) => id);
    if (who.length === 0 || this.#dead.has(keyOf(lane))) return;
    const hop = `address/${lane.notifier}/${who.join("+")}`;
    this.#dead.set(keyOf(lane), { lane, hop });
    this.#options.onStanding(hop, false, detail);
    this.#sql.put.run(lane.notifier, lane.to, hop, detail); // last, for a full disk must keep nobody from hearing of it
  }

  #alive(lane: LaneName, detail: string): void {
    const dead = this.#dead.get(keyOf(lane));
    if (dead === undefined) return;
    this.#dead.delete(keyOf(lane));
    const isShared = [...this.#dead.values()].some(({ hop }) => hop === dead.hop);
    if (!isShared) this.#options.onStanding(dead.hop, true, detail);
    this.#sql.drop.run(lane.notifier, lane.to);
  }

  #who({ notifier, to }: LaneName): readonly { readonly id: string; readonly test: boolean }[] {
    return this.#options
      .policy()
      .recipients.filter(({ addresses }) => addresses.some((one) => one.notifier === notifier && one.to === to));
  }
}

const keyOf = ({ notifier, to }: LaneName): string => `${notifier}\u0000${to}`;
