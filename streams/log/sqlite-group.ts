/**
 * Consumer groups in the SQLite file, across processes: members with a lease that they renew, and one holder per partition.
 * A member whose lease ran out is forgotten by the others, and finds that out at its next beat.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { DatabaseSync } from "node:sqlite";
import { isFatal } from "./pump.ts";
import { shareOf } from "./share-of.ts";
import type { Membership } from "./shared-subscription.ts";
import { Signal } from "./signal.ts";
import type { SqliteWriter } from "./sqlite-writer.ts";

export const beatMs = 1_000;
const leaseMs = 6_000;
const host = hostname();

/** A member of this machine whose process is gone need not be waited for. */
const isDead = (member: string): boolean => {
  const [memberHost, pid] = member.split("/");
  if (memberHost !== host) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
};

interface Member {
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
  readonly name: string;
  readonly changed: Signal;
  wanted: ReadonlySet<number>;
  held: ReadonlySet<number>;
  readonly working: Set<number>;
}

export class SqliteGroups {
  readonly #writer: SqliteWriter;
  readonly #members = new Set<Member>();
  readonly #sql;

  constructor(db: DatabaseSync, writer: SqliteWriter) {
    this.#writer = writer;
    this.#sql = {
      renew: db.prepare(
        `insert into members (grp, topic, member, joined, alive_until_ms)
         values (?1, ?2, ?3, (select coalesce(max(joined), 0) + 1 from members where grp = ?1 and topic = ?2), ?4)
         on conflict do update set alive_until_ms = excluded.alive_until_ms`,
      ),
      forget: db.prepare("delete from members where grp = ? and topic = ? and alive_until_ms < ?"),
      leave: db.prepare("delete from members where grp = ? and topic = ? and member = ?"),
      members: db.prepare("select member from members where grp = ? and topic = ? order by joined"),
      orphan: db.prepare(
        `delete from leases where grp = ?1 and topic = ?2
         and member not in (select member from members where grp = ?1 and topic = ?2)`,
      ),
      take: db.prepare("insert or ignore into leases (grp, topic, partition, member) values (?, ?, ?, ?)"),
      release: db.prepare("delete from leases where grp = ? and topic = ? and partition = ? and member = ?"),
      held: db.prepare("select partition from leases where grp = ? and topic = ? and member = ?"),
    };
  }

  get any(): boolean {
    return this.#members.size > 0;
  }

  async join(group: string, topic: string, partitions: number): Promise<Membership> {
    const changed = new Signal();
    const name = `${host}/${process.pid}/${randomUUID()}`;
    const none: ReadonlySet<number> = new Set();
    const member: Member = { group, topic, partitions, name, changed, wanted: none, held: none, working: new Set() };
    this.#members.add(member);
    await this.beat();
    return {
      changed,
      wanted: () => member.wanted,
      take: (partition) => {
        if (!member.held.has(partition)) return false;
        member.working.add(partition);
        return true;
      },
      holds: (partition) => member.held.has(partition),
      release: (partition) => {
        member.working.delete(partition);
        this.#soon();
      },
      leave: async () => {
        this.#members.delete(member);
        await this.#writer.run(() => this.#leave(member));
        await this.beat();
      },
    };
  }

  /** Renews this process's memberships and sees who else is there. Call every {@link beatMs} and when `stale`. */
  async beat(): Promise<void> {
    await this.#writer.run(() => {
      for (const member of this.#members) this.#renew(member);
      for (const member of this.#members) this.#take(member);
    });
    for (const { changed } of this.#members) changed.notify();
  }

  /** Whether members have come or gone, or a wanted partition is still missing; only reads. */
  stale(): boolean {
    return [...this.#members].some((member) => {
      const wanted = this.#share(member);
      return (
        wanted.size !== member.wanted.size || [...wanted].some((p) => !member.wanted.has(p) || !member.held.has(p))
      );
    });
  }

  /** A beat between two beats; one that fails for now is made up for by the next. */
  #soon(): void {
    this.beat().catch((error: unknown) => {
      if (isFatal(error) && this.any) throw error;
    });
  }

  #renew(member: Member): void {
    const { group, topic, name } = member;
    const nowMs = Date.now();
    this.#sql.forget.run(group, topic, nowMs);
    for (const other of this.#present(member)) if (isDead(other)) this.#sql.leave.run(group, topic, other);
    this.#sql.renew.run(group, topic, name, nowMs + leaseMs);
    this.#sql.orphan.run(group, topic);
    member.wanted = this.#share(member);
    for (const partition of this.#held(member))
      if (!member.wanted.has(partition) && !member.working.has(partition))
        this.#sql.release.run(group, topic, partition, name);
  }

  #take(member: Member): void {
    const { group, topic, name } = member;
    member.wanted = this.#share(member);
    for (const partition of member.wanted) this.#sql.take.run(group, topic, partition, name);
    member.held = this.#held(member);
  }

  #leave({ group, topic, name }: Member): void {
    this.#sql.leave.run(group, topic, name);
    this.#sql.orphan.run(group, topic);
  }

  #share(member: Member): ReadonlySet<number> {
    return shareOf(this.#present(member), member.name, member.partitions);
  }

  #present({ group, topic }: Member): string[] {
    return this.#sql.members.all(group, topic).map((row) => String(row["member"]));
  }

  #held({ group, topic, name }: Member): ReadonlySet<number> {
    return new Set(this.#sql.held.all(group, topic, name).map((row) => Number(row["partition"])));
  }
}
