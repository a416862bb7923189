/**
 * The front door, in two forms (law 1): `listen` terminates MQTT itself, `ingest` subscribes at a broker. Either way the sender
 * is acknowledged only after the raw log has the message. Both announce roster and rules first, and tick.
 */
import { Gauge } from "prom-client";
import type { Platform } from "../compose.ts";
import { OperatingError } from "../core/failure.ts";
import { realTime, type TimeScale } from "../core/time.ts";
import { announceAll, announceOnceBack, keepGoing } from "./announcing.ts";
import { type Door, openListener, openSubscribers } from "./doors.ts";
import { type Intakes, openIntakes } from "./raw-intakes.ts";
import { closeAll, type Running } from "./running.ts";

export interface FrontDoor extends Running {
  /** Where devices connect; undefined when they connect to a broker. */
  readonly port: number | undefined;
}

/** Which role runs which intake of the configuration. */
const roleOf = { listener: "listen", subscriber: "ingest" } as const;

/** The wrong one would run unseen beside nothing. Codes: `wrong-intake`. */
export const checkRole = (role: "listen" | "ingest", { intake }: Platform["config"]): void => {
  if (roleOf[intake.kind] === role) return;
  const named =
    intake.kind === "listener" ? `a listener at ${intake.host}:${intake.port}` : `a subscriber at ${intake.url}`;
  throw new OperatingError(
    "wrong-intake",
    `${role}: the configuration's intake is ${named}; start ${roleOf[intake.kind]} instead`,
    { retry: false },
  );
};

const rosterRefused = "afferent_roster_refused";

const openBoth = async (
  platform: Platform,
  scale: TimeScale,
  ready: Promise<unknown> | undefined,
): Promise<{ readonly intakes: Intakes; readonly door: Door }> => {
  const intakes = await openIntakes(platform, scale, ready);
  const open = platform.config.intake.kind === "listener" ? openListener : openSubscribers;
  const door = await open(platform, intakes).catch(async (error: unknown) => {
    await intakes.close();
    throw error;
  });
  return { intakes, door };
};

export const openFrontDoor = async (platform: Platform): Promise<FrontDoor> => {
  const { log, wire, metrics } = platform;
  const source = { log, wire, now: Date.now };
  const refused = new Gauge({
    name: rosterRefused,
    help: "1 while the roster or the rules at hand are refused and what was announced before is in force",
    registers: [metrics],
  });
  const stop = new AbortController();
  const alone = platform.logAway === true ? announceOnceBack(platform, source, refused, stop.signal) : undefined;
  const scale = alone === undefined ? await announceAll(platform, source, refused) : realTime;
  alone?.catch(() => undefined); // `going` tells
  const { intakes, door } = await openBoth(platform, scale, alone).catch((error: unknown) => {
    stop.abort();
    throw error;
  });
  const going = Promise.race([alone, aborted(stop.signal)]).then(() =>
    keepGoing(platform, source, scale, refused, stop.signal),
  );
  return {
    where: door.where,
    port: door.port,
    done: Promise.race([going, intakes.failed]),
    close: () =>
      closeAll([
        intakes.close,
        () => going,
        async () => {
          stop.abort();
          metrics.removeSingleMetric(rosterRefused);
        },
        door.close,
      ]),
  };
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
