/** One unit's pages, alarms and memory as a step finds them, and how a page is kept and told. */
import { contentHash } from "../../streams/core/hash.ts";
import type { Out, State } from "../../streams/core/stage.ts";
import { type LogTime, logTime } from "../../streams/core/time.ts";
import type { Alarm, ModeEvent, Notification, Page, Policy } from "../../schemas/records/alert.ts";
import type { alertQuarantine, notifications } from "../../schemas/topics.ts";
import { consolePolicy, type Plan, policyFor } from "../policy.ts";
import { byGravity, nextAt, type OpenPage, rowOf } from "./page.ts";
import type { Seen, Awaited } from "./reported.ts";
import type { StandingBy } from "./standing-by.ts";
import type { Undelivered } from "./undelivered.ts";

/** An alarm on an open page, as it was last told. */
export interface Paged {
  readonly page: string;
  readonly alarm: Alarm;
}

/** What was over within ten seconds of log time, remembered for a while. */
interface Over {
  readonly pages: readonly string[];
  /** By identity, the revision that ended it. */
  readonly alarms: Readonly<Record<string, number>>;
}

export type Cell = OpenPage | Paged | Over | Seen | Awaited | Undelivered | StandingBy | string;
export type PagingOut = Out<{ notifications: typeof notifications; quarantine: typeof alertQuarantine }>;

/** For so long a page that is over is told apart from one that never was, and an alarm that ended is not raised by its own echo. */
const rememberedMs = 600_000;
const bucketMs = 10_000;
const bucketOf = (at: number): number => Math.floor(at / bucketMs);

/** The kinds of cell, each with its prefix. */
const prefix = {
  page: "page ",
  /** Group to its open page. */
  group: "group ",
  alarm: "alarm ",
  over: "over ",
  seen: "seen ",
  awaited: "awaited ",
  /** A part that is down, to the identity of its alarm. */
  down: "down ",
  /** A page's delayed item, while nobody is known to have it. */
  undelivered: "undelivered ",
  /** A device of which nothing is expected for a while. */
  standby: "standby ",
} as const;
type Kind = keyof typeof prefix;
const dueKinds = ["page", "seen", "awaited", "over", "undelivered", "standby"] as const;

/** Of what a due step looks through, the names. */
export interface Standing {
  readonly pages: readonly string[];
  readonly devices: readonly string[];
  readonly episodes: readonly string[];
  readonly overs: readonly string[];
  /** Pages whose delayed item nobody is known to have. */
  readonly undelivered: readonly string[];
  /** Devices of which nothing is expected. */
  readonly standbys: readonly string[];
}

export class Book {
  readonly #state: State<Cell>;
  readonly #out: PagingOut;
  readonly unit: string;
  readonly now: LogTime;
  /** In force; null where none was ever announced. */
  readonly announced: Policy | null;

  constructor(state: State<Cell>, out: PagingOut, unit: string, now: LogTime, announced: Policy | null) {
    this.#state = state;
    this.#out = out;
    this.unit = unit;
    this.now = now;
    this.announced = announced;
  }

  get policy(): Policy {
    return this.announced ?? consolePolicy;
  }

  plan({ policyUnit, priority }: Pick<OpenPage, "policyUnit" | "priority">): Plan {
    return policyFor(this.policy, policyUnit, priority, this.now);
  }

  page(identity: string): OpenPage | undefined {
    return this.#get("page", identity) as OpenPage | undefined;
  }

  pageOfGroup(group: string): OpenPage | undefined {
    const identity = this.#get("group", group) as string | undefined;
    return identity === undefined ? undefined : this.page(identity);
  }

  paged(alarm: string): Paged | undefined {
    return this.#get("alarm", alarm) as Paged | undefined;
  }

  /** The page's alarms as they are now, the gravest first. */
  alarmsOf({ alarms }: OpenPage): readonly Alarm[] {
    return alarms
      .map((identity) => this.paged(identity)?.alarm)
      .filter((alarm) => alarm !== undefined)
      .sort(byGravity);
  }

  keepAlarm(page: OpenPage, alarm: Alarm): void {
    this.#set("alarm", alarm.identity, { page: page.identity, alarm });
  }

  /** Keeps the page and tells it where people see something else now. */
  keep(page: OpenPage): void {
    const alarms = this.alarmsOf(page);
    const inOrder: OpenPage = { ...page, alarms: alarms.map(({ identity }) => identity) };
    const row = rowOf(inOrder, alarms, null);
    const hash = contentHash(JSON.stringify(row));
    const told = hash !== page.row;
    const revision = page.revision + (told ? 1 : 0);
    this.#set("page", page.identity, { ...inOrder, revision, row: hash });
    this.#set("group", page.group, page.identity);
    if (told) this.#out.emit("notifications", this.unit, { ...row, revision });
    this.comeBackAt(nextAt(page));
  }

  /** One more alarm on a page that is to be told with the next tick, which puts them in order: a whole unit's loss comes in hundreds. */
  keepForTick(page: OpenPage, alarm: Alarm): void {
    this.keepAlarm(page, alarm);
    this.#set("page", page.identity, { ...page, alarms: [...page.alarms, alarm.identity] });
    this.comeBackAt(nextAt(page));
  }

  /** Tells the page as over and forgets it. */
  end(page: OpenPage): void {
    const alarms = this.alarmsOf(page);
    this.tellRow({ ...rowOf(page, alarms, this.now), revision: page.revision + 1 });
    this.#state.delete(prefix.page + page.identity);
    if (this.#get("group", page.group) === page.identity) this.#state.delete(prefix.group + page.group);
    for (const alarm of alarms) this.forgetAlarm(alarm);
  }

  /** An alarm that is over leaves its page; its echo raises nothing. */
  forgetAlarm({ identity, revision }: Alarm): void {
    this.#state.delete(prefix.alarm + identity);
    this.#remember((over) => ({ ...over, alarms: { ...over.alarms, [identity]: revision } }));
  }

  tellRow(row: Page): void {
    this.#out.emit("notifications", this.unit, row);
    if (row.state === "over") this.#remember((over) => ({ ...over, pages: [...over.pages, row.identity] }));
  }

  notify(notification: Notification): void {
    this.#out.emit("notifications", this.unit, notification);
  }

  refuse(reason: string, detail: string): void {
    this.#out.quarantine({ reason, detail });
  }

  wasPage(identity: string): boolean {
    return this.#overs().some(({ pages }) => pages.includes(identity));
  }

  /** The revision with which an alarm of a short while ago ended. */
  endedAt(alarm: string): number | undefined {
    for (const { alarms } of this.#overs()) if (alarms[alarm] !== undefined) return alarms[alarm];
    return undefined;
  }

  seen(device: string): Seen | undefined {
    return this.#get("seen", device) as Seen | undefined;
  }

  keepSeen(device: string, seen: Seen, forgetAt: number | null): void {
    this.#set("seen", device, seen);
    this.comeBackAt(forgetAt);
  }

  awaited(episode: string): Awaited | undefined {
    return this.#get("awaited", episode) as Awaited | undefined;
  }

  keepAwaited(episode: string, awaited: Awaited): void {
    this.#set("awaited", episode, awaited);
    this.comeBackAt(awaited.until);
  }

  undelivered(page: string): Undelivered | undefined {
    return this.#get("undelivered", page) as Undelivered | undefined;
  }

  keepUndelivered(page: string, item: Undelivered, forMs: number): void {
    this.#set("undelivered", page, item);
    this.comeBackAt(item.since + forMs);
  }

  downAlarm(hop: string): string | undefined {
    return this.#get("down", hop) as string | undefined;
  }

  keepDown(hop: string, alarm: string): void {
    this.#set("down", hop, alarm);
  }

  /** The parts that are down. */
  downHops(): readonly string[] {
    const cells = [...this.#state.cells()].filter(([cell]) => cell.startsWith(prefix.down));
    return cells.map(([cell]) => cell.slice(prefix.down.length));
  }

  tellMode(event: ModeEvent): void {
    this.#out.emit("notifications", this.unit, event);
  }

  standby(device: string): StandingBy | undefined {
    return this.#get("standby", device) as StandingBy | undefined;
  }

  keepStandby(device: string, standby: StandingBy): void {
    this.#set("standby", device, standby);
    this.comeBackAt(standby.act.to);
  }

  forget(kind: "seen" | "awaited" | "down" | "undelivered" | "standby", name: string): void {
    this.#state.delete(prefix[kind] + name);
  }

  /** Begins a due step: what still wants to come back says so again. Gives what there is, looked through once. */
  beginDue(): Standing {
    this.#state.dueAt = null;
    const names: Record<(typeof dueKinds)[number], string[]> = {
      page: [],
      seen: [],
      awaited: [],
      over: [],
      undelivered: [],
      standby: [],
    };
    for (const [cell] of this.#state.cells())
      for (const kind of dueKinds) if (cell.startsWith(prefix[kind])) names[kind].push(cell.slice(prefix[kind].length));
    const { page: pages, seen: devices, awaited: episodes, over: overs, undelivered, standby: standbys } = names;
    return { pages, devices, episodes, overs, undelivered, standbys };
  }

  /** Drops what need not be remembered any more. */
  forgetOver({ overs }: Standing): void {
    for (const name of overs) {
      const forgetAt = (Number(name) + 1) * bucketMs + rememberedMs;
      if (forgetAt <= this.now) this.#state.delete(prefix.over + name);
      else this.comeBackAt(forgetAt);
    }
  }

  comeBackAt(at: number | null): void {
    const { dueAt } = this.#state;
    if (at !== null && (dueAt === null || at < dueAt)) this.#state.dueAt = logTime(at);
  }

  #get(kind: Kind, name: string): Cell | undefined {
    return this.#state.get(prefix[kind] + name);
  }

  #set(kind: Kind, name: string, value: Cell): void {
    this.#state.set(prefix[kind] + name, value);
  }

  #overs(): readonly Over[] {
    const last = bucketOf(this.now);
    const first = bucketOf(this.now - rememberedMs) - 1;
    return Array.from({ length: last - first + 1 }, (_, i) => this.#get("over", String(last - i)))
      .filter((over) => over !== undefined)
      .map((over) => over as Over);
  }

  #remember(change: (over: Over) => Over): void {
    const name = String(bucketOf(this.now));
    const known = (this.#get("over", name) as Over | undefined) ?? { pages: [], alarms: {} };
    this.#set("over", name, change(known));
    this.comeBackAt((Number(name) + 1) * bucketMs + rememberedMs);
  }
}
