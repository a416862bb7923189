/**
 * The roster service: hears ADT, a FHIR server and people, keeps in a file of its own what each said, and tells the logs of devices and patients whose a
 * measurement is (docs/design.md, "The roster service"). The roster file stays its own and is announced by the front door as before.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadRoster, type Platform } from "../compose.ts";
import { OperatingError } from "../core/failure.ts";
import { type Authorization, openAuthorization } from "../io/authorization/authorization.ts";
import type { Receiver } from "../io/mllp/receiver.ts";
import { runSink } from "../log/sink-runner.ts";
import type { RosterServiceConfig } from "../roster-config.ts";
import { whenChanged } from "./changed-files.ts";
import { openAdtDoor } from "./roster/adt-door.ts";
import { serveRosterApi } from "./roster/api.ts";
import { RosterAppending } from "./roster/appending.ts";
import { followFhir } from "./roster/fhir-feed.ts";
import { Heard } from "./roster/heard.ts";
import { interruptionSink } from "./roster/interruptions.ts";
import { localTimeIn } from "./roster/local-time.ts";
import { type RosterMetrics, rosterMetrics } from "./roster/metrics.ts";
import { type Off, whatIsOff } from "./roster/off.ts";
import { RosterService } from "./roster/service.ts";
import { RosterStore } from "./roster/store.ts";
import { closeAll, type Running } from "./running.ts";
import { knownScale } from "./source.ts";

/** Codes: `config-invalid` without a section `rosterService`, and those of its parts. */
export const openRoster = async (platform: Platform): Promise<Running> => {
  const { config, log, wire, say, metrics } = platform;
  const { rosterService } = config;
  if (rosterService === undefined)
    throw new OperatingError("config-invalid", "roster: the configuration has no section rosterService", {
      retry: false,
    });
  const stop = new AbortController();
  const closing: (() => Promise<unknown>)[] = [];
  const opened = (close: () => Promise<unknown>): void => {
    closing.push(close);
  };
  try {
    const roster = await loadRoster(config.roster);
    const scale = await knownScale(config.speed, platform, stop.signal);
    const store = new RosterStore(join(config.data, "roster.sqlite"));
    opened(async () => store.close());
    const onError = (error: unknown): void => say.warn({ error: String(error) }, "will be tried again");
    const appending = new RosterAppending({ store, log, wire, scale, now: Date.now, onError });
    const { authorities, locations } = rosterService;
    const { mllp, fhir } = rosterService;
    const heard = new Heard(store, [...(mllp ? ["adt" as const] : []), ...(fhir ? ["fhir" as const] : [])], Date.now);
    const silentAfterMs = { adt: mllp?.silentAfterMs ?? null, fhir: fhir?.silentAfterMs ?? null };
    let begun: RosterService | undefined;
    let door: Receiver | undefined;
    const off = (): readonly Off[] =>
      begun === undefined ? [] : whatIsOff({ service: begun, store, heard, silentAfterMs, now: Date.now });
    const counted = rosterMetrics(metrics, {
      store,
      service: () => begun,
      off,
      heard,
      connections: () => door?.connections ?? 0,
    });
    const service = new RosterService({
      store,
      authorities,
      locations,
      roster,
      now: Date.now,
      onRevisions: () => appending.wake(),
      onDerived: (scope, ms) => counted.derived.observe({ scope }, ms / 1_000),
    });
    begun = service;
    const running: Promise<void>[] = [appending.run(stop.signal)];
    opened(async () => {
      stop.abort();
      await Promise.all(running);
    });
    const parts: Parts = { service, store, heard, counted, onError };
    door = await adtDoor(rosterService, parts);
    if (door !== undefined) opened(door.close);
    const api = await serveRosterApi({
      ...rosterService.api,
      service,
      store,
      now: Date.now,
      off,
      health: () => healthOf(store, off()),
      metrics: () => metrics.metrics(),
    });
    opened(api.close);
    running.push(followFile(platform, service, stop.signal));
    const telemetry = await runSink(interruptionSink(service), platform.running);
    opened(telemetry.close.bind(telemetry));
    running.push(telemetry.done);
    if (fhir !== undefined) {
      const authorization = fhir.auth && (await openAuthorization(fhir.auth));
      running.push(feed(fhir, authorization, parts, stop.signal));
    }
    return {
      where: [...(door === undefined ? [] : [`mllp://${mllp?.host}:${door.port}`]), `api ${api.url}`].join(", "),
      done: Promise.all(running).then(() => undefined),
      close: () => closeAll(closing),
    };
  } catch (error) {
    stop.abort();
    await closeAll(closing).catch(() => undefined); // what it could not start for is what counts
    throw error;
  }
};

interface Parts {
  readonly service: RosterService;
  readonly store: RosterStore;
  readonly heard: Heard;
  readonly counted: RosterMetrics;
  readonly onError: (error: unknown) => void;
}

const waiting_max = 10_000;

/** Whoever restarts what is ill would help nobody by restarting it for a feed that is silent: that is told and leaves it well. */
const healthOf = (store: RosterStore, off: readonly Off[]): { readonly ok: boolean; readonly detail: string } => {
  const waiting = store.waitingCount();
  const told = off.map(({ what, sinceMs }) => `${what} since ${new Date(sinceMs).toISOString()}`);
  return { ok: waiting < waiting_max, detail: [`${waiting} records wait for the log`, ...told].join("; ") };
};

const adtDoor = async (
  { mllp }: RosterServiceConfig,
  { service, store, heard, counted: { messages, faults }, onError }: Parts,
): Promise<Receiver | undefined> => {
  if (mllp === undefined) return undefined;
  const { host, port, tls, zone, processingId } = mllp;
  const pem = (file: string): Promise<string> =>
    readFile(file, "utf8").catch((cause: unknown) => {
      throw new OperatingError("file-unreadable", `${file}: can't be read`, { retry: false, cause });
    });
  return openAdtDoor({
    host,
    port,
    ...(tls !== undefined && {
      tls: {
        cert: await pem(tls.cert),
        key: await pem(tls.key),
        ...(tls.ca !== undefined && { ca: await pem(tls.ca) }),
      },
    }),
    service,
    store,
    localTime: localTimeIn(zone),
    processingId,
    now: Date.now,
    onMessage: (outcome, event) => {
      messages.inc({ event, outcome });
      heard.mark("adt");
    },
    onFault: (reason) => faults.inc({ reason }),
    onError,
  });
};

const feed = (
  { baseUrl, everyMs, destination, deviceSystem }: NonNullable<RosterServiceConfig["fhir"]>,
  authorization: Authorization | undefined,
  { service, store, heard, counted: { resources, rounds }, onError }: Parts,
  signal: AbortSignal,
): Promise<void> =>
  followFhir(
    {
      baseUrl: baseUrl.replace(/\/+$/, ""),
      authorization,
      everyMs,
      naming: { ...service.naming, destination, deviceSystem: deviceSystem ?? null },
      service,
      store,
      onResource: (outcome, type) => resources.inc({ type, outcome }),
      onRound: () => {
        heard.mark("fhir");
        rounds.inc({ outcome: "read" });
      },
      onError: (error) => {
        rounds.inc({ outcome: error instanceof OperatingError ? error.code : "unexpected" });
        onError(error);
      },
      now: Date.now,
    },
    signal,
  );

/** A roster file that changed takes effect within two seconds; one that is refused leaves what was. */
const followFile = ({ config, say }: Platform, service: RosterService, signal: AbortSignal): Promise<void> =>
  whenChanged(
    [config.roster],
    async () => {
      try {
        service.rebase(await loadRoster(config.roster));
        say.info("the roster file has changed");
      } catch (error) {
        say.error({ error: String(error) }, "the changed roster file is not in force; what it said before is");
      }
    },
    signal,
  );
