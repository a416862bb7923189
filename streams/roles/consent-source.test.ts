/** A source of consents against a server that fails in every way. */
import { Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { aPatient, minutes, two } from "../../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, policyRule } from "../../schemas/fhir/consent.fixture.ts";
import type { Hop } from "../../schemas/fhir/consent-question.ts";
import type { FhirConsent } from "../../schemas/records/consent.ts";
import type { Patient } from "../../schemas/records/roster.ts";
import { events } from "../../schemas/topics.ts";
import type { Platform } from "../compose.ts";
import { partitionOf } from "../core/hash.ts";
import { logTime } from "../core/time.ts";
import type { Body } from "../core/topic.ts";
import { bareWire as wire } from "../io/registry/bare-wire.fixture.ts";
import type { ConsentSourceConfig } from "../io/consent/config.ts";
import { type ConsentServer, consentServer, type Failing } from "../io/consent/server.fixture.ts";
import { anIntent } from "../io/outbox/outbox.fixture.ts";
import { memoryLog } from "../log/memory.ts";
import { consentAtWriting } from "./consent-at-writing.ts";
import { openConsentSource } from "./consent-source.ts";
import { consentTable } from "./consent-table.ts";

const freshForMs = 400;
/** What both the server's clock and ours say, where nothing is wrong with either. */
const serverNow = Date.UTC(2026, 10, 21, 14);
const denial = policyRule("OPTOUT");
/** Too seldom to matter within a test. */
const never = 3_600_000;
const hop: Hop = { name: "ehr", purpose: "TREAT" };

const intent = anIntent({
  resource: JSON.stringify({ resourceType: "Observation", effectiveDateTime: "2026-11-21T14:05:00Z" }),
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A ward that knows its patient, and a server that has his consents. The ward's time goes on from 14:10. */
const ward = async (patients: readonly Patient[] = [aPatient()]) => {
  const log = memoryLog();
  await log.ensure([{ name: events.name, partitions: events.partitions }]);
  const server = await consentServer();
  const began = performance.now();
  const now = () => two + minutes(10) + Math.round(performance.now() - began);
  const appender = await log.appender("test");
  const record = (body: Body & { patientKey: string }) =>
    appender.append([
      {
        topic: events.name,
        partition: partitionOf(body.patientKey, events.partitions),
        key: body.patientKey,
        value: wire.encode(events, { position: null, logTime: logTime(now()), body: body as never }),
      },
    ]);
  for (const patient of patients) await record(patient);
  const said: string[] = [];
  const say = (level: string) => (of: object, text: string) => said.push(`${level} ${JSON.stringify(of)} ${text}`);
  const often = { pollMs: 20, timeoutMs: 150, freshForMs, confirmEveryMs: 100, rereadEveryMs: 300 };
  const platform = {
    log,
    wire,
    metrics: new Registry(),
    say: { info: say("info"), warn: say("warn"), error: say("error") },
    config: { speed: 1 },
  } as unknown as Platform;
  const table = consentTable(log, wire);
  const start = async (other: Partial<ConsentSourceConfig> = {}) => {
    const config = { name: "ehr", baseUrl: server.url, ...often, ...other };
    const own = { ...platform, metrics: new Registry() };
    const source = await openConsentSource(config, { platform: own, table, now, clock: () => serverNow });
    closing.push(() => source.close());
    const gauge = (name: string) => own.metrics.getSingleMetricAsString(`afferent_consent_source_${name}`);
    return { ...source, stale: async () => Number((await gauge("stale")).split(" ").at(-1)) };
  };
  const asking = (asked: Hop) => consentAtWriting({ table, now, hops: [asked], source: { name: "ehr", freshForMs } });
  const reason = async (asked = hop) => (await asking(asked)(intent)).reason;
  const known = async (key = "pk-7"): Promise<FhirConsent[]> =>
    (await table.of(key)).consents.filter((c) => c.kind === "fhirConsent");
  closing.push(
    () => log.close(),
    () => server.close(),
    () => table.close(),
  );
  /** How far a process that is gone had read. */
  const keep = async (progress: object) => {
    const owner = await log.claim("consent-source", 0, 1);
    await owner.load();
    await owner.confirm();
    const bytes = new TextEncoder().encode(JSON.stringify(progress));
    await owner.commit(new Map([[`progress/ehr/${server.url}`, bytes]]));
    await owner.close();
  };
  return { server, start, reason, known, record, said, log, keep };
};

/** The server was searched for changes so many times more. */
const looks = async ({ searches }: ConsentServer, more: number): Promise<void> => {
  const changes = () => searches.filter((query) => query.includes("_sort=")).length;
  const before = changes();
  await expect.poll(changes, { timeout: 5_000, interval: 15 }).toBeGreaterThanOrEqual(before + more);
};

const until = async <T>(look: () => Promise<T>, wanted: T): Promise<void> => {
  await expect.poll(() => look(), { timeout: 5_000, interval: 15 }).toEqual(wanted);
};

describe("a source of consents", () => {
  it("is read page by page, and what changes there, is deleted or revoked is known here", async () => {
    const { server, start, reason, known } = await ward();
    for (let i = 0; i < 5; i++) server.put(aConsentJson({ id: `c-${i}`, dateTime: `2026-11-0${i + 1}T08:00:00Z` }));
    await start();
    await until(reason, "passed");
    expect((await known()).map(({ id }) => id).sort()).toEqual(["ehr/c-0", "ehr/c-1", "ehr/c-2", "ehr/c-3", "ehr/c-4"]);
    server.put(aConsentJson({ id: "c-5", policyRule: policyRule("OPTOUT"), dateTime: "2026-11-21T14:00:00Z" }));
    await until(reason, "consent-denied");
    server.remove("c-5");
    await until(reason, "passed");
    for (let i = 0; i < 5; i++) server.remove(`c-${i}`);
    await until(reason, "consent-unknown");
  });

  it("is asked for a patient who is new here, and for nobody else's", async () => {
    const { server, start, known, record } = await ward([aPatient({ patientKey: "pk-8", fhirId: "p-0008" })]);
    server.put(aConsentJson());
    server.put(aConsentJson({ id: "theirs", patient: { reference: "Patient/unknown" } }));
    server.put(aConsentJson({ id: "c-8", patient: { reference: `${server.url}/Patient/p-0008` } }));
    await start();
    await until(async () => (await known("pk-8")).length, 1);
    expect(await known()).toEqual([]);
    await record(aPatient());
    await until(async () => (await known()).map(({ id }) => id), ["ehr/c-1"]);
  });

  it("that moves a consent to another patient leaves nothing of it that permits", async () => {
    const { server, start, known, reason } = await ward([
      aPatient(),
      aPatient({ patientKey: "pk-8", fhirId: "p-0008" }),
    ]);
    server.put(aConsentJson());
    await start();
    await until(reason, "passed");
    server.put(aConsentJson({ patient: { reference: "Patient/p-0008" } }));
    await until(reason, "consent-unreadable");
    expect((await known("pk-8")).map(({ resource }) => resource !== null)).toEqual([true]);
    server.put(aConsentJson({ patient: { reference: "Patient/somebody" } }));
    await until(async () => (await known("pk-8")).map(({ resource }) => resource), [null]);
  });

  it("gives a merged patient's consents to the survivor, where they are looked at by a person", async () => {
    const { server, start, known } = await ward([
      aPatient(),
      aPatient({ patientKey: "pk-6", fhirId: "p-0006", mergedInto: "pk-7" }),
    ]);
    server.put(aConsentJson({ patient: { reference: "Patient/p-0006" } }));
    await start();
    await until(async () => (await known()).length, 1);
    expect(await known("pk-6")).toEqual([]);
  });

  it("is taken up where it was left, and says nothing twice", async () => {
    const { server, start, known, log, reason } = await ward();
    server.put(aConsentJson());
    const first = await start();
    await until(reason, "passed");
    await until(async () => (await log.snapshot("consent-source", 0)).size, 1);
    await first.close();
    server.put(aConsentJson({ id: "c-2" }));
    const before = server.searches.length;
    await start();
    await until(async () => (await known()).length, 2);
    expect((await known()).map(({ version }) => version)).toEqual([1, 1]);
    // the newest that it had, less what a server may be late in showing
    const changes = server.searches.slice(before).filter((query) => query.includes("_sort="));
    expect(changes[0]).toContain("_lastUpdated=ge2026-11-21T12:59:51.000Z");
    expect([...(await log.snapshot("consent-source", 0)).keys()]).toEqual([`progress/ehr/${server.url}`]);
  });

  it("whose clock ran an hour ahead for one consent hides nothing that changes after it", async () => {
    const { server, start, reason } = await ward();
    server.put(aConsentJson());
    await start({ confirmEveryMs: never, rereadEveryMs: never });
    await until(reason, "passed");
    server.put(aConsentJson({ id: "theirs", patient: { reference: "Patient/unknown" } }), serverNow + minutes(60));
    await looks(server, 3);
    server.put(aConsentJson({ policyRule: denial }), serverNow - minutes(30));
    await until(reason, "consent-denied");
  });

  it("was read up to a time that our clock has not come to: then it is read from the start", async () => {
    const { server, start, reason, keep } = await ward();
    server.put(aConsentJson({ policyRule: denial }));
    await keep({ mark: serverNow + minutes(60), visited: { "pk-7": '["p-0007",null]' } });
    await start({ confirmEveryMs: never, rereadEveryMs: never });
    await until(reason, "consent-denied");
  });

  it.each([
    { whom: "by his id", patient: { reference: "Patient/p-0007" }, lateMs: minutes(7 * 24 * 60) },
    {
      whom: "by his number alone",
      patient: { identifier: { system: aPatient().identifierSystem, value: aPatient().identifierValue } },
      lateMs: minutes(20 * 60),
    },
  ])(
    "shows a new denial long after the time that it bears: it is found when all is read again ($whom)",
    async ({ patient, lateMs }) => {
      const { server, start, reason } = await ward();
      server.put(aConsentJson());
      await start();
      await until(reason, "passed");
      await looks(server, 3);
      const late = { id: "late", policyRule: denial, dateTime: "2026-11-20", patient };
      server.put(aConsentJson(late), Date.UTC(2026, 10, 21, 13) - lateMs);
      const began = performance.now();
      await until(reason, "consent-denied");
      expect(performance.now() - began).toBeLessThan(2_000);
    },
  );

  it("is asked again for each of many patients, fifty in a search, each in his turn", async () => {
    const many = Array.from({ length: 120 }, (_, i) => aPatient({ patientKey: `pk-${i}`, fhirId: `p-${i}` }));
    const { server, start } = await ward(many);
    await start({ confirmEveryMs: never });
    const asked = () => server.searches.flatMap((query) => new URLSearchParams(query).get("patient")?.split(",") ?? []);
    await expect.poll(() => asked().length, { timeout: 8_000 }).toBeGreaterThan(4 * 120);
    const times = new Map<string, number>();
    for (const who of asked()) times.set(who, (times.get(who) ?? 0) + 1);
    expect(times.size).toBe(120);
    expect(Math.max(...times.values()) - Math.min(...times.values())).toBeLessThanOrEqual(1);
    const together = server.searches.map((query) => new URLSearchParams(query).get("patient")?.split(",").length ?? 0);
    expect(Math.max(...together)).toBe(50);
  });

  const failures: readonly Failing[] = ["garbage", "html", "503", "401", "hangs", "drips", "drops"];
  it.each(failures)(
    "that answers with %s permits nothing once its time is over, and again when it is well",
    async (failing) => {
      const { server, start, reason, said, known } = await ward();
      server.put(aConsentJson());
      await start();
      await until(reason, "passed");
      server.failing = failing;
      await until(reason, "consent-stale");
      await until(async () => (await known())[0]?.problem?.startsWith("consent-stale") ?? false, true);
      expect(said.some((line) => line.startsWith("error"))).toBe(true);
      expect(said.join("\n")).not.toContain("p-0007");
      server.failing = "no";
      await until(reason, "passed");
      expect((await known())[0]).toMatchObject({ problem: null });
    },
  );

  it.each(failures)(
    "that answers with %s from the start on permits nothing, and where no denial is enough nothing either",
    async (failing) => {
      const { server, start, reason } = await ward();
      const lawful: Hop = { ...hop, legalBasis: "unlessDenied", jurisdiction: "DE-BY" };
      server.put(aConsentJson());
      server.failing = failing;
      await start();
      await expect.poll(() => server.searches.length, { timeout: 5_000 }).toBeGreaterThan(2);
      expect(await reason()).toBe("consent-unknown");
      expect(await reason(lawful)).toBe("consent-stale");
      server.failing = "no";
      await until(() => reason(lawful), "passed");
    },
  );

  it("that finds nothing any more is believed only of what it says is gone", async () => {
    const { server, start, reason } = await ward();
    server.put(aConsentJson({ policyRule: policyRule("OPTOUT") }));
    await start();
    await until(reason, "consent-denied");
    server.failing = "forgetful";
    const before = server.searches.length;
    await expect.poll(() => server.searches.length, { timeout: 5_000 }).toBeGreaterThan(before + 20);
    expect(await reason()).toBe("consent-denied");
    server.failing = "empty";
    await until(reason, "consent-unknown");
  });

  it("is read by one process at a time, and by the next when that has gone", async () => {
    const { server, start, reason } = await ward();
    server.put(aConsentJson());
    const first = await start();
    await until(reason, "passed");
    const second = await start();
    await second.close();
    server.put(aConsentJson({ id: "c-2", policyRule: policyRule("OPTOUT"), dateTime: "2026-11-20" }));
    await until(reason, "consent-denied");
    await first.close();
  });

  it("that was silent is told as stale by no process that reads it no more", async () => {
    const { server, start, reason, said } = await ward();
    server.put(aConsentJson());
    const first = await start({ pollMs: 150 });
    await until(reason, "passed");
    server.failing = "503";
    await until(first.stale, 1);
    const second = await start();
    await second.looked;
    server.failing = "no";
    server.put(aConsentJson({ id: "c-2" }));
    await until(reason, "passed");
    await until(async () => said.some((line) => line.includes('"code":"fenced"')), true);
    await until(async () => [await first.stale(), await second.stale()], [0, 0]);
  });
});
