/**
 * Folds the entries of the topics that the board reads into what the page shows. No clock, no network: the server tells it the
 * time. Everything it keeps is bounded, and nothing that names a patient (or a patient's key, subject or payload) leaves it.
 */
import type {
  BedState,
  BedView,
  BoardView,
  CircuitView,
  DeviceView,
  LimitView,
  SampleView,
  WaveView,
} from "../../../schemas/board.ts";
import type { Rules, Tick } from "../../../schemas/records/broadcast.ts";
import type { Decision, Delivery } from "../../../schemas/records/clinical.ts";
import type { Quarantined } from "../../../schemas/records/quarantine.ts";
import type { Association } from "../../../schemas/records/roster.ts";
import type {
  DeviceState,
  Episode,
  Measurement,
  SubjectEnded,
  WaveformChunk,
} from "../../../schemas/records/telemetry.ts";
import { attention, type Fault } from "./attention.ts";
import { Decisions } from "./decisions.ts";
import { Devices, type Place } from "./devices.ts";
import { Episodes } from "./episodes.ts";
import { type Look, StageProgress } from "./progress.ts";
import { Refused } from "./refused.ts";
import { BedSamples, isUsable } from "./samples.ts";
import { WardClock } from "./ward-clock.ts";

export type BoardBody =
  | Association
  | Decision
  | Delivery
  | DeviceState
  | Episode
  | Measurement
  | Quarantined
  | Rules
  | SubjectEnded
  | Tick
  | WaveformChunk;

/** What the roster file says, where the board's process has it: then empty beds, and models, are known from the start. */
export interface BoardRoster {
  readonly beds: readonly Place[];
  readonly devices: readonly {
    readonly device: string;
    readonly model: string;
    readonly silentAfterMs?: number | undefined;
  }[];
  readonly associations: readonly Association[];
}

export interface ModelOptions {
  readonly wardName: string;
  /** 0: as fast as the machine goes. */
  readonly wantedSpeed: number;
  readonly startMs: number;
  readonly stages: readonly string[];
  readonly roster?: BoardRoster | undefined;
}

const listed = 100;
const bedsKept = 500;

/** Worst last. */
const badness: readonly BedState[] = ["streaming", "unassociated", "clockOff", "standby", "quarantining", "silent"];

interface Bed {
  readonly place: Place;
  readonly samples: BedSamples;
}

export class BoardModel {
  readonly #options: ModelOptions;
  readonly #clock: WardClock;
  readonly #devices = new Devices();
  readonly #beds = new Map<string, Bed>();
  readonly #episodes = new Episodes();
  readonly #decisions = new Decisions();
  readonly #stages: ReadonlyMap<string, StageProgress>;
  readonly #faults = new Map<string, Fault>();
  readonly #refused = new Refused();
  readonly #limits = new Map<string, LimitView>();
  #rulesVersion = -1;
  #measurements = 0;
  #received = 0;
  #circuit: ((nowMs: number) => CircuitView) | null = null;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#clock = new WardClock(options.startMs);
    this.#stages = new Map(options.stages.map((stage) => [stage, new StageProgress(stage)]));
    for (const place of options.roster?.beds ?? []) this.#bed(place);
    for (const { device, model, silentAfterMs } of options.roster?.devices ?? [])
      this.#devices.expect(device, model, silentAfterMs);
    for (const association of options.roster?.associations ?? []) this.#devices.association(association);
  }

  /** Takes one entry's body, with the log time that the entry carries. Repeats must have been dropped by their positions. */
  fold(body: BoardBody, logTime: number): void {
    switch (body.kind) {
      case "tick":
        this.#clock.tick(logTime);
        break;
      case "measurement":
        this.#measurement(body, logTime);
        break;
      case "waveformChunk":
        this.#at(body.device, logTime)?.samples.waveform(body);
        break;
      case "association":
        this.#association(body, logTime);
        break;
      case "deviceState":
        this.#devices.state(body, logTime);
        break;
      case "subjectEnded":
        this.#at(body.device, logTime)?.samples.forget(body.device);
        break;
      case "rules":
        this.#rules(body);
        break;
      case "episode":
        this.#episodes.fold(body, this.#bedNameOf(body.device, logTime) ?? body.device);
        break;
      case "decision":
        this.#decision(body, logTime);
        break;
      case "delivery":
        this.#decisions.delivery(body);
        break;
      case "quarantined":
        this.#refused.take(body, logTime);
        break;
    }
  }

  /** The ends of all raw topics, summed. */
  received(records: number): void {
    this.#received = records;
  }

  /** Where the alert circuit's view is to be had, by the wall clock. */
  followCircuit(view: (nowMs: number) => CircuitView): void {
    this.#circuit = view;
  }

  look(stage: string, look: Look): void {
    this.#stages.get(stage)?.look(look);
  }

  /** To be called about once a second, only while the board is not catching up with old records. */
  readClock(nowMs: number): void {
    this.#clock.read(nowMs);
  }

  /** Something can't be read; it is shown until {@link readable}. The first time counts. */
  unreadable(what: string, code: string, nowMs: number): void {
    this.#faults.set(what, { what, code, since: this.#faults.get(what)?.since ?? nowMs });
  }

  readable(what: string): void {
    this.#faults.delete(what);
  }

  get logTime(): number {
    return this.#clock.logTime;
  }

  /** Where a client that has just asked for a bed stands. */
  newest(bed: string): number {
    return this.#beds.get(bed)?.samples.newest ?? 0;
  }

  samplesAfter(bed: string, n: number): SampleView[] {
    return this.#beds.get(bed)?.samples.samplesAfter(n) ?? [];
  }

  wavesAfter(bed: string, n: number): WaveView[] {
    return this.#beds.get(bed)?.samples.wavesAfter(n) ?? [];
  }

  /** Oldest first. */
  samplesSince(bed: string, at: number): SampleView[] {
    return this.#beds.get(bed)?.samples.samplesSince(at) ?? [];
  }

  devicesOf(bed: string): string[] {
    return this.#devices.names().filter((device) => this.#devices.place(device, this.logTime)?.bed === bed);
  }

  view(nowMs: number): BoardView {
    const { beds, unplaced } = this.#places();
    const stalledSince = this.#clock.stalledSince(nowMs);
    const faults = [...this.#faults.values()];
    const defects = this.#refused.defects(this.logTime);
    const circuit = this.#circuit?.(nowMs) ?? null;
    const speed = this.#clock.speed();
    const counts = this.#decisions.counts();
    return {
      ward: this.#options.wardName,
      now: nowMs,
      logTime: this.logTime,
      stalledSince,
      wantedSpeed: this.#options.wantedSpeed,
      actualSpeed: speed,
      attention: attention({ logTime: this.logTime, beds, unplaced, faults, defects, stalledSince, circuit }),
      beds,
      unplaced,
      limits: [...this.#limits.values()],
      episodes: this.#episodes.newest(listed),
      decisions: this.#decisions.newest(listed, (id) => this.#limits.get(id)?.title ?? id),
      stages: [...this.#stages.values()].map((stage) => stage.view(speed)),
      circuit,
      totals: {
        received: this.#received,
        measurements: this.#measurements,
        quarantined: this.#refused.counts(),
        ...counts,
      },
    };
  }

  #measurement(measurement: Measurement, logTime: number): void {
    this.#measurements++;
    if (isUsable(measurement)) this.#devices.heard(measurement.device, logTime);
    this.#at(measurement.device, logTime)?.samples.measurement(measurement);
  }

  /** With another patient, or at another bed, what the device said before is nobody's any more. */
  #association(association: Association, logTime: number): void {
    const { device } = association;
    const at = Math.max(logTime, this.logTime);
    const [bed, subject] = [this.#at(device, at), this.#devices.subject(device, at)];
    this.#devices.association(association);
    const [bedNow, subjectNow] = [this.#at(device, at), this.#devices.subject(device, at)];
    if (bed !== bedNow || (subject !== null && subject !== subjectNow)) bed?.samples.forget(device);
  }

  #decision(decision: Decision, logTime: number): void {
    this.#decisions.decision(decision, this.#bedNameOf(decision.device, logTime));
  }

  #rules(rules: Rules): void {
    if (rules.version <= this.#rulesVersion) return;
    this.#rulesVersion = rules.version;
    this.#limits.clear();
    for (const { id, metric, title, when, limit, priority, approval } of rules.rules)
      this.#limits.set(id, { rule: id, metric, title, when, limit, priority, approved: approval !== null });
  }

  #bedNameOf(device: string, logTime: number): string | null {
    return this.#devices.place(device, Math.max(logTime, this.logTime))?.bed ?? null;
  }

  #at(device: string, logTime: number): Bed | undefined {
    const place = this.#devices.place(device, Math.max(logTime, this.logTime));
    return place === null ? undefined : this.#bed(place);
  }

  #bed(place: Place): Bed | undefined {
    const known = this.#beds.get(place.bed);
    if (known !== undefined || this.#beds.size >= bedsKept) return known;
    const bed: Bed = { place, samples: new BedSamples() };
    this.#beds.set(place.bed, bed);
    return bed;
  }

  #places(): { beds: BedView[]; unplaced: DeviceView[] } {
    const devices = new Map<string, DeviceView[]>();
    const unplaced: DeviceView[] = [];
    for (const device of this.#devices.names()) {
      const view = this.#devices.view(device, this.logTime);
      if (view === null) continue;
      const bed = this.#at(device, this.logTime);
      if (bed === undefined) unplaced.push(view);
      else devices.set(bed.place.bed, [...(devices.get(bed.place.bed) ?? []), view]);
    }
    const open = this.#episodes.open();
    const beds = [...this.#beds.values()]
      .map(({ place, samples }) => ({
        ...place,
        ...worst(devices.get(place.bed) ?? []),
        devices: devices.get(place.bed) ?? [],
        vitals: samples.vitals(),
        openEpisodes: open.filter(({ bed }) => bed === place.bed),
      }))
      .sort((a, b) => byName.compare(a.bed, b.bed));
    return { beds, unplaced };
  }
}

const byName = new Intl.Collator("en", { numeric: true });

/** A bed stands as its worst device does; a bed without devices is nobody's. */
const worst = (devices: readonly DeviceView[]): Pick<BedView, "state" | "since"> => {
  let found: DeviceView | undefined;
  for (const device of devices)
    if (found === undefined || badness.indexOf(device.state) > badness.indexOf(found.state)) found = device;
  return { state: found?.state ?? "unassociated", since: found?.since ?? 0 };
};
