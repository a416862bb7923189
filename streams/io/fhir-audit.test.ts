import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServerResponse } from "node:http";
import type { Delivery } from "../../schemas/records/clinical.ts";
import { deliveries } from "../../schemas/topics.ts";
import { logTime } from "../core/time.ts";
import { type Answering, answering } from "./answering.fixture.ts";
import { fhirClient } from "./fhir/client.ts";
import { auditSink } from "./fhir-audit.ts";
import { alreadyThere } from "./outbox/attempt.ts";
import { deliveryOf } from "./outbox/delivery.ts";
import { anIntent, never, took, VirtualTime } from "./outbox/outbox.fixture.ts";

let repository: Answering;
let came: string[];
let refusedOnes: string[];
let answers: ((response: ServerResponse) => void)[];
beforeEach(async () => {
  came = [];
  refusedOnes = [];
  answers = [];
  repository = await answering(({ method, url = "" }, response) => {
    if (url === "/metadata") return void response.end('{"resourceType":"CapabilityStatement"}');
    came.push(`${method} ${url}`);
    (answers.shift() ?? ((r) => void r.writeHead(201).end()))(response);
  });
});
afterEach(() => repository.close());

const audited = (id: string) => anIntent({ resourceId: id, audit: JSON.stringify({ resourceType: "AuditEvent", id }) });
const entries = (all: readonly Delivery[]) =>
  all.map((body, offset) => ({
    key: body.patientKey,
    logTime: logTime(0),
    offset,
    partition: 0,
    topic: deliveries.name,
    body,
  }));

const sink = () =>
  auditSink({
    destination: "ehr",
    client: fhirClient({ baseUrl: repository.url, timeoutMs: 200, now: Date.now }),
    waiting: new VirtualTime(),
    pauses: { firstMs: 200, mostMs: 1_000 },
    triesMost: 3,
    signal: never,
    onRefused: ({ resourceId }, detail) => refusedOnes.push(`${resourceId} ${detail}`),
  });

/** As the sink runner does. */
const untilKept = async (to: ReturnType<typeof sink>, all: readonly Delivery[]): Promise<void> => {
  for (;;) {
    try {
      await to.write(entries(all));
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== "audit-unavailable") throw error;
    }
  }
};

const first = deliveryOf(audited("a-1"), took);

describe("an audit repository", () => {
  it("gets the AuditEvent of what was disclosed, and of nothing else", async () => {
    const withheld = deliveryOf(audited("a-2"), { outcome: "withheld", detail: "consent-denied", versionId: null });
    const elsewhere = { ...first, destination: "research" };
    const unaudited = deliveryOf(anIntent(), took);
    await untilKept(sink(), [first, withheld, elsewhere, unaudited]);
    expect(came).toEqual(["PUT /AuditEvent/a-1"]);
    expect(withheld.audit).toBeNull();
  });

  it("gets that of a disclosure which a start after a crash found at the destination, and of nothing that it found there else", async () => {
    const found = deliveryOf(audited("a-1"), alreadyThere("revision 0 is there", "1", true));
    const later = deliveryOf(audited("a-2"), alreadyThere("revision 1 is there", "2"));
    await untilKept(sink(), [found, later]);
    expect(came).toEqual(["PUT /AuditEvent/a-1"]);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["503", (r) => void r.writeHead(503).end()],
    ["a connection that breaks", (r) => void r.destroy()],
    ["nothing in its time", () => undefined],
  ])("that answers with %s gets each event once it is back", async (_, answer) => {
    answers = [answer, answer];
    await untilKept(sink(), [first, deliveryOf(audited("a-2"), took)]);
    expect(came.slice(-2)).toEqual(["PUT /AuditEvent/a-1", "PUT /AuditEvent/a-2"]);
    expect(came.filter((one) => one.endsWith("a-2"))).toHaveLength(1);
  });

  it.each([400, 500])("that refuses one (%i) is told of, and keeps the next one", async (status) => {
    answers = Array.from(
      { length: status === 500 ? 3 : 1 },
      () => (r: ServerResponse) => void r.writeHead(status).end(),
    );
    await untilKept(sink(), [first, deliveryOf(audited("a-2"), took)]);
    expect(refusedOnes).toEqual([`a-1 ${status}`]);
    expect(came.at(-1)).toBe("PUT /AuditEvent/a-2");
  });
});
