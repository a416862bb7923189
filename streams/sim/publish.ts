/** Plays a ward's devices against a broker: at ward time or k times as fast, waveforms in a session of their own, nothing lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { OperatingError } from "../core/failure.ts";
import { Lane, type LaneOptions } from "./publish-lane.ts";

/** What is played: streams/sim/ward/messages.ts, as far as it matters here. */
export interface Playable {
  readonly startMs: number;
  messages(): Iterable<{
    /** Ward time of sending, ms; never falls. */
    readonly atMs: number;
    readonly device: string;
    readonly stream: string;
    readonly mqttTopic: string;
    readonly payload: Uint8Array;
  }>;
}

export interface PublishOptions {
  readonly url: string;
  /** Ward time over real time; Infinity: as fast as the broker acknowledges. */
  readonly speed: number;
  /** 4 (MQTT 3.1.1) unless told otherwise. */
  readonly protocolVersion?: 4 | 5;
  readonly signal?: AbortSignal;
  /** Ward time at which to stop, ms. */
  readonly untilMs?: number;
  /** `ward`: one session for all numerics and one for all waveforms; `device`: the same two for each device. */
  readonly sessions?: "ward" | "device";
  /** Unacknowledged messages per session; 500 unless told otherwise. */
  readonly inFlight?: number;
  /** How long the first session may take to come up; 10 s unless told otherwise. */
  readonly connectWithinMs?: number;
  /** Begins the client ids. */
  readonly clientId?: string;
  /** About once a second, and at the end. */
  readonly onProgress?: (progress: PublishProgress) => void;
}

export interface PublishProgress {
  /** Handed to a session, and acknowledged by the broker. */
  readonly sent: number;
  readonly acknowledged: number;
  /** Ward time reached. */
  readonly wardMs: number;
  /** Ward time over real time since the last report. */
  readonly actualSpeed: number;
  readonly connected: boolean;
}

const progressEveryMs = 1_000;
/** After the signal, acknowledgements are waited for this long. */
const partingMs = 2_000;
const backlog = 2_000;

/**
 * Resolves with the last progress when the ward ends, `untilMs` is reached or the signal comes. Ward time starts at the call.
 * Codes: `broker-unreachable` when no session comes up at the start, `publish-refused`. A broker that goes away later is waited for.
 */
export const publishWard = async (ward: Playable, options: PublishOptions): Promise<PublishProgress> => {
  const { speed, signal = new AbortController().signal, untilMs = Number.POSITIVE_INFINITY } = options;
  const due = pacer(ward.startMs, speed);
  const lanes = new Lanes(options);
  const report = new Report(ward.startMs, lanes, options.onProgress);
  try {
    await lanes.up(signal);
    for (const message of ward.messages()) {
      if (message.atMs >= untilMs) break;
      await due(message.atMs, signal);
      const lane = lanes.of(message.device, message.stream);
      await lane.room(signal);
      if (signal.aborted) break;
      lane.send(message);
      report.sent(message.atMs);
    }
    const parting = after(signal, partingMs);
    await Promise.all(lanes.all().map((lane) => lane.drained(parting)));
    return report.tell();
  } finally {
    report.stop();
    await Promise.all(lanes.all().map((lane) => lane.close()));
  }
};

/** Waits until a ward time has come; a message that is late is due at once. */
const pacer = (startMs: number, speed: number): ((atMs: number, signal: AbortSignal) => Promise<void> | undefined) => {
  const began = performance.now();
  return (atMs, signal) => {
    const waitMs = Number.isFinite(speed) ? began + (atMs - startMs) / speed - performance.now() : 0;
    return waitMs < 1 ? undefined : sleep(waitMs, undefined, { signal }).catch(() => undefined);
  };
};

/** Aborts so long after another signal. */
const after = (signal: AbortSignal, ms: number): AbortSignal => {
  const later = new AbortController();
  const start = (): void => void setTimeout(() => later.abort(), ms).unref();
  if (signal.aborted) start();
  else signal.addEventListener("abort", start, { once: true });
  return later.signal;
};

/** The sessions, opened as they are needed. */
class Lanes {
  readonly #options: PublishOptions;
  readonly #lanes = new Map<string, Lane>();

  constructor(options: PublishOptions) {
    this.#options = options;
  }

  /** Waveforms never share a session with what else a device says (design law 7). */
  of(device: string, stream: string): Lane {
    const kind = stream === "waveforms" ? "waveforms" : "numerics";
    const name = this.#options.sessions === "device" ? `${device}-${kind}` : kind;
    return this.#lanes.getOrInsertComputed(name, () => new Lane(this.#settings(name)));
  }

  all(): Lane[] {
    return [...this.#lanes.values()];
  }

  /** Opens the two sessions of a ward and waits for the first. */
  async up(signal: AbortSignal): Promise<void> {
    if (this.#options.sessions === "device") return;
    const { url, connectWithinMs = 10_000 } = this.#options;
    const first = this.of("", "numerics");
    this.of("", "waveforms");
    if ((await first.up(connectWithinMs, signal)) || signal.aborted) return;
    throw new OperatingError("broker-unreachable", `publish: no broker answers at ${url}`, { retry: true });
  }

  #settings(name: string): LaneOptions {
    const { url, protocolVersion = 4, inFlight = 500, clientId = `ward-${process.pid}` } = this.#options;
    return { url, clientId: `${clientId}-${name}`, protocolVersion, inFlight, backlog };
  }
}

/** Counts, and tells about once a second how fast it really goes. */
class Report {
  readonly #startMs: number;
  readonly #lanes: Lanes;
  readonly #tell: ((progress: PublishProgress) => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #wardMs: number;
  #last: { readonly wallMs: number; readonly wardMs: number };

  constructor(startMs: number, lanes: Lanes, tell: ((progress: PublishProgress) => void) | undefined) {
    this.#startMs = startMs;
    this.#lanes = lanes;
    this.#tell = tell;
    this.#wardMs = startMs;
    this.#last = { wallMs: performance.now(), wardMs: startMs };
    this.#timer = setInterval(() => this.tell(), progressEveryMs).unref();
  }

  sent(atMs: number): void {
    this.#sent++;
    this.#wardMs = Math.max(this.#startMs, atMs);
  }

  tell(): PublishProgress {
    const wallMs = performance.now();
    const lanes = this.#lanes.all();
    const progress = {
      sent: this.#sent,
      acknowledged: lanes.reduce((sum, lane) => sum + lane.acknowledged, 0),
      wardMs: this.#wardMs,
      actualSpeed: (this.#wardMs - this.#last.wardMs) / Math.max(1, wallMs - this.#last.wallMs),
      connected: lanes.every((lane) => lane.connected),
    };
    this.#last = { wallMs, wardMs: this.#wardMs };
    this.#tell?.(progress);
    return progress;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
