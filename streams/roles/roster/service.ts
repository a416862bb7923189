/**
 * Applies what the roster is told: one event is kept, what holds is computed anew, and the revisions that follow wait for the log, all in one
 * transaction. Whoever was answered before a crash finds it done after it.
 */
import { judgeAct, type ActRequest } from "../../../topologies/roster/acts.ts";
import { adtEvent, type Naming } from "../../../topologies/roster/adt.ts";
import { authorityKeys, placeOf, type RosterBase } from "../../../topologies/roster/base.ts";
import { changesOf, type RosterBody, type RosterChange } from "../../../topologies/roster/changes.ts";
import type { RosterView } from "../../../topologies/roster/derive.ts";
import type { ActEvent, InterruptionEvent, RosterEvent } from "../../../topologies/roster/events.ts";
import { RosterHistory } from "../../../topologies/roster/history.ts";
import type { AdtMessage } from "../../../schemas/hl7v2/adt.ts";
import { contentHash } from "../../core/hash.ts";
import { ok, type Problem, refuse, type Result } from "../../core/failure.ts";
import type { Roster } from "../../io/roster-file.ts";
import type { RosterStore } from "./store.ts";

export interface ServiceOptions {
  readonly store: RosterStore;
  readonly authorities: RosterBase["authorities"];
  readonly locations: RosterBase["locations"];
  readonly roster: Roster;
  readonly now: () => number;
  /** Something waits for the log. */
  readonly onRevisions: () => void;
  /** How long it took to compute what holds: of open stories, or of all. */
  readonly onDerived?: (scope: "open" | "whole", ms: number) => void;
}

/** Stories that ended longer ago are derived anew only when something is told of them, or of that time. It changes the cost, not what holds. */
const closedAfterMs = 48 * 3_600_000;

/** What became of something that was told. */
export interface Applied {
  readonly event: string;
  /** How many records it made; 0: nothing that holds was changed, or it was known. */
  readonly records: number;
  /** Why it has no effect though it is kept. */
  readonly problem: Problem | null;
}

export class RosterService {
  readonly #options: ServiceOptions;
  readonly #naming: Naming;
  #base: RosterBase;
  readonly #known: Set<string>;
  readonly #told: Map<string, RosterBody>;
  #history: RosterHistory;
  /** Of what was told: links that hold, but for those of closed stories. */
  #standing = new Map<string, RosterBody>();
  #closed: RosterView | undefined;
  #acts = 0;

  constructor(options: ServiceOptions) {
    const { store, authorities } = options;
    this.#options = options;
    this.#naming = { authorities, secret: store.secret() };
    const events = store.events();
    this.#known = new Set(events.map(({ id }) => id));
    this.#told = store.told();
    this.#base = this.#baseOf(options.roster);
    this.#history = this.#derived(() => RosterHistory.of(events, this.#base, this.#horizonMs()));
    this.#keep(this.#history, "the roster file", []);
  }

  get view(): RosterView {
    return this.#history.view;
  }

  /** Stays that have not ended at a place that may be a bed of ours and does not say which: they link nobody. */
  get nowhere(): RosterView["stays"] {
    return this.view.stays.filter(
      ({ toMs, bed, place }) => toMs === null && bed === null && placeOf(this.#base, place).ambiguous,
    );
  }

  /** How many events are kept, and with how many of them the next one is derived. */
  get sizes(): { readonly kept: number; readonly open: number } {
    return { kept: this.#history.events.length, open: this.#history.liveEvents };
  }

  get naming(): Naming {
    return this.#naming;
  }

  /** What was last told, by record. */
  get told(): ReadonlyMap<string, RosterBody> {
    return this.#told;
  }

  /** The roster file changed. */
  rebase(roster: Roster): void {
    const base = this.#baseOf(roster);
    const { events } = this.#history;
    const history = this.#derived(() => RosterHistory.of(events, base, this.#horizonMs()));
    this.#keep(history, "the roster file", []);
    this.#base = base;
  }

  /** Kept and applied once, however often it comes. `cause` is said in the records that follow from it. */
  apply(event: RosterEvent, cause: string, also: () => void = () => undefined): Applied {
    const records = this.applyAll([event], cause, also);
    return { event: event.id, records, problem: this.#problemOf(event) };
  }

  /** Several at once, as one step: how many records it made. Those that are known are passed by. */
  applyAll(all: readonly RosterEvent[], cause: string, also: () => void = () => undefined): number {
    const fresh = all.filter(({ id }) => !this.#known.has(id));
    if (fresh.length === 0) {
      this.#options.store.transaction(also);
      return 0;
    }
    const history = this.#derived(() => this.#history.after(fresh, this.#horizonMs()));
    const records = this.#keep(history, cause, fresh, also);
    for (const { id } of fresh) this.#known.add(id);
    return records;
  }

  /** A message that was understood. Its own row in the inbox is written in the same transaction. Reasons: those of adtEvent and `control-id-reused`. */
  applyAdt(message: AdtMessage, bytes: Uint8Array): Result<Applied> {
    const { store, now } = this.#options;
    const receivedMs = now();
    const event = adtEvent(message, receivedMs, this.#naming);
    if (!event.ok) return event;
    const { sender, controlId } = message;
    const { type, occurredMs, recordedMs, parts } = event.value;
    const digest = contentHash(JSON.stringify([type, occurredMs, recordedMs, parts]));
    const before = store.accepted(sender, controlId);
    if (before !== undefined && before !== digest)
      return refuse("control-id-reused", "this control id was accepted before, of a message that said something else");
    const row = { sender, controlId, digest, code: "AA", reason: "", message: bytes, receivedMs };
    const keepMessage = (): void => {
      if (before === undefined) store.keepMessage(row);
    };
    return ok(this.apply(event.value, `ADT^${type} ${controlId} of ${sender.split("|")[0]}`, keepMessage));
  }

  /** What a named person asks for. Reasons: those of judgeAct. */
  act(request: ActRequest): Result<Applied> {
    const { now } = this.#options;
    const id = `${now()}-${++this.#acts}`;
    const judged = judgeAct(request, { view: this.view, base: this.#base, nowMs: now(), id: `act/${id}` });
    if (!judged.ok) return judged;
    return ok(this.apply(judged.value, causeOf(judged.value, request.by)));
  }

  /** One transaction; memory follows once it is durable. */
  #keep(
    history: RosterHistory,
    cause: string,
    events: readonly RosterEvent[],
    also: () => void = () => undefined,
  ): number {
    const { store, now, onRevisions } = this.#options;
    const changes = changesOf(history.open, this.#told, cause, history.whole ? this.#told : this.#standing);
    store.transaction(() => {
      const rows = events.map((event) => store.keepEvent(event, cause, now()));
      store.keepRevisions(changes, cause, rows.length === 1 ? (rows[0] ?? null) : null, now());
      also();
    });
    for (const { id, body } of changes) this.#told.set(id, body);
    this.#history = history;
    this.#stand(changes);
    if (changes.length > 0) onRevisions();
    return changes.length;
  }

  #stand(changes: readonly RosterChange[]): void {
    const { closed } = this.#history;
    const isNew = closed !== this.#closed;
    if (isNew) this.#standing = new Map();
    const out = new Set(isNew ? closed.wanted.map(({ id }) => id) : []);
    for (const [id, body] of isNew ? this.#told : changes.map((one) => [one.id, one.body] as const))
      if (body.kind !== "association" || body.voided || out.has(id)) this.#standing.delete(id);
      else this.#standing.set(id, body);
    this.#closed = closed;
  }

  #derived(make: () => RosterHistory): RosterHistory {
    const startedMs = performance.now();
    const history = make();
    this.#options.onDerived?.(history.whole ? "whole" : "open", performance.now() - startedMs);
    return history;
  }

  #horizonMs(): number {
    return this.#options.now() - closedAfterMs;
  }

  #problemOf(event: RosterEvent): Problem | null {
    return this.#history.open.problems.find((problem) => problem.event === event.id) ?? null;
  }

  #baseOf(roster: Roster): RosterBase {
    const { authorities, locations } = this.#options;
    return {
      devices: roster.devices.map(({ device, unit, bed }) => ({ device, unit, bed })),
      beds: new Map(roster.beds.map(({ bed, unit }) => [bed, unit])),
      links: roster.associations
        .filter(({ voided }) => !voided)
        .map(({ id, device, patientKey, bed, from, to }) => ({ id, device, patientKey, bed, fromMs: from, toMs: to })),
      filePatients: authorityKeys(roster.patients, this.#naming),
      locations,
      authorities,
    };
  }
}

/** Who and what; the reason in his own words stays in the service's file, for it may name somebody. */
const causeOf = (event: ActEvent | InterruptionEvent, by: string): string =>
  event.kind === "act" ? `${event.act} by ${by} (${event.id})` : `${event.what} told by ${by} (${event.id})`;
