/**
 * A small ward for the simulator: six stages that have in them what breaks protocols. Keys are changed twice, to other numbers of partitions;
 * two stages read one topic and write to one other; two topics flow into one; state is history-sensitive and is deleted; ticks close windows.
 *
 *   readings (2) ─ label ──┬─▶ values (3) ─┬─ minutes ──▶ windows (2) ─ totals ──▶ totals (1)
 *   devices (1) ── relabel ┘               └─ streaks ──▶ streaks (1)
 *                                   all of these ──▶ refused (1) ─ complaints ──▶ complaints (1)
 */
import { type AnyStage, stage, type State } from "../../streams/core/stage.ts";
import { logTime } from "../../streams/core/time.ts";
import { type Topology, topology } from "../../streams/core/topology.ts";
import { type Body, type Codec, type Envelope, topic } from "../../streams/core/topic.ts";

export interface Reading extends Body {
  readonly kind: "reading";
  /** Event time in ms, as claimed. */
  readonly at: number;
  readonly value: number;
}
interface Value extends Body {
  readonly kind: "value";
  readonly at: number;
  readonly value: number;
}
interface Window extends Body {
  readonly kind: "window";
  readonly subject: string;
  readonly start: number;
  readonly revision: number;
  readonly sum: number;
  readonly count: number;
}
interface Streak extends Body {
  readonly kind: "streak";
  readonly value: number;
  readonly length: number;
}
interface Total extends Body {
  readonly kind: "total";
  readonly patient: string;
  readonly sum: number;
  readonly windows: number;
}
interface Complaint extends Body {
  readonly kind: "complaint";
  readonly about: string;
  readonly count: number;
}

/** Entries pass through the simulated log as they are (wire.ts). */
const carriedAsIs = {
  schema: {},
  encode: () => new Uint8Array(),
  decode: () => {
    throw new Error("the simulator's wire carries entries as they are");
  },
  decodeFrom: () => {
    throw new Error("the simulator's wire carries entries as they are");
  },
};
const carried = <B extends Body>(): Codec<Envelope<B>> => carriedAsIs as Codec<Envelope<B>>;

type Refused = Body & { readonly reason: string };

export const readings = topic<Reading>("readings", { partitions: 2, key: "device", codec: carried(), raw: true });
export const devices = topic<Reading>("devices", { partitions: 1, key: "device", codec: carried(), raw: true });
export const values = topic<Value>("values", { partitions: 3, key: "subject", codec: carried() });
const windows = topic<Window>("windows", { partitions: 2, key: "patient", codec: carried() });
const streaks = topic<Streak>("streaks", { partitions: 1, key: "subject", codec: carried() });
const refused = topic<Refused>("refused", { partitions: 1, key: "subject", codec: carried() });
const totals = topic<Total>("totals", { partitions: 1, key: "patient", codec: carried() });
const complaints = topic<Complaint>("complaints", { partitions: 1, key: "reason", codec: carried() });

const again = topic<Refused>("again", { partitions: 1, key: "reason", codec: carried() });

const mixed = (a: number, b: number): number => (Math.imul(a ^ 0x9e37, 31) + Math.imul(b, 131)) % 1_000_003;

/** Every third reading of a device empties its state; some go to two subjects; one value in about thirty throws. */
const label = (name: string, reads: typeof readings) =>
  stage<Reading, { values: typeof values; refused: typeof refused }, { seen: number; mix: number }, null>(name, {
    version: 1,
    reads,
    writes: { values, refused },
    quarantine: "refused",
    step(state, { key, body }, out) {
      const { seen, mix } = state.get("seen") ?? { seen: 0, mix: key.length };
      const next = { seen: seen + 1, mix: mixed(mix, body.value) };
      out.emit("values", `s${Math.abs(mixed(key.charCodeAt(1), body.value)) % 5}`, {
        ...body,
        kind: "value",
        value: next.mix,
      });
      if (body.value % 3 === 0) out.emit("values", `s${body.value % 5}`, { ...body, kind: "value", value: -next.mix });
      if (body.value % 31 === 13) throw new Error("unlucky");
      if (next.seen >= 3) state.delete("seen");
      else state.set("seen", next);
    },
  });

export const widthMs = 10_000;
const settleMs = 2_000;
export const latenessMs = 20_000;
interface Open {
  readonly sum: number;
  readonly count: number;
  readonly revision: number;
  readonly pending: boolean;
}

const nextDue = (state: State<Open>): void => {
  const at = [...state.cells()].map(
    ([start, open]) => Number(start) + widthMs + (open.pending ? settleMs : latenessMs + widthMs),
  );
  state.dueAt = at.length === 0 ? null : logTime(Math.min(...at));
};

/** Tumbling windows with lateness and revisions, re-keyed from subject to patient. */
const minutes = stage<Value, { windows: typeof windows; refused: typeof refused }, Open, null>("minutes", {
  version: 1,
  reads: values,
  writes: { windows, refused },
  quarantine: "refused",
  step(state, { logTime: now, body }, out) {
    const start = Math.floor(body.at / widthMs) * widthMs;
    if (now > start + widthMs + latenessMs) return out.quarantine({ reason: "too-late", detail: String(body.at) });
    if (start > now + widthMs) return out.quarantine({ reason: "ahead", detail: String(body.at) });
    const open = state.get(String(start)) ?? { sum: 0, count: 0, revision: 0, pending: false };
    state.set(String(start), { ...open, sum: open.sum + body.value, count: open.count + 1, pending: true });
    nextDue(state);
  },
  due(state, now, key, out) {
    for (const [name, open] of state.cells()) {
      const start = Number(name);
      if (open.pending && start + widthMs + settleMs <= now) {
        const { sum, count, revision } = open;
        out.emit("windows", `p${key.charCodeAt(1) % 3}`, { kind: "window", subject: key, start, revision, sum, count });
        state.set(name, { ...open, revision: revision + 1, pending: false });
      } else if (start + 2 * widthMs + latenessMs <= now) state.delete(name);
    }
    nextDue(state);
  },
});

/** Counts how often the sign stayed the same; refuses some, so that two stages write refusals of one topic. */
const streak = stage<Value, { streaks: typeof streaks; refused: typeof refused }, Streak, null>("streaks", {
  version: 1,
  reads: values,
  writes: { streaks, refused },
  quarantine: "refused",
  step(state, { body }, out) {
    if (body.value % 5 === 0) return out.quarantine({ reason: "five", detail: String(body.value) });
    const before = state.get("streak");
    const goes = before !== undefined && Math.sign(before.value) === Math.sign(body.value);
    const next: Streak = { kind: "streak", value: body.value, length: goes ? before.length + 1 : 1 };
    if (next.length >= 3) state.delete("streak");
    else state.set("streak", next);
    out.emit("streaks", body.value % 2 === 0 ? "even" : "odd", next);
  },
});

/** Per patient the sum over the newest revision of each window, told each ten seconds. */
const total = stage<Window, { totals: typeof totals; refused: typeof refused }, Window, null>("totals", {
  version: 1,
  reads: windows,
  writes: { totals, refused },
  quarantine: "refused",
  step(state, { logTime: now, body }) {
    state.set(`${body.subject}/${body.start}`, body);
    state.dueAt ??= logTime(now + widthMs);
  },
  due(state, _now, key, out) {
    const all = [...state.cells()].map(([, window]) => window);
    const sum = all.reduce((before, window) => before + window.sum, 0);
    out.emit("totals", key, { kind: "total", patient: key, sum, windows: all.length });
  },
});

const complain = stage<Refused, { complaints: typeof complaints; again: typeof again }, number, null>("complaints", {
  version: 1,
  reads: refused,
  writes: { complaints, again },
  quarantine: "again",
  step(state, { body }, out) {
    const count = (state.get("count") ?? 0) + 1;
    state.set("count", count);
    out.emit("complaints", body.reason, { kind: "complaint", about: body.reason, count });
  },
});

export const stages: readonly AnyStage[] = [
  label("label", readings),
  label("relabel", devices),
  minutes,
  streak,
  total,
  complain,
];
export const pipeline: Topology = topology(stages);

const asItIs = { cells: (_from: number, _key: string, cells: Readonly<Record<string, unknown>>) => cells };

/** The next build: `streaks` counts otherwise, from state rebuilt by replay, and `minutes` tells twice the sum, from the state it finds. */
export const newerPipeline: Topology = topology(
  stages.map((one) => {
    if (one.name === "streaks") return { ...one, version: 2, step: countsNext(one) };
    if (one.name === "minutes") return { ...one, version: 2, migrate: asItIs, due: tellsTwice(one) };
    return one;
  }),
);

function countsNext(one: AnyStage): AnyStage["step"] {
  return (state, entry, ...rest) =>
    one.step(state, { ...entry, body: { ...entry.body, value: entry.body.value + 1 } }, ...rest);
}

function tellsTwice(one: AnyStage): NonNullable<AnyStage["due"]> {
  return (state, now, key, out, shared) => {
    const emit: typeof out.emit = (to, as, body) =>
      out.emit(to, as, body.kind === "window" ? ({ ...body, sum: 2 * (body as Body & Window).sum } as Body) : body);
    one.due?.(state, now, key, { emit, quarantine: (...problem) => out.quarantine(...problem) }, shared);
  };
}
