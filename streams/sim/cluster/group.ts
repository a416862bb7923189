/**
 * A simulated consumer group. A member sees its share only with its next heartbeat: one that was expelled, because it was silent for a
 * session's length, goes on with what it had until it hears of it, while others have begun: a zombie.
 */
import type { Membership } from "../../log/shared-subscription.ts";
import { shareOf } from "../../log/share-of.ts";
import { Signal } from "../../log/signal.ts";
import type { Schedule, SimProcess } from "./schedule.ts";

/** One that was expelled hears of it after this long at most: until then it is a zombie. */
const heartbeatMs = 600;

export class SimGroup {
  readonly #partitions: number;
  readonly #schedule: Schedule;
  #members: SimMember[] = [];
  readonly #holders = new Map<number, SimMember>();

  constructor(partitions: number, schedule: Schedule) {
    this.#partitions = partitions;
    this.#schedule = schedule;
  }

  join(process: SimProcess): Membership {
    const member = new SimMember(process, this);
    this.enter(member);
    return member;
  }

  enter(member: SimMember): void {
    this.#members.push(member);
    this.#tellAll();
  }

  leave(member: SimMember): void {
    this.#members = this.#members.filter((other) => other !== member);
    for (const [partition, holder] of this.#holders) if (holder === member) this.#holders.delete(partition);
    this.#tellAll();
  }

  /** The coordinator gives up on a process. */
  expel(process: SimProcess): void {
    for (const member of this.#members.filter((one) => one.process === process)) {
      this.leave(member);
      this.#schedule.after(process, this.#schedule.pick(heartbeatMs), "heartbeat", () => member.hear());
    }
  }

  has(member: SimMember): boolean {
    return this.#members.includes(member);
  }

  shareOf(member: SimMember): ReadonlySet<number> {
    return shareOf(this.#members, member, this.#partitions);
  }

  take(member: SimMember, partition: number): boolean {
    if (!this.has(member)) return false;
    return this.#holders.getOrInsert(partition, member) === member;
  }

  release(member: SimMember, partition: number): void {
    if (this.#holders.get(partition) !== member) return;
    this.#holders.delete(partition);
    this.#tellAll();
  }

  #tell(member: SimMember): void {
    if (member.beating) return;
    member.beating = true;
    this.#schedule.add(member.process, "heartbeat", () => member.hear());
  }

  #tellAll(): void {
    for (const member of this.#members) this.#tell(member);
  }
}

class SimMember implements Membership {
  readonly changed = new Signal();
  readonly process: SimProcess;
  readonly #group: SimGroup;
  readonly #held = new Set<number>();
  /** A heartbeat is under way. */
  beating = false;
  #share: ReadonlySet<number> = new Set();
  #left = false;

  constructor(process: SimProcess, group: SimGroup) {
    this.process = process;
    this.#group = group;
  }

  /** A heartbeat's answer: what the coordinator thinks by now. One that was expelled gives up everything and joins again. */
  hear(): void {
    this.beating = false;
    if (this.#left) return;
    if (this.#group.has(this)) this.#share = this.#group.shareOf(this);
    else {
      this.#share = new Set();
      this.#held.clear();
      this.#group.enter(this);
    }
    this.changed.notify();
  }

  wanted(): ReadonlySet<number> {
    return this.#share;
  }

  take(partition: number): boolean {
    if (!this.#group.take(this, partition)) return false;
    this.#held.add(partition);
    return true;
  }

  holds(partition: number): boolean {
    return this.#held.has(partition);
  }

  release(partition: number): void {
    this.#held.delete(partition);
    this.#group.release(this, partition);
  }

  async leave(): Promise<void> {
    this.#left = true;
    this.#group.leave(this);
  }
}
