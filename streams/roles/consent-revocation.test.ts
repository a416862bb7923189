/** Consent taken back while five hundred writes wait: none goes out later than five seconds after it (it is the one under way, at most). */
import { Counter, Registry } from "prom-client";
import { expect, it } from "vitest";
import { aPatient } from "../../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, policyRule } from "../../schemas/fhir/consent.fixture.ts";
import type { Intent } from "../../schemas/records/clinical.ts";
import type { Consent } from "../../schemas/records/consent.ts";
import type { Patient } from "../../schemas/records/roster.ts";
import { deliveries, events, outbox, tasks } from "../../schemas/topics.ts";
import type { Platform } from "../compose.ts";
import { partitionOf } from "../core/hash.ts";
import type { AnyTopic } from "../core/stage.ts";
import { logTime } from "../core/time.ts";
import type { Body } from "../core/topic.ts";
import { bareWire as wire } from "../io/registry/bare-wire.fixture.ts";
import { type ConsentServer, consentServer } from "../io/consent/server.fixture.ts";
import { anIntent } from "../io/outbox/outbox.fixture.ts";
import { memoryLog } from "../log/memory.ts";
import { runPromotion } from "./promote.ts";

const waiting = 500;
const people = Array.from({ length: 10 }, (_, i) => `${i}`);

const patientOf = (i: string): Patient => aPatient({ patientKey: `pk-${i}`, fhirId: `p-${i}` });
const intentOf = (i: string, n: number): Intent =>
  anIntent({
    identity: `${i}-${n}`,
    patientKey: `pk-${i}`,
    resourceId: `o-${i}-${n}`,
    resource: JSON.stringify({
      resourceType: "Observation",
      id: `o-${i}-${n}`,
      meta: { tag: [{ system: "urn:afferent:revision", code: "0" }] },
      status: "final",
      code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
      subject: { reference: `Patient/p-${i}` },
      effectiveDateTime: "2026-11-21T14:05:00.000Z",
    }),
  });

/** A promotion with five hundred writes before it, of which each takes 20 ms. */
const promoting = async (
  server: ConsentServer,
  records: readonly (Body & { patientKey: string })[],
  source: boolean,
) => {
  const log = memoryLog();
  await log.ensure([events, outbox, deliveries, tasks].map(({ name, partitions }) => ({ name, partitions })));
  const appender = await log.appender("test");
  const append = (topic: AnyTopic, bodies: readonly (Body & { patientKey: string })[]) =>
    appender.append(
      bodies.map((body) => ({
        topic: topic.name,
        partition: partitionOf(body.patientKey, topic.partitions),
        key: body.patientKey,
        value: wire.encode(topic, { position: null, logTime: logTime(Date.now()), body }),
      })),
    );
  await append(events, records);
  await append(
    outbox,
    Array.from({ length: waiting }, (_, n) => intentOf(people[n % people.length] ?? "", n)),
  );
  server.writeMs = 20;
  const promotion = await runPromotion({
    config: {
      speed: 1,
      destinations: [{ name: "ehr", kind: "fhir", baseUrl: server.url, finalAtEnd: true, purpose: "TREAT" }],
      ...(source && {
        consentSource: {
          name: "ehr",
          baseUrl: server.url,
          pollMs: 1_000,
          timeoutMs: 5_000,
          freshForMs: 300_000,
          confirmEveryMs: 60_000,
          rereadEveryMs: 600_000,
        },
      }),
    },
    log,
    wire,
    running: { log, wire, lingerMs: 0, onUnreadable: () => undefined, onError: () => undefined },
    metrics: new Registry(),
    say: { info: () => undefined, warn: () => undefined, error: () => undefined },
    counted: { promoted: new Counter({ name: "promoted", help: "told", labelNames: ["outcome"], registers: [] }) },
  } as unknown as Platform);
  const outcomes = async (): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (let p = 0; p < deliveries.partitions; p++) {
      const { end } = await log.bounds(deliveries.name, p);
      const reader = await log.reader(deliveries.name, p, "start");
      for (let read = 0; read < end; ) {
        const batch = await reader.next(200);
        read += batch.length;
        for (const { value } of batch) {
          const { body } = deliveries.codec.decode(value);
          const outcome = body.kind === "delivery" ? `${body.outcome} ${body.detail.split(":")[0]}` : body.kind;
          found[outcome] = (found[outcome] ?? 0) + 1;
        }
      }
      await reader.close();
    }
    return found;
  };
  return {
    promotion,
    append: (bodies: readonly (Body & { patientKey: string })[]) => append(events, bodies),
    outcomes,
  };
};

const simple = (i: string, change: Partial<Consent> = {}): Consent => ({
  kind: "consent",
  id: `c-${i}`,
  version: 1,
  patientKey: `pk-${i}`,
  destination: "ehr",
  decision: "permit",
  from: 0,
  to: null,
  recordedAt: Date.UTC(2020, 0, 1),
  ...change,
});

const consentOf = (i: string, code: string) =>
  aConsentJson({
    id: `c-${i}`,
    patient: { reference: `Patient/p-${i}` },
    policyRule: policyRule(code),
    dateTime: "2020-01-01T00:00:00Z",
  });

const settled = async (outcomes: () => Promise<Record<string, number>>) => {
  await expect
    .poll(async () => Object.values(await outcomes()).reduce((sum, n) => sum + n, 0), {
      timeout: 40_000,
      interval: 100,
    })
    .toBe(waiting);
  return outcomes();
};

it("stops at once by the roster's word: what was not under way is withheld", { timeout: 60_000 }, async () => {
  const server = await consentServer();
  const { promotion, append, outcomes } = await promoting(
    server,
    people.flatMap((i) => [patientOf(i), simple(i)]),
    false,
  );
  await expect.poll(() => server.written.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(40);
  await append(people.map((i) => simple(i, { version: 2, decision: "deny", recordedAt: Date.now() })));
  const revokedAt = performance.now();
  const found = await settled(outcomes);
  await promotion.close();
  await server.close();
  const lastMs = Math.max(...server.written.map(({ at }) => at - revokedAt));
  console.error(
    `revoked in the log with ${waiting} writes before it: the last went out ${Math.round(lastMs)} ms after it, ${server.written.length} in all`,
  );
  expect(lastMs).toBeLessThan(5_000);
  expect(server.written.length).toBeLessThan(waiting / 2);
  expect(found["withheld consent-denied"]).toBe(waiting - server.written.length);
});

it("stops within five seconds of a revocation at the source of consents", { timeout: 60_000 }, async () => {
  const server = await consentServer();
  for (const i of people) server.put(consentOf(i, "OPTIN"));
  const consents = people.map((i) => simple(i, { recordedAt: Date.UTC(2019, 0, 1) }));
  const { promotion, outcomes } = await promoting(server, [...people.map(patientOf), ...consents], true);
  await expect.poll(() => server.written.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(40);
  for (const i of people) server.put(consentOf(i, "OPTOUT"));
  const revokedAt = performance.now();
  const found = await settled(outcomes);
  await promotion.close();
  await server.close();
  const lastMs = Math.max(...server.written.map(({ at }) => at - revokedAt));
  console.error(
    `revoked at the source, read each second: the last went out ${Math.round(lastMs)} ms after it, ${server.written.length} in all`,
  );
  expect(lastMs).toBeLessThan(5_000);
  expect(server.written.length).toBeLessThan(waiting);
  expect(found["withheld consent-denied"]).toBe(waiting - server.written.length);
});
