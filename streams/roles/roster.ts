/**
 * The roster service: hears ADT, a FHIR server and people, keeps in a file of its own what each said, and tells the logs of devices and patients whose a
 * measurement is (docs/design.md, "The roster service"). The roster file stays its own and is announced by the front door as before.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { loadRoster, type Platform } from "../compose.ts";
import { OperatingError } from "../core/failure.ts";
import type { RosterServiceConfig } from "../roster-config.ts";
import { whenChanged } from "./changed-files.ts";
import { openAdtDoor } from "./roster/adt-door.ts";
import { serveRosterApi } from "./roster/api.ts";
import { RosterAppending } from "./roster/appending.ts";
import { followFhir } from "./roster/fhir-feed.ts";
import { localTimeIn } from "./roster/local-time.ts";
import { RosterService } from "./roster/service.ts";
import { RosterStore } from "./roster/store.ts";
import { closeAll, type Running } from "./running.ts";
import { knownScale } from "./source.ts";

/** Whoever starts it may look; names of outcomes are stable codes and say nothing of anybody. */
const metricsOf = (registers: Registry[], store: RosterStore, service: () => RosterService | undefined) => {
  new Gauge({
    name: "afferent_roster_waiting_records",
    help: "Roster records that the log does not have yet",
    registers,
    collect() {
      this.set(store.waitingCount());
    },
  });
  new Gauge({
    name: "afferent_roster_conflicts",
    help: "Open links of which it is unclear who is measured",
    registers,
    collect() {
      this.set(
        service()?.view.links.filter(({ toMs, conflicts }) => toMs === null && conflicts.length > 0).length ?? 0,
      );
    },
  });
  new Gauge({
    name: "afferent_roster_problems",
    help: "What was told and has no effect as it is, by reason: places that may be a bed of ours among them",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const { reason } of service()?.view.problems ?? []) this.inc({ reason });
    },
  });
  new Gauge({
    name: "afferent_roster_events",
    help: "What was ever told (kept), and with how much of that the next message is derived unless it concerns closed stories (open)",
    labelNames: ["part"],
    registers,
    collect() {
      const { kept, open } = service()?.sizes ?? { kept: 0, open: 0 };
      this.set({ part: "kept" }, kept);
      this.set({ part: "open" }, open);
    },
  });
  return {
    derived: new Histogram({
      name: "afferent_roster_derive_seconds",
      help: "How long it takes to compute what holds, of open stories or of all that was ever told: ADT waits as long",
      labelNames: ["scope"],
      buckets: [0.001, 0.01, 0.1, 0.5, 1, 5, 10],
      registers,
    }),
    messages: new Counter({
      name: "afferent_roster_messages_total",
      help: "ADT messages by event and by what became of them",
      labelNames: ["event", "outcome"],
      registers,
    }),
    faults: new Counter({
      name: "afferent_roster_mllp_faults_total",
      help: "Connections of ADT senders that ended badly, by reason",
      labelNames: ["reason"],
      registers,
    }),
    resources: new Counter({
      name: "afferent_roster_fhir_resources_total",
      help: "Resources read from the FHIR server by type and by what became of them",
      labelNames: ["type", "outcome"],
      registers,
    }),
    heard: new Gauge({
      name: "afferent_roster_heard_timestamp_seconds",
      help: "When a source was last heard: the ADT feed, the FHIR server",
      labelNames: ["source"],
      registers,
    }),
  };
};

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
    let begun: RosterService | undefined;
    const counted = metricsOf([metrics], store, () => begun);
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
    const door = await adtDoor(rosterService, service, store, counted, onError);
    if (door !== undefined) opened(door.close);
    const api = await serveRosterApi({
      ...rosterService.api,
      service,
      store,
      now: Date.now,
      health: () => healthOf(store),
      metrics: () => metrics.metrics(),
    });
    opened(api.close);
    running.push(followFile(platform, service, stop.signal));
    if (rosterService.fhir !== undefined)
      running.push(feed(rosterService.fhir, service, store, counted, onError, stop.signal));
    return {
      where: [
        ...(door === undefined ? [] : [`mllp://${rosterService.mllp?.host}:${door.port}`]),
        `api ${api.url}`,
      ].join(", "),
      done: Promise.all(running).then(() => undefined),
      close: () => closeAll(closing),
    };
  } catch (error) {
    stop.abort();
    await closeAll(closing).catch(() => undefined); // what it could not start for is what counts
    throw error;
  }
};

type Counted = ReturnType<typeof metricsOf>;

const waiting_max = 10_000;

const healthOf = (store: RosterStore): { readonly ok: boolean; readonly detail: string } => {
  const waiting = store.waitingCount();
  return { ok: waiting < waiting_max, detail: `${waiting} records wait for the log` };
};

const adtDoor = async (
  { mllp }: RosterServiceConfig,
  service: RosterService,
  store: RosterStore,
  { messages, faults, heard }: Counted,
  onError: (error: unknown) => void,
) => {
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
      heard.set({ source: "adt" }, Date.now() / 1_000);
    },
    onFault: (reason) => faults.inc({ reason }),
    onError,
  });
};

const feed = (
  { baseUrl, everyMs, destination, deviceSystem }: NonNullable<RosterServiceConfig["fhir"]>,
  service: RosterService,
  store: RosterStore,
  { resources, heard }: Counted,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> =>
  followFhir(
    {
      baseUrl: baseUrl.replace(/\/+$/, ""),
      everyMs,
      naming: { ...service.naming, destination, deviceSystem: deviceSystem ?? null },
      service,
      store,
      onResource: (outcome, type) => resources.inc({ type, outcome }),
      onRound: () => heard.set({ source: "fhir" }, Date.now() / 1_000),
      onError,
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
