/**
 * The watch: a process of its own, meant for another machine. It sends test alarms through the whole path, from the broker to a notifier,
 * and sounds through notifiers of its own when one does not come back, or when the circuit gives no sign of life: the dead man's switch.
 * What it makes of what it hears is decided in watch/watching.ts; here are its clock, its ears and its voice.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Registry } from "prom-client";
import { OperatingError } from "../core/failure.ts";
import { openHeart } from "../io/mqtt/heartbeat.ts";
import type { Notifier } from "../io/notify/notifier.ts";
import { openNotifiers } from "../io/notify/open.ts";
import { readWatchConfig, type WatchConfig } from "../watch-config.ts";
import { closeAndEnd, interrupted } from "./ending.ts";
import { closeAll, type Running } from "./running.ts";
import { openHearing } from "./watch/hearing.ts";
import { sound, type WatchName } from "./watch/sounding.ts";
import { watchMetrics } from "./watch/watch-metrics.ts";
import { beginWatching, concernNames, type Limits, type Telling, type WatchEvent, watch } from "./watch/watching.ts";

const tickMs = 250;
const wellAfterBeats = 2;
const retryMs = 5_000;

export interface Watch extends Running {
  readonly port: number;
}

/** `say` takes lines for whoever reads the process's own output. */
export const openWatch = async (
  config: WatchConfig,
  notifiers: ReadonlyMap<string, Notifier>,
  say: (line: string) => void,
): Promise<Watch> => {
  const registry = new Registry();
  const metrics = watchMetrics(registry, [...notifiers.keys()]);
  const limits: Limits = { ...config, wellAfterBeats, retryMs };
  const boot = randomUUID();
  const steady = (): number => Math.round(performance.now());
  const name: WatchName = { device: config.device, boot, now: Date.now, wall: (ms) => Date.now() - steady() + ms };
  let watching = beginWatching(steady());

  const tell = async (telling: Telling): Promise<void> => {
    const took = await sound(telling, name, {
      notifiers,
      recipients: config.recipients,
      limitMs: config.notifyLimitMs,
      say,
      onOutcome: metrics.notified,
    });
    if (!took && telling.what !== "ended") happened({ kind: "untold", instance: telling.instance, at: steady() });
  };
  const happened = (event: WatchEvent): void => {
    const watched = watch(watching, event, limits);
    watching = watched.watching;
    if (watched.arrival !== undefined) metrics.beat(watched.arrival.outcome);
    if (watched.arrival !== undefined && watched.arrival.outcome !== "unknown")
      metrics.roundTrip(watched.arrival.roundTripMs);
    if (watched.arrival?.outcome === "inTime") metrics.beatAt(Date.now());
    for (const concern of concernNames) metrics.concern(concern, watching.concerns[concern] !== null);
    for (const telling of watched.tell) void tell(telling);
  };

  const { caFile, ...broker } = config.broker;
  const tls = config.http.tls && {
    cert: await pem(config.http.tls.certFile),
    key: await pem(config.http.tls.keyFile),
  };
  let standing = "";
  const heart = openHeart({
    ...broker,
    ca: caFile === undefined ? undefined : await pem(caFile),
    device: config.device,
    boot,
    onState: (state, detail) => {
      if (state !== standing) say(`broker ${state}: ${detail}`);
      standing = state;
    },
    keepMs: config.beatLimitMs,
  });
  const hearing = await openHearing({
    ...config,
    host: config.http.host,
    port: config.http.port,
    tls,
    now: Date.now,
    onBeat: (seq) => happened({ kind: "came", seq, at: steady() }),
    onAlive: () => {
      metrics.aliveAt(Date.now());
      happened({ kind: "alive", at: steady() });
    },
    onAcknowledged: (who) => {
      const sounding = Object.values(watching.concerns).some((concern) => concern?.acknowledgedBy === null);
      if (sounding) {
        happened({ kind: "acknowledged", who, at: steady() });
        say(`acknowledged by ${who}`);
      }
      return sounding;
    },
    onRefused: (path, { reason, detail }) => {
      metrics.refused(path, reason);
      say(`refused at ${path}: ${detail} [${reason}]`);
    },
    routes: (server) => {
      server.get("/metrics", async (_request, reply) =>
        reply.type(registry.contentType).send(await registry.metrics()),
      );
      server.get("/healthz", () => ({ ok: true }));
      server.get("/state", () => ({ now: steady(), watching }));
    },
  }).catch(async (error: unknown) => {
    await heart.close();
    throw error;
  });

  // no two lives of a watch share a number: a beat of an earlier one that comes late must not count
  let seq = Date.now();
  const beat = (): void => {
    seq++;
    happened({ kind: "due", seq, at: steady() });
    metrics.beat("sent");
    heart.beat(seq, Date.now());
  };
  const beating = setInterval(beat, config.beatEveryMs);
  const ticking = setInterval(() => happened({ kind: "tick", at: steady() }), tickMs);
  const done = Promise.withResolvers<void>();
  return {
    where: `beats as ${config.device} at ${config.broker.url}, listens on http://${config.http.host}:${hearing.port}`,
    port: hearing.port,
    done: done.promise,
    close: async () => {
      clearInterval(beating);
      clearInterval(ticking);
      await closeAll([
        ...[...notifiers.values()].map((notifier) => () => notifier.close()),
        heart.close,
        hearing.close,
      ]);
      done.resolve();
    },
  };
};

/** Codes: `config-unreadable`. */
const pem = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("config-unreadable", `watch: ${file} can't be read`, { retry: false, cause });
  });

/** Resolves after SIGINT or SIGTERM and a clean close; rejects when it can't start. Codes: those of the configuration, of a notifier, of the port. */
export const runWatch = async (configFile: string): Promise<void> => {
  const closing: (() => Promise<void>)[] = [];
  try {
    const config = await readWatchConfig(configFile);
    const watch = await openWatch(config, await openNotifiers(config.notifiers), (line) =>
      process.stderr.write(`afferent watch: ${line}\n`),
    );
    closing.push(watch.close);
    const told = interrupted();
    process.stdout.write(`afferent watch: ${watch.where}\n`);
    await Promise.race([watch.done, told]);
  } finally {
    await closeAndEnd(closing);
  }
};
