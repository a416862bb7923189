/** A roster service over a log in memory and a file of its own, which can be left as a crash leaves it and opened again; for tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Association, Patient } from "../../../schemas/records/roster.ts";
import { type AdtOf, adtBytes } from "../../../schemas/hl7v2/adt.fixture.ts";
import { readAcknowledgement } from "../../../schemas/hl7v2/acknowledgement.ts";
import { events, raw, rawWaveforms } from "../../../schemas/topics.ts";
import { realTime } from "../../core/time.ts";
import type { AnyTopic } from "../../core/stage.ts";
import type { Wire } from "../../core/wire.ts";
import { localRegistry } from "../../io/registry/local.ts";
import { openWire } from "../../io/registry/wire.ts";
import { readRoster, type Roster } from "../../io/roster-file.ts";
import { readAll } from "../../log/conformance-fixtures.ts";
import type { Append, Log } from "../../log/log.ts";
import { memoryLog } from "../../log/memory.ts";
import { answered } from "./adt-door.ts";
import { RosterAppending } from "./appending.ts";
import { localTimeIn } from "./local-time.ts";
import { RosterService } from "./service.ts";
import { RosterStore } from "./store.ts";

export const rosterFile = (change: (file: Record<string, unknown>) => object = (file) => file): Roster => {
  const bed = (name: string) => ({ bed: name, unit: "icu-1" });
  const device = (name: string, at: string) => ({
    device: name,
    model: "simmon-1",
    serial: null,
    unit: "icu-1",
    bed: at,
  });
  const file = {
    version: 1,
    devices: [device("mon-a", "A"), device("mon-b", "B")],
    beds: [bed("A"), bed("B")],
    associations: [],
    patients: [],
    consents: [],
  };
  const reading = readRoster(JSON.stringify(change(file)));
  if (!reading.ok) throw new Error(reading.problem.detail);
  return reading.value;
};

export const authorities = [{ namespace: "KH-NORD", system: "urn:oid:1.2.276.1", type: "MR", destinations: ["ehr"] }];

export interface House {
  readonly log: Log;
  readonly wire: Wire;
  readonly folder: string;
  readonly outcomes: string[];
  service: RosterService;
  store: RosterStore;
  nowMs: number;
  /** How many appends are to fail, before or after they took effect. */
  failing: { before: number; after: number };
  /** What comes by MLLP, and the code of its answer. */
  hears(...messages: readonly AdtOf[]): string[];
  answers(bytes: Uint8Array): { readonly code: string; readonly text: string };
  /** As after a kill: the process's memory is gone, its file and the log are there. */
  restart(roster?: Roster): void;
  /** Until nothing waits for the log. */
  settle(): Promise<void>;
  /** The log's roster records by topic, in the order of each partition: `association/ID revision`. */
  inLog(topic?: AnyTopic): Promise<string[]>;
  bodies(): Promise<(Association | Patient)[]>;
  close(): Promise<void>;
}

export const openHouse = async (roster: Roster = rosterFile()): Promise<House> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-roster-"));
  const kept = memoryLog({ now: () => house.nowMs });
  const topics = [raw, rawWaveforms, events];
  await kept.ensure(topics);
  const wire = await openWire(localRegistry(":memory:"), topics);
  const failing = { before: 0, after: 0 };
  const fail = (): never => {
    throw new Error("the log is away");
  };
  const log: Log = new Proxy(kept, {
    get: (target, property) => {
      if (property === "appender")
        return async (name: string) => {
          const appender = await target.appender(name);
          const append = async (records: readonly Append[]): Promise<void> => {
            if (failing.before > 0 && failing.before-- > 0) fail();
            await appender.append(records);
            if (failing.after > 0 && failing.after-- > 0) fail();
          };
          return { append, close: () => appender.close() };
        };
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const file = join(folder, "roster.sqlite");
  const serviceOn = (store: RosterStore, of: Roster): RosterService =>
    new RosterService({
      store,
      authorities,
      // its FHIR server says no more of a bed than that
      locations: { A: "A", B: "B" },
      roster: of,
      now: () => house.nowMs,
      onRevisions: () => undefined,
    });
  const first = new RosterStore(file);
  const bodiesIn = async (topic: AnyTopic) => {
    const found: (Association | Patient)[] = [];
    for (let partition = 0; partition < topic.partitions; partition++)
      for (const { value } of await readAll(kept, topic.name, partition)) {
        const decoded = wire.decode(topic, value);
        if (decoded.ok) found.push(decoded.value.body as unknown as Association | Patient);
      }
    return found;
  };
  const house: House = {
    log,
    wire,
    folder,
    failing,
    nowMs: Date.parse("2026-11-21T23:00:00Z"),
    outcomes: [],
    store: first,
    service: undefined as unknown as RosterService,
    answers(bytes) {
      const answer = answered(bytes, {
        service: house.service,
        store: house.store,
        localTime: localTimeIn("Europe/Berlin"),
        processingId: "P",
        now: () => house.nowMs,
        onMessage: (outcome) => house.outcomes.push(outcome),
        onError: (error) => {
          throw error;
        },
      });
      const read = readAcknowledgement(answer);
      if (!read.ok) throw new Error(read.problem.detail);
      return { code: read.value.code, text: read.value.text };
    },
    hears: (...messages) => messages.map((message) => house.answers(adtBytes(message)).code),
    restart(of = roster) {
      house.store.close();
      house.store = new RosterStore(file);
      house.service = serviceOn(house.store, of);
    },
    async settle() {
      const stop = new AbortController();
      const { store } = house;
      const appending = new RosterAppending({
        store,
        log,
        wire,
        scale: realTime,
        now: () => house.nowMs,
        onError: () => undefined,
      });
      const running = appending.run(stop.signal);
      for (let n = 0; n < 500 && store.waitingCount() > 0; n++) await new Promise((resolve) => setTimeout(resolve, 10));
      stop.abort();
      await running;
    },
    inLog: async (topic = raw) =>
      (await bodiesIn(topic)).map((body) =>
        body.kind === "association"
          ? `${body.device} ${body.revision}${body.voided ? " voided" : ""}`
          : `patient ${body.version}`,
      ),
    bodies: async () => [...(await bodiesIn(raw)), ...(await bodiesIn(events))],
    async close() {
      house.store.close();
      await kept.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  house.service = serviceOn(first, roster);
  return house;
};
