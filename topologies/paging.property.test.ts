/**
 * Whatever devices, people, hops and time do, in any order: no alarm is lost or untold, nobody who owes an answer is left alone past the deadline, nothing
 * is paged that was never raised, nothing is told twice under one identity, and tests and people never meet. The model knows only which
 * conditions stand, and what the policy promises.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alarm, Notification, Page } from "../schemas/records/alert.ts";
import { drive } from "../streams/sim/drive.ts";
import { eventTime, logTime } from "../streams/core/time.ts";
import { alarmAt, at, ended, lost, pagedWard, type PagedWard, policy, reportedAt, t0 } from "../streams/sim/paged.ts";
import { paging } from "./paging.ts";
import { standInIdentity } from "./paging/stand-in.ts";

/** Ours and the device's on one group, another event of it, another direction, another bed that nobody has, and two losses. */
const conditions: readonly Partial<Alarm>[] = [
  { event: "low", direction: "low", group: "4/low" },
  { event: "low", direction: "low", group: "4/low", source: "device", rule: null },
  { event: "asystole", direction: "none", group: "4/low", source: "device", rule: null },
  { event: "high", direction: "high", group: "4/high", priority: "medium" },
  { event: "apnoea", direction: "none", group: "9/rr", bed: "9", device: "mon-9" },
  { ...lost(0, "4"), identity: "" },
  { ...lost(0, "5"), identity: "" },
];
const people = ["amsel", "birke", "charge", "physician", "duty", "beats", "stranger", ""];
const tickMs = 5_000;

const number = fc.nat(11);
const op = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("pass" as const), ticks: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("raise" as const), n: number, late: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("end" as const), n: number, latched: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("again" as const), n: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), n: number }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("priority" as const),
      n: number,
      to: fc.constantFrom("low", "medium", "high"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("confirm" as const), n: number }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("take" as const), n: number }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      who: fc.constantFrom(...people),
      what: fc.constantFrom("accept", "reject", "reset"),
      page: number,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("notified" as const), n: number, failed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hop" as const), up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("shift" as const), to: fc.constantFrom("amsel", "birke") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reported" as const), n: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("missed" as const), over: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("standby" as const),
      device: fc.constantFrom("mon-4", "mon-5"),
      minutes: fc.constantFrom(0, 1, 5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("beat" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly w: PagedWard = pagedWard(drive(paging));
  readonly restarts: boolean;
  /** Log time in ms since t0. */
  now = 0;
  /** By number of condition, as it was last told; only what is not over. */
  readonly open = new Map<number, Alarm>();
  readonly instances = new Map<number, number>();
  readonly raised = new Set<string>();
  readonly overLate = new Set<string>();
  /** Every word of every alarm. */
  readonly said: Alarm[] = [];
  isDown = false;
  /** Episodes that only the telemetry plane saw, by name. */
  readonly missed = new Map<string, { readonly from: number; over: boolean }>();
  #policies = 1;
  /** Devices of which nothing is expected, with the log time in ms since t0 at which that is over. */
  readonly standbys = new Map<string, number>();

  constructor(restarts: boolean) {
    this.restarts = restarts;
  }

  get second(): number {
    return this.now / 1_000;
  }

  run(op: Op): void {
    this.now += 1;
    const n = "n" in op ? op.n % conditions.length : 0;
    const open = this.open.get(n);
    if (op.do === "pass") this.pass(op.ticks);
    else if (op.do === "raise" && open === undefined) this.raise(n, op.late === 0 ? "late" : "current");
    else if (op.do === "take" && open === undefined) this.take(n);
    else if (op.do === "end" && open?.present) this.end(n, open, op.latched);
    else if (op.do === "again" && open?.present) this.again(n, open);
    else if (op.do === "leave" && open?.present) this.leave(n, open);
    else if (op.do === "priority" && open?.timeliness === "current" && open.present)
      this.say(n, { ...open, revision: open.revision + 1, phase: "update", priority: op.to as Alarm["priority"] });
    else if (op.do === "confirm" && open?.timeliness === "late")
      this.say(n, { ...open, revision: open.revision + 1, phase: "start", timeliness: "current" });
    else if (op.do === "answer") this.answer(op.who, op.what as "accept", op.page);
    else if (op.do === "notified")
      this.w.notified(this.second, this.w.notifications().at(-1 - op.n), "mqtt", op.failed ? "failed" : "confirmed");
    else if (op.do === "hop") this.hop(op.up);
    else if (op.do === "shift") this.shift(op.to);
    else if (op.do === "reported" && open?.present && open.metric !== null) this.reported(open);
    else if (op.do === "missed") this.miss(op.over);
    else if (op.do === "standby") this.standby(op.device, op.minutes);
    else if (op.do === "beat")
      this.w.say(this.second, alarmAt(this.second, { test: true, identity: `beat@${this.now}` }));
    else if (op.do === "restart" && this.restarts) this.w.restart();
  }

  pass(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.now = (Math.floor(this.now / tickMs) + 1) * tickMs;
      this.w.tick(t0 + this.now);
    }
  }

  say(n: number, alarm: Alarm): void {
    this.w.say(this.second, alarm);
    this.said.push(alarm);
    if (alarm.present || alarm.signal === "latched") this.open.set(n, alarm);
    else this.open.delete(n);
    if (alarm.timeliness === "current") this.raised.add(alarm.identity);
    if (alarm.timeliness === "over") this.overLate.add(alarm.identity);
  }

  raise(n: number, timeliness: Alarm["timeliness"]): void {
    const instance = this.instances.get(n) ?? 0;
    this.instances.set(n, instance + 1);
    const identity = `c${n}#${instance}`;
    this.say(
      n,
      alarmAt(this.second, { ...conditions[n], identity, instance, timeliness, onset: alarmAt(this.second).onset }),
    );
  }

  /** Somebody takes the page that it comes to, in the same moment. */
  take(n: number): void {
    this.raise(n, "current");
    const name = this.open.get(n)?.event;
    const page = this.w.pages().findLast(({ event, state }) => event === name && state !== "over");
    this.now += 1;
    if (page !== undefined) this.w.answer(this.second, "charge", "accept", page.identity);
  }

  end(n: number, open: Alarm, latched: boolean): void {
    const over = open.timeliness === "late";
    const latches = latched && !over && open.source === "device";
    this.say(
      n,
      ended(open, this.second, { timeliness: over ? "over" : "current", signal: latches ? "latched" : "inactive" }),
    );
  }

  /** Raised again after a gap: whoever had it hears of it by the next tick. What was late nobody had, and its group may be told already. */
  again(n: number, open: Alarm): void {
    this.leave(n, open);
    this.raise(n, "current");
    this.pass(1);
    if (open.timeliness === "late" || this.isHeld(conditions[n])) return;
    const identity = this.open.get(n)?.identity ?? "";
    expect(this.w.notifications().some(({ alarms }) => alarms.includes(identity))).toBe(true);
  }

  /** Its instance makes way, here or for another unit. */
  leave(n: number, open: Alarm): void {
    this.w.say(this.second, ended(open, this.second, { end: null }));
    this.open.delete(n);
  }

  answer(who: string, what: "accept" | "reject" | "reset", which: number): void {
    const pages = this.w.pages();
    const page = pages.at(-1 - which);
    if (page === undefined) return;
    this.w.say(this.second, {
      kind: "answer",
      id: `a@${this.now}`,
      page: page.identity,
      who,
      what,
      at: at(this.second),
      via: "mqtt",
    });
    if (what !== "reset" || page.state === "over" || who === "" || who === "stranger" || who === "beats") return;
    for (const [n, alarm] of this.open) if (!alarm.present && page.alarms.includes(alarm.identity)) this.open.delete(n);
  }

  hop(up: boolean): void {
    this.w.hop(this.second, "kafka", up, "ICU");
    this.isDown = !up;
  }

  /** Bed 4 is somebody else's from now on. */
  shift(to: string): void {
    const units = policy().units.map((unit) =>
      unit.unit === "ICU" ? { ...unit, assignments: [{ bed: "4", to: [to] }, ...unit.assignments.slice(1)] } : unit,
    );
    const now = t0 + this.now;
    this.w.send("", now, policy({ version: ++this.#policies, effectiveFrom: logTime(now), units }));
  }

  /** Nothing is expected of a device for some minutes, or (0) it is again. */
  standby(device: string, minutes: number): void {
    const [from, to] = [t0 + this.now, t0 + this.now + 60_000 * minutes];
    const word = { device, unit: "ICU", bed: null, by: "charge", reason: "transport", from, to, via: "mqtt" };
    this.w.say(this.second, { kind: "standby", id: `standby@${this.now}`, ...word });
    this.standbys.set(device, this.now + 60_000 * minutes);
  }

  isHeld(alarm: Partial<Alarm> | undefined): boolean {
    return alarm?.event === "monitoringLost" && (this.standbys.get(alarm.device ?? "") ?? 0) > this.now;
  }

  get isAnyHeld(): boolean {
    return [...this.open.values()].some((alarm) => this.isHeld(alarm));
  }

  /** The telemetry plane saw what the circuit has: nothing comes of it. */
  reported({ device, event, direction, metric, onset }: Alarm): void {
    const same = { device, event, direction, metric: metric ?? "", start: onset };
    const before = this.w.notifications().length;
    this.w.say(this.second, reportedAt(this.second, { episode: `same@${this.now}`, ...same }));
    expect(this.w.notifications().length).toBe(before);
  }

  /** It saw what the circuit has not; or that is over. */
  miss(over: boolean): void {
    const open = [...this.missed].find(([, one]) => !one.over);
    const [episode, { from }] = open ?? [`missed@${this.now}`, { from: this.now }];
    if (open === undefined && over) return;
    this.missed.set(episode, { from, over });
    const end = over ? eventTime(t0 + this.now) : null;
    const alone = { device: "mon-77", subject: "subject-77", event: "low", direction: "low" } as const;
    this.w.say(this.second, reportedAt(0, { episode, ...alone, start: eventTime(t0 + from), end }));
  }
}

const isOfMissed = ({ missed }: World, alarm: string): boolean =>
  [...missed.keys()].some((episode) => standInIdentity(episode) === alarm);

const latestByPage = (notifications: readonly Notification[]): ReadonlyMap<string, readonly Notification[]> =>
  Map.groupBy(
    notifications.filter(({ what }) => what === "alarm"),
    ({ page }) => page,
  );

/** How long the policy lets whoever was told last answer, in ms. */
const allowedMs = (last: readonly Notification[], page: Page): number => {
  if (page.event === "hopDown" || page.event === "missedByCircuit")
    return last.some(({ lastResort }) => lastResort) ? 120_000 : 60_000;
  const steps = last.filter(({ lastResort }) => !lastResort).map(({ step }) => step);
  if (steps.length === 0 || (steps.includes(2) && last.some(({ lastResort }) => lastResort))) return 120_000;
  const first = last[0]?.priority === "high" ? 30_000 : 180_000;
  return Math.max(...steps) === 0 ? first : 60_000;
};

const check = (world: World): void => {
  const { w } = world;
  expect(w.refusals().filter(({ reason }) => reason === "stage-defect" || reason === "alarm-not-open")).toEqual([]);
  const notifications = w.notifications();
  const open = w.pages().filter(({ state }) => state !== "over");
  // none is lost, and nothing is paged that does not stand
  const standing = [...world.open.values()].filter((one) => one.timeliness !== "late" && !world.isHeld(one));
  const platforms = new Set(["hopDown", "missedByCircuit"]);
  const paged = open
    .filter(({ event }) => !platforms.has(event))
    .flatMap(({ alarms }) => alarms)
    .filter((alarm) => !isOfMissed(world, alarm));
  expect(paged.toSorted()).toEqual(standing.map(({ identity }) => identity).toSorted());
  expect(open.filter(({ event }) => event === "hopDown").length).toBe(world.isDown ? 1 : 0);
  for (const { alarms, what, event } of notifications) {
    if (platforms.has(event) || what === "test") continue;
    for (const alarm of alarms.filter((one) => !isOfMissed(world, one)))
      expect(world.raised.has(alarm) || (what === "delayed" && world.overLate.has(alarm))).toBe(true);
  }
  // what the circuit lacked for half a minute is paged until it is over, and that it was missed is told
  for (const [episode, { from, over }] of world.missed) {
    if (world.now - from < 30_000 + tickMs) continue;
    const alarm = standInIdentity(episode);
    expect(open.some(({ alarms }) => alarms.includes(alarm))).toBe(!over);
    expect(notifications.some(({ alarms }) => alarms.includes(alarm))).toBe(true);
    expect(notifications.some(({ event }) => event === "missedByCircuit")).toBe(true);
  }
  // of each somebody was told, or it joined in silence what another source had said of the same thing
  const toldOf = new Set(notifications.flatMap(({ alarms }) => alarms));
  for (const alarm of standing) {
    const isSame = (one: Alarm): boolean =>
      one.group === alarm.group && one.event === alarm.event && one.source !== alarm.source;
    const saidBefore = world.said.filter((one) => isSame(one) && toldOf.has(one.identity));
    expect(toldOf.has(alarm.identity) || saidBefore.length > 0, `${alarm.identity} was told of`).toBe(true);
  }
  // whoever is to answer is never left alone past the deadline
  const told = latestByPage(notifications);
  for (const page of open) {
    if (page.state !== "escalating") continue;
    const all = told.get(page.identity) ?? [];
    const lastAt = all.at(-1)?.at ?? page.raisedAt;
    const last = all.filter((one) => one.at === lastAt);
    const mayTakeMs = last.length === 0 ? 0 : allowedMs(last, page);
    expect(t0 + world.now - lastAt, `${page.event} escalates`).toBeLessThanOrEqual(mayTakeMs + tickMs);
    expect(page.nextAt).not.toBeNull();
  }
  // nothing twice under one identity; tests and people never meet; only who was told hears of the end
  expect(new Set(notifications.map(({ identity }) => identity)).size).toBe(notifications.length);
  for (const { recipient, what } of notifications) expect(recipient === "beats").toBe(what === "test");
  for (const end of notifications.filter(({ what }) => what === "ended"))
    expect(
      notifications.some((one) => one.page === end.page && one.recipient === end.recipient && one.what !== "ended"),
    ).toBe(true);
  // what was late and is over is one delayed item to the first step, one to the last resort where that failed, and nothing else
  for (const alarm of world.overLate) {
    const about = notifications.filter(({ alarms }) => alarms.includes(alarm));
    expect(about.map(({ what }) => what)).toEqual(about.length === 1 ? ["delayed"] : ["delayed", "delayed"]);
    if (about.length > 1) expect(about.map(({ lastResort }) => lastResort)).toEqual([false, true]);
  }
};

/** While nobody says anything new, an accepted page is reminded of and never redirected. */
const passes = (world: World, ticks: number): void => {
  const taken = new Set(
    world.w
      .pages()
      .filter(({ state, event }) => state === "accepted" && !(event === "monitoringLost" && world.isAnyHeld))
      .map(({ identity }) => identity),
  );
  const before = world.w.notifications().length;
  world.pass(ticks);
  const since = world.w.notifications().slice(before);
  expect(since.filter(({ page, what }) => taken.has(page) && what === "alarm")).toEqual([]);
};

describe("pages, whatever happens", () => {
  it("keep every promise, after each single thing that happens", () => {
    fc.assert(
      fc.property(fc.array(op, { minLength: 1, maxLength: 40, size: "max" }), (ops) => {
        const world = new World(true);
        for (const one of ops) {
          world.run(one);
          if (one.do === "pass") check(world);
        }
        world.pass(1);
        check(world);
        passes(world, 200);
        check(world);
      }),
      { numRuns: 120 },
    );
  }, 120_000);

  it("come out the same over restarts", () => {
    fc.assert(
      fc.property(fc.array(op, { minLength: 1, maxLength: 25, size: "max" }), (ops) => {
        const [whole, broken] = [new World(false), new World(true)];
        for (const world of [whole, broken]) for (const one of ops) world.run(one);
        expect(broken.w.outputs("notifications")).toEqual(whole.w.outputs("notifications"));
        expect(broken.w.refusals()).toEqual(whole.w.refusals());
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
