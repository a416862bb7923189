/** `afferent why`: an event's whole way on one screen, or as JSON. Reads the log and nothing else; claims nothing, writes nothing. */
import { loadRoster, openPlatform, type Platform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import type { NoEvent, Trace } from "../../schemas/why.ts";
import { eventAt, eventCalled, type KnownEvent } from "./why/find.ts";
import { Ledger } from "./why/ledger.ts";
import { noEventAt } from "./why/no-event.ts";
import { noEventScreen, screenOf } from "./why/screen.ts";
import { traceOf } from "./why/trace.ts";

/** An id, or a device and a time. */
export type Asked =
  | { readonly id: string }
  | {
      readonly device: string;
      /** Ward time, ms since 1970. */
      readonly atMs: number;
    };

export interface WhyParts {
  readonly log: Platform["log"];
  readonly wire: Platform["wire"];
  /** Ward time over real time. Where it is 1 the log's stamps bound where an event can be told; else, or left out, all is read. */
  readonly speed?: number;
  modelOf(device: string): string | null;
}

/**
 * What is told of an event, late or corrected, is appended after it began. How far the log's clock may be behind the device's corrected one: far
 * less than this, for a reading that lies ahead of its reception by more than its clock's uncertainty is no measurement (`ahead-of-received`).
 */
const clocksApartMs_max = 24 * 3_600_000;

const sinceOf = ({ start }: KnownEvent, speed: number | undefined): number | undefined =>
  speed === 1 && start !== null ? start - clocksApartMs_max : undefined;

/** Codes: `event-unknown`, `event-ambiguous`, `log-unavailable` (may be tried again). */
export const whyOf = async (asked: Asked, { log, wire, modelOf, speed }: WhyParts): Promise<Trace | NoEvent> => {
  const ledger = new Ledger(log, wire);
  const question = "id" in asked ? `Why ${asked.id}?` : `Why ${asked.device} at ${new Date(asked.atMs).toISOString()}?`;
  const event = "id" in asked ? await eventCalled(ledger, asked.id) : await eventAt(ledger, asked.device, asked.atMs);
  const trace =
    event === undefined
      ? undefined
      : await traceOf(event.identity, { ledger, question, modelOf, sinceMs: sinceOf(event, speed) });
  if (trace !== undefined) return trace;
  if ("id" in asked)
    throw new OperatingError("event-unknown", `why: ${asked.id} is no longer in the log`, { retry: false });
  return noEventAt(ledger, asked.device, asked.atMs, question);
};

/** On one screen. */
export const linesOf = (answer: Trace | NoEvent): readonly string[] =>
  "identity" in answer ? screenOf(answer) : noEventScreen(answer);

export interface WhyOptions {
  readonly config: string;
  readonly device?: string;
  readonly at?: string;
  readonly json?: boolean;
}

const askedOf = (id: string | undefined, { device, at }: WhyOptions): Asked => {
  const atMs = Date.parse(at ?? "");
  if (id !== undefined && device === undefined && at === undefined) return { id };
  if (id === undefined && device !== undefined && !Number.isNaN(atMs)) return { device, atMs };
  throw new OperatingError("usage", "why: give an id, or --device with --at (ISO 8601 with a zone)", { retry: false });
};

/** The models that the roster names; nothing of who is measured is read. */
export const modelsOf = async (rosterFile: string): Promise<WhyParts["modelOf"]> => {
  const roster = await loadRoster(rosterFile).catch(() => undefined);
  const models = new Map(roster?.devices.map(({ device, model }) => [device, model]));
  return (device) => models.get(device) ?? null;
};

export const why = async (id: string | undefined, options: WhyOptions): Promise<void> => {
  const asked = askedOf(id, options);
  const platform = await openPlatform(await readConfig(options.config), "why");
  try {
    const { log, wire, config } = platform;
    const answer = await whyOf(asked, { log, wire, modelOf: await modelsOf(config.roster), speed: config.speed });
    const text = options.json === true ? JSON.stringify(answer, null, 2) : linesOf(answer).join("\n");
    process.stdout.write(`${text}\n`);
  } finally {
    await platform.close();
  }
};
