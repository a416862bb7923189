/** Roster and rules reach the log at the intake's start and whenever their files change; what is refused leaves in force what was announced before. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Gauge } from "prom-client";
import type { Platform } from "../compose.ts";
import { loadRoster, loadRules } from "../compose.ts";
import { OperatingError } from "../core/failure.ts";
import type { TimeScale } from "../core/time.ts";
import { whenChanged } from "./changed-files.ts";
import { announce, fixScale, type SourceOptions, tick, wasAnnounced } from "./source.ts";

const refusals = new Set(["roster-invalid", "rules-invalid", "file-unreadable"]);

/**
 * A roster or rules that are refused must not leave a ward without intake at the next start: where something was announced before, that stays in
 * force and the refusal is said as an error and counted. Only at the very first start, with nothing to go on, is it the end.
 */
export const announceAll = async (platform: Platform, source: SourceOptions, refused: Gauge): Promise<TimeScale> => {
  const { config, say } = platform;
  try {
    // what is refused is refused before anything is written
    const [roster, rules] = [await loadRoster(config.roster), await loadRules(config)];
    const scale = await fixScale(config.speed, source);
    say.info(await announce(roster, rules, scale, source), "roster and rules are in the log");
    return scale;
  } catch (error) {
    const isRefusal = error instanceof OperatingError && refusals.has(error.code);
    if (!isRefusal || !(await wasAnnounced(source))) throw error;
    refused.set(1);
    say.error({ error: error.message }, "roster or rules are REFUSED; what was announced before stays in force");
    return await fixScale(config.speed, source);
  }
};

/** From its start on a change of roster or rules takes effect within two seconds; a refused one leaves what is in force. */
const announceChanges = async (
  platform: Platform,
  source: SourceOptions,
  scale: TimeScale,
  refused: Gauge,
  signal: AbortSignal,
): Promise<void> => {
  const { config, say } = platform;
  const announceAgain = async (): Promise<void> => {
    for (;;) {
      try {
        const announced = await announce(await loadRoster(config.roster), await loadRules(config), scale, source);
        refused.set(0);
        say.info(announced, "roster or rules have changed and are in the log");
        return;
      } catch (error) {
        refused.set(1);
        say.error({ error: String(error) }, "changed roster or rules are not in force; what was announced before is");
        if (signal.aborted || !(error instanceof OperatingError && error.retry)) return;
        await sleep(announceAgainMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  await whenChanged([config.roster, ...config.rules], announceAgain, signal);
};

const announceAgainMs = 1_000;

/** As {@link announceAll}, once the log is there: a listener with a spool has opened its door meanwhile. Waits for ever when aborted. */
export const announceOnceBack = async (
  platform: Platform,
  source: SourceOptions,
  refused: Gauge,
  signal: AbortSignal,
): Promise<TimeScale> => {
  while (!signal.aborted)
    try {
      await platform.log.ensure(platform.topology.topics);
      return await announceAll(platform, source, refused);
    } catch (error) {
      if (!(error instanceof OperatingError && error.retry)) throw error;
      platform.say.warn({ error: String(error) }, "the raw log is still away; roster and rules wait");
      await sleep(announceAgainMs, undefined, { signal }).catch(() => undefined);
    }
  return new Promise(() => undefined);
};

/** Ticks, and announces what changes, until aborted. */
export const keepGoing = async (
  platform: Platform,
  source: SourceOptions,
  scale: TimeScale,
  refused: Gauge,
  signal: AbortSignal,
): Promise<void> => {
  const appender = await platform.log.appender("ticks");
  const onError = (error: unknown): void => platform.say.warn({ error: String(error) }, "no tick");
  try {
    await Promise.all([
      tick(appender, scale, platform.wire, signal, onError),
      announceChanges(platform, source, scale, refused, signal),
    ]);
  } finally {
    await appender.close();
  }
};
