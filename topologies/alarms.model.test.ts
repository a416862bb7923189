/** Properties of alarms against a plain model of what is there, whatever devices, rules and time do. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alarm, DeviceAlarm } from "../schemas/records/alert.ts";
import type { Rule } from "../schemas/records/broadcast.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import type { EpisodesBody } from "../schemas/topics.ts";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import {
  alarmsOf,
  at,
  deviceAlarm,
  endOf,
  episodeOf,
  leftAt,
  link,
  ruleOf,
  stateOf,
  still,
  subject,
} from "../streams/sim/said.ts";
import { alarms } from "./alarms.ts";

/** The sources of one device, as people would name what each can tell. */
const rules: Readonly<Record<string, Rule>> = {
  tachycardia: ruleOf({ id: "tachycardia", when: "above", limit: 120 }),
  bradycardia: ruleOf({ id: "bradycardia", when: "below", limit: 50 }),
  shadow: ruleOf({ id: "shadow", when: "above", limit: 110, approval: null }),
};
const codes = ["ASYS", "VF"] as const;

type Action =
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "cross" | "clear" | "still"; readonly what: string; readonly lateBy: number }
  | { readonly do: "alarm" | "change" | "again" | "over"; readonly what: string; readonly lateBy: number }
  | { readonly do: "stored" | "newVersion"; readonly what: string }
  | { readonly do: "silent" | "standby" | "streaming" | "leave" | "restart" | "repeat" }
  | { readonly do: "move"; readonly unit: string };

const lateBy = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 300 }));
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 90 }) }),
  fc.record({ do: fc.constantFrom("cross", "clear", "still"), what: fc.constantFrom(...Object.keys(rules)), lateBy }),
  fc.record({ do: fc.constantFrom("alarm", "change", "again", "over"), what: fc.constantFrom(...codes), lateBy }),
  fc.record({ do: fc.constantFrom("stored", "newVersion"), what: fc.constantFrom("tachycardia", "bradycardia") }),
  fc.record({ do: fc.constantFrom("silent", "standby", "streaming", "leave", "restart", "repeat") }),
  fc.record({ do: fc.constant("move" as const), unit: fc.constantFrom("ICU", "CCU") }),
);

/** A condition as it is, whatever anybody says of it late. */
interface Present {
  word: Episode | DeviceAlarm;
  /** Of stored readings: nobody is told of it as of now, whatever happens. */
  readonly past?: true;
  /** Somebody has been told of it as of now. */
  paged: boolean;
  unseen: boolean;
  /** When it has to page, or to be raised again, unless a newer word comes. */
  overdueAt: number;
  instance: number;
}

/** Plays actions as `thresholds` and `normalise` would say them, and knows what must be open, as which instance, paged or not. */
class World {
  readonly driven = drive(alarms);
  readonly present = new Map<string, Present>();
  readonly instances = new Map<string, number>();
  lost = false;
  #unit = "ICU";
  #second = 0;
  #words = 0;
  #last: EpisodesBody | null = null;
  readonly #restarts: boolean;

  constructor({ restarts = true } = {}) {
    this.#restarts = restarts;
    this.#say(link());
    this.#say(stateOf("streaming", 0));
  }

  play(action: Action): void {
    // A second at the least lies between two words, so that each is its own.
    this.#second += action.do === "wait" ? action.seconds : 1;
    this.#time();
    if (action.do === "cross") this.#cross(action.what, action.lateBy);
    else if (action.do === "clear") this.#clear(action.what);
    else if (action.do === "still") this.#still(action.what, action.lateBy);
    else if (action.do === "alarm") this.#alarm(action.what, action.lateBy);
    else if (action.do === "change" || action.do === "again") this.#reword(action.do, action.what, action.lateBy);
    else if (action.do === "over") this.#over(action.what);
    else if (action.do === "stored") this.#stored(action.what);
    else if (action.do === "newVersion") this.#newVersion(action.what);
    else if (action.do === "silent") this.#silent();
    else if (action.do === "standby") this.#standby();
    else if (action.do === "streaming") this.#streaming();
    else if (action.do === "move") this.#move(action.unit);
    else if (action.do === "leave") this.#leave();
    else if (action.do === "restart" && this.#restarts) this.driven.restart();
    else if (action.do === "repeat" && this.#last !== null && !this.#lastLate) this.#say(this.#last);
  }

  /** Two words of one condition are of two samples, however late they come; the same sample twice is `repeat`. */
  readonly #sampled = new Set<string>();
  #isOwn(name: string, by: number): boolean {
    const sample = `${name} ${this.#second - by}`;
    if (this.#sampled.has(sample)) return false;
    this.#sampled.add(sample);
    return true;
  }

  /** A late word of what is there is owed an answer for a minute; said again after that it would be owed another. The log's positions drop it. */
  #lastLate = false;

  #say(body: EpisodesBody, late = false): void {
    this.#last = body;
    this.#lastLate = late;
    this.driven.send(subject, at(this.#second), body);
  }

  #time(): void {
    for (const [name, known] of this.present) {
      if (known.overdueAt > this.#second) continue;
      known.overdueAt = Number.POSITIVE_INFINITY;
      if (known.paged) this.#mint(name, known);
      known.paged = true;
      known.unseen = false;
    }
    this.driven.tick(at(this.#second));
  }

  #mint(name: string, known: { instance: number }): void {
    known.instance = (this.instances.get(name) ?? -1) + 1;
    this.instances.set(name, known.instance);
  }

  #begin(name: string, word: Present["word"], late: boolean, overdueAt: number): void {
    const known: Present = { word, paged: !late, unseen: false, overdueAt, instance: 0 };
    this.#mint(name, known);
    this.present.set(name, known);
  }

  #cross(what: string, by: number): void {
    const rule = rules[what];
    if (rule === undefined || this.present.has(what) || this.#shadowOpen === what || !this.#isOwn(what, by)) return;
    const word = episodeOf(rule, this.#second - by - 10, 130, { identity: `${what}-${this.#words++}` });
    if (rule.approval === null) this.#shadow = word;
    else this.#begin(what, word, by > 60, Number.POSITIVE_INFINITY);
    this.#say(word);
  }
  #shadow: Episode | null = null;
  get #shadowOpen(): string | null {
    return this.#shadow?.rule.id ?? null;
  }

  #clear(what: string): void {
    const word = this.present.get(what)?.word ?? (this.#shadowOpen === what ? this.#shadow : null);
    if (word?.kind !== "episode") return;
    if (word === this.#shadow) this.#shadow = null;
    this.present.delete(what);
    this.#say(endOf(word, this.#second));
  }

  #still(what: string, by: number): void {
    const known = this.present.get(what);
    if (known?.word.kind !== "episode") {
      if (this.#shadow !== null && this.#shadowOpen === what) this.#say(still(this.#shadow, this.#second, "afterGap"));
      return;
    }
    if (!this.#isOwn(what, by)) return;
    this.#again(what, known, by > 60);
    this.#say(still(known.word, this.#second - by, "afterGap"), by > 60);
  }

  /** Said again after a gap: late it is owed, of now it pages or is raised again. */
  #again(name: string, known: Present, late: boolean): void {
    if (late && !known.paged) return;
    if (late) {
      known.unseen = true;
      known.overdueAt = Math.min(known.overdueAt, this.#second + 60);
      return;
    }
    if (known.paged) this.#mint(name, known);
    known.paged = true;
    known.unseen = false;
    known.overdueAt = Number.POSITIVE_INFINITY;
  }

  #alarm(code: string, by: number): void {
    if (this.present.has(code) || !this.#isOwn(code, by)) return;
    const word = deviceAlarm(this.#second - by, { identity: `${code}-${this.#words++}`, code });
    this.#begin(code, word, by > 60, by > 60 ? this.#second + 60 : Number.POSITIVE_INFINITY);
    this.#say(word);
  }

  #reword(how: "change" | "again", code: string, by: number): void {
    const known = this.present.get(code);
    if (known?.word.kind !== "deviceAlarm" || !this.#isOwn(code, by)) return;
    const late = by > 60;
    if (how === "again" || (!late && (known.unseen || !known.paged))) this.#again(code, known, late);
    const why = how === "again" ? ("afterGap" as const) : ("changes" as const);
    const text = how === "again" ? known.word.text : `text ${this.#words++}`;
    this.#say({ ...known.word, why, text, saidAt: eventTime(at(this.#second - by)) }, late);
  }

  #over(code: string): void {
    const known = this.present.get(code);
    if (known?.word.kind !== "deviceAlarm") return;
    this.present.delete(code);
    const ended = eventTime(at(this.#second));
    this.#say({ ...known.word, why: "ends", present: false, signal: "inactive", eventTime: ended, saidAt: ended });
  }

  /** A crossing in stored readings begins, or is over. */
  #stored(what: string): void {
    const rule = rules[what];
    const name = `stored ${what}`;
    const known = this.present.get(name);
    if (known?.word.kind === "episode") {
      this.present.delete(name);
      this.#say(endOf(known.word, this.#second, "the stored readings end here"));
    } else if (rule !== undefined) {
      const word = episodeOf(rule, this.#second - 40, 130, { identity: `${name}-${this.#words++}`, late: true });
      const begun: Present = {
        word,
        past: true,
        paged: false,
        unseen: false,
        overdueAt: Number.POSITIVE_INFINITY,
        instance: 0,
      };
      this.#mint(name, begun);
      this.present.set(name, begun);
      this.#say(word);
    }
  }

  /** The same crossing, by another version of its rule. */
  #newVersion(what: string): void {
    const known = this.present.get(what);
    if (known?.word.kind !== "episode") return;
    const { rule, revision } = known.word;
    known.word = { ...known.word, revision: revision + 1, rule: { ...rule, version: rule.version + 1 } };
    this.#say(known.word);
  }

  #silent(): void {
    this.#say(stateOf("silent", this.#second, { unit: this.#unit }));
    this.lost = true;
    this.#loseSight();
  }

  #standby(): void {
    this.#say(stateOf("standby", this.#second, { unit: this.#unit }));
    this.lost = false;
    this.#loseSight();
  }

  #loseSight(): void {
    for (const known of this.present.values()) {
      if (known.past) continue;
      if (!known.paged) known.overdueAt = Number.POSITIVE_INFINITY;
      known.paged = true;
      known.unseen = true;
    }
  }

  #streaming(): void {
    this.#say(stateOf("streaming", this.#second, { unit: this.#unit }));
    this.lost = false;
  }

  #move(unit: string): void {
    if (unit !== this.#unit)
      for (const [name, known] of this.present) {
        this.#mint(name, known);
        if (known.paged) known.overdueAt = Number.POSITIVE_INFINITY;
        known.unseen = false;
      }
    this.#unit = unit;
    this.#streaming();
  }

  /** And is linked again in the same breath. */
  #leave(): void {
    for (const { word } of this.present.values())
      if (word.kind === "episode")
        this.driven.send(subject, at(this.#second), endOf(word, this.#second, "subject ended"));
    this.present.clear();
    this.#shadow = null;
    this.lost = false;
    this.#say(leftAt(this.#second));
    this.#say(link({ id: `a-${this.#words++}`, from: at(this.#second) }));
    this.#streaming();
  }
}

const playAll = (actions: readonly Action[], options = {}): World => {
  const world = new World(options);
  for (const one of actions) world.play(one);
  return world;
};

/** Origins here name their rule or code. */
const conditionOf = ({ origin, event }: Alarm): string => (origin === "" ? event : origin.replace(/-.*/, ""));

describe("whatever devices, rules and time do", () => {
  it("what is there is open, what is not is not, nobody's word is lost, and nothing that never was is told", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80, size: "max" }), (actions) => {
        const world = new World();
        for (const one of actions) {
          world.play(one);
          const open = new Map<string, Alarm>();
          for (const told of alarmsOf(world.driven))
            if (told.phase === "end") open.delete(told.identity);
            else open.set(told.identity, told);
          const isOpen = [...open.values()]
            .filter(({ source }) => source !== "technical")
            .map((told) => ({ origin: told.origin, instance: told.instance, paged: told.timeliness === "current" }));
          const shouldBe = [...world.present.values()].map(({ word, instance, paged }) => ({
            origin: word.identity,
            instance,
            paged,
          }));
          const byOrigin = (a: { origin: string }, b: { origin: string }): number => (a.origin < b.origin ? -1 : 1);
          expect(isOpen.sort(byOrigin)).toEqual(shouldBe.sort(byOrigin));
          expect([...open.values()].some(({ event }) => event === "monitoringLost")).toBe(world.lost);
        }
        expect(world.driven.refusals()).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it("each instance is told in order, from one start to at most one end, and a condition never has two open", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80, size: "max" }), (actions) => {
        const told = alarmsOf(playAll(actions).driven);
        const last = new Map<string, Alarm>();
        const openOf = new Map<string, string>();
        for (const one of told) {
          const before = last.get(one.identity);
          last.set(one.identity, one);
          expect(one.revision).toBe((before?.revision ?? -1) + 1);
          expect(before?.phase).not.toBe("end");
          if (before === undefined) expect([one.phase, one.timeliness === "over"]).toEqual(["start", false]);
          else expect([one.instance, one.onset, one.unit]).toEqual([before.instance, before.onset, before.unit]);
          expect(one.present).toBe(one.phase !== "end");
          expect(one.end === null || one.phase === "end").toBe(true);
          // late comes before current, and what was paged is never taken back to late
          if (before?.timeliness === "current") expect(one.timeliness).toBe("current");
          const condition = conditionOf(one);
          if (one.phase === "end") openOf.delete(condition);
          else {
            expect(openOf.get(condition) ?? one.identity).toBe(one.identity);
            openOf.set(condition, one.identity);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("a restart between any two words changes nothing", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80, size: "max" }), (actions) => {
        const straight = alarmsOf(playAll(actions, { restarts: false }).driven);
        expect(alarmsOf(playAll(actions).driven)).toEqual(straight);
      }),
      { numRuns: 100 },
    );
  });
});
