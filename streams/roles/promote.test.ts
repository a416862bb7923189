/** A promotion that asks for consent at the moment of writing, and one that is closed while nobody answers. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { aConsent, anEpisode, aPatient, minutes, two } from "../../schemas/fhir/clinical.fixture.ts";
import { observationOf } from "../../schemas/fhir/observation.ts";
import type { Consent } from "../../schemas/records/consent.ts";
import { deliveries, events, outbox } from "../../schemas/topics.ts";
import { partitionOf } from "../core/hash.ts";
import { logTime } from "../core/time.ts";
import { bareWire as wire } from "../io/registry/bare-wire.fixture.ts";
import { anIntent } from "../io/outbox/outbox.fixture.ts";
import { memoryLog } from "../log/memory.ts";
import { consentAtWriting } from "./consent-at-writing.ts";
import { consentTable } from "./consent-table.ts";
import type { Platform } from "../compose.ts";
import { runPromotion } from "./promote.ts";

const intent = anIntent({
  resource: JSON.stringify(
    observationOf({
      episode: anEpisode(),
      patient: aPatient(),
      revision: 0,
      status: "preliminary",
      transform: "gates@1",
      note: null,
    }),
  ),
});

const ward = async () => {
  const log = memoryLog();
  await log.ensure([{ name: events.name, partitions: events.partitions }]);
  const appender = await log.appender("test");
  let now = two + minutes(10);
  const table = consentTable(log, wire);
  const asked = consentAtWriting({ table, now: () => now, hops: [] });
  return {
    record: (consent: Consent) =>
      appender.append([
        {
          topic: events.name,
          partition: partitionOf(consent.patientKey, events.partitions),
          key: consent.patientKey,
          value: wire.encode(events, { position: null, logTime: logTime(two), body: consent }),
        },
      ]),
    reason: async () => (await asked(intent)).reason,
    until: (ms: number) => {
      now = ms;
    },
    close: async () => {
      await table.close();
      await log.close();
    },
  };
};

describe("consent, asked at the moment of writing", () => {
  it("is what the log holds at that moment: unknown, permitted, withdrawn a moment later", async () => {
    const { record, reason, close } = await ward();
    expect(await reason()).toBe("consent-unknown");
    await record(aConsent());
    expect(await reason()).toBe("passed");
    await record(aConsent({ version: 2, decision: "deny", recordedAt: two + minutes(9) }));
    expect(await reason()).toBe("consent-denied");
    await close();
  });

  it("is another patient's affair for another patient, and runs out by the ward's own time", async () => {
    const { record, reason, until, close } = await ward();
    await record(aConsent({ patientKey: "pk-8" }));
    expect(await reason()).toBe("consent-unknown");
    await record(aConsent({ to: two + minutes(20) }));
    expect(await reason()).toBe("passed");
    until(two + minutes(20));
    expect(await reason()).toBe("consent-not-now");
    await close();
  });

  it("does not cover data from before it", async () => {
    const { record, reason, close } = await ward();
    await record(aConsent({ from: two + minutes(6) }));
    expect(await reason()).toBe("consent-not-at-event");
    await close();
  });

  it("sees a withdrawal that came while an earlier question was still reading", async () => {
    const { record, reason, close } = await ward();
    await record(aConsent());
    const first = reason();
    await record(aConsent({ version: 2, decision: "deny", recordedAt: two + minutes(9) }));
    const second = reason();
    await first;
    expect(await second).toBe("consent-denied");
    await close();
  });
});

describe("a promotion that is closed while its destination says nothing", () => {
  it("gives the write up at once, and has recorded no answer", async () => {
    const log = memoryLog();
    await log.ensure([events, outbox, deliveries].map(({ name, partitions }) => ({ name, partitions })));
    const asked = Promise.withResolvers<void>();
    const silent = createServer(({ url }) => (url === "/metadata" ? undefined : asked.resolve())).listen(
      0,
      "127.0.0.1",
    );
    const baseUrl = await new Promise<string>((resolve) =>
      silent.once("listening", () => resolve(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`)),
    );
    const running = { log, wire, lingerMs: 0, onUnreadable: () => undefined, onError: () => undefined };
    const promotion = await runPromotion({
      config: { speed: 1, destinations: [{ name: "ehr", kind: "fhir", baseUrl, finalAtEnd: true }] },
      log,
      wire,
      running,
      metrics: new Registry(),
      counted: { promoted: new Counter({ name: "promoted", help: "told", labelNames: ["outcome"], registers: [] }) },
    } as unknown as Platform);
    const partition = partitionOf(intent.patientKey, outbox.partitions);
    const value = wire.encode(outbox, { position: null, logTime: logTime(two), body: intent });
    await (await log.appender("test")).append([{ topic: outbox.name, partition, key: intent.patientKey, value }]);
    await asked.promise;

    const began = performance.now();
    await promotion.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    for (let p = 0; p < deliveries.partitions; p++) expect((await log.bounds(deliveries.name, p)).end).toBe(0);
    silent.closeAllConnections();
    silent.close();
  });
});
