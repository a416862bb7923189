/** What the board's server tells the page: JSON over SSE. No patient's name or number may ever be added here. */

export type BedState = "streaming" | "silent" | "standby" | "quarantining" | "clockOff" | "unassociated";

export interface VitalView {
  readonly metric: string;
  /** Which device said it; a bed may have several that could. */
  readonly device: string;
  readonly display: string;
  readonly ucum: string;
  readonly value: number | null;
  readonly validity: string;
  /** Event time in ms. */
  readonly at: number;
  /** Older than this it says nothing about now, and must not look as if it did. */
  readonly staleAfterMs: number;
}

export interface DeviceView {
  readonly device: string;
  readonly model: string;
  readonly state: BedState;
  /** What to know about the state and what to do, one sentence; null when all is well. */
  readonly detail: string | null;
  readonly since: number;
  readonly clockOffsetMs: number | null;
  /** Whether a named person confirmed whose it is; null without an association. */
  readonly confirmed: boolean | null;
}

export interface BedView {
  readonly bed: string;
  readonly unit: string;
  /** The worst of its devices, and since when (log time). */
  readonly state: BedState;
  readonly since: number;
  readonly devices: readonly DeviceView[];
  /** The latest value of each metric. */
  readonly vitals: readonly VitalView[];
  readonly openEpisodes: readonly EpisodeView[];
}

export interface EpisodeView {
  readonly identity: string;
  readonly bed: string;
  readonly device: string;
  readonly metric: string;
  readonly display: string;
  readonly title: string;
  readonly priority: "low" | "medium" | "high";
  /** False: shown, never promoted. */
  readonly approved: boolean;
  readonly demo: boolean;
  readonly ucum: string;
  readonly start: number;
  readonly end: number | null;
  readonly extreme: number;
  readonly when: LimitView["when"];
  readonly limit: number;
}

/** A rule in force, for the limit lines of charts. */
export interface LimitView {
  readonly rule: string;
  readonly metric: string;
  readonly title: string;
  readonly when: "above" | "below" | "equals" | "indeterminateZero";
  readonly limit: number;
  readonly priority: "low" | "medium" | "high";
  readonly approved: boolean;
}

/** Something that a person should do something about. "<where> <what> <age>: <action>" is a whole sentence. */
export interface AttentionView {
  /** Stays the same while the matter lasts. */
  readonly identity: string;
  readonly priority: "low" | "medium" | "high";
  /** Beds concerned; empty when it is the platform itself. */
  readonly beds: readonly string[];
  readonly what: string;
  readonly action: string;
  /** Log time, or wall clock where `wall` says so. */
  readonly since: number;
  readonly wall: boolean;
}

export interface DecisionView {
  readonly identity: string;
  readonly revision: number;
  readonly bed: string | null;
  readonly title: string;
  readonly at: number;
  readonly promoted: boolean;
  readonly destination: string;
  readonly answers: readonly {
    readonly gate: string;
    readonly passed: boolean;
    readonly reason: string;
    readonly detail: string;
  }[];
  /** The destination's answer, once there is one. */
  readonly delivery: { readonly outcome: string; readonly detail: string } | null;
}

export interface StageView {
  readonly stage: string;
  /** Entries per second over the last 10 s. */
  readonly perSecond: number;
  /** Entries written to its topic and not yet processed. */
  readonly lagEntries: number;
  /** Seconds of log time it is behind. */
  readonly lagSeconds: number;
}

/** An open page of the alert circuit: what is the matter, since when, who was told and what comes next. */
export interface AlarmView {
  readonly identity: string;
  readonly priority: "low" | "medium" | "high";
  readonly unit: string;
  /** Null: at no bed, or at several; `text` says which. */
  readonly bed: string | null;
  /** Since when the device is known to stand at that bed; null where nobody said. */
  readonly bedSince: number | null;
  readonly bedConfirmed: boolean;
  readonly device: string;
  readonly text: string;
  /** These and the times below are the circuit's log time, in ms. */
  readonly onset: number;
  readonly raisedAt: number;
  readonly state: "escalating" | "accepted";
  /** Its condition is over; it stays until a named person resets it. */
  readonly latched: boolean;
  readonly told: readonly {
    readonly recipient: string;
    readonly state: "pending" | "accepted" | "rejected" | "noAnswer" | "undeliverable";
    readonly since: number;
  }[];
  readonly acceptedBy: string | null;
  readonly lastResort: boolean;
  /** When somebody is told again unless somebody accepts (or, once accepted, is reminded); null: never. */
  readonly nextAt: number | null;
}

/** How a rule, or a device's own alarm, has behaved at a bed in the last 24 hours: what cries wolf stands out. */
export interface NuisanceView {
  readonly unit: string;
  readonly bed: string | null;
  readonly source: "rule" | "device" | "technical";
  /** The rule's id, or the event where no rule of ours raised it. */
  readonly what: string;
  readonly alarms: number;
  /** Ended by themselves within 10 s of being raised. */
  readonly selfEnded: number;
  /** Of all of them together; those that are open until now. */
  readonly durationMs: number;
  /** From the onset until the circuit had it, of all of them together. */
  readonly delayMs: number;
}

/** What people are told while a part of the platform is down (docs/degradation.md). */
export interface BannerView {
  readonly text: string;
  readonly priority: "low" | "medium" | "high";
}

/** The alert circuit, as it answered last. */
export interface CircuitView {
  /** Wall clock since which it has not answered, and why; null while it does. All below is as of then. */
  readonly silent: { readonly since: number; readonly why: string } | null;
  /** Its log time at its last answer, moved on to the board's `now`; 0 before its first answer. */
  readonly now: number;
  /** What its own audit says is wrong; while anything is, it gives no sign of life. */
  readonly failures: readonly string[];
  readonly banner: BannerView | null;
  /** The gravest first, at most 100 of `open`. */
  readonly alarms: readonly AlarmView[];
  readonly open: number;
  /** The most frequent first, at most 50. */
  readonly nuisance: readonly NuisanceView[];
}

export interface BoardView {
  readonly ward: string;
  /** Wall clock of the server and the ward's log time, ms. */
  readonly now: number;
  readonly logTime: number;
  /** Wall clock since which log time has stood still; null while it runs. Nothing on the page is current then. */
  readonly stalledSince: number | null;
  /** 0: as fast as the machine goes. */
  readonly wantedSpeed: number;
  /** As measured over the last 10 s. */
  readonly actualSpeed: number;
  /** Worst first, at most 50. */
  readonly attention: readonly AttentionView[];
  readonly beds: readonly BedView[];
  /** Devices that belong to no bed. */
  readonly unplaced: readonly DeviceView[];
  readonly limits: readonly LimitView[];
  /** Newest first, at most 100 each. */
  readonly episodes: readonly EpisodeView[];
  readonly decisions: readonly DecisionView[];
  readonly stages: readonly StageView[];
  /** Null: this board follows no alert circuit. */
  readonly circuit: CircuitView | null;
  readonly totals: {
    /** Records in the raw topics, ticks and roster records among them. */
    readonly received: number;
    /** Measurements that this board has read since it started. */
    readonly measurements: number;
    readonly quarantined: Readonly<Record<string, number>>;
    readonly promoted: number;
    readonly refused: number;
    readonly written: number;
  };
}

export interface SampleView {
  readonly metric: string;
  readonly at: number;
  readonly value: number | null;
}

/**
 * `GET /api/stream?bed=BED`: SSE; event `board` carries a BoardView each second, event `samples` a SampleView[] of the bed's
 * new values, event `wave` a WaveView of the bed's newest chunks.
 * `GET /api/series?bed=BED&minutes=N`: SampleView[] for back-fill, oldest first.
 */
export interface WaveView {
  readonly metric: string;
  readonly display: string;
  readonly start: number;
  readonly rateHz: number;
  /** In the metric's unit. */
  readonly samples: readonly number[];
}
