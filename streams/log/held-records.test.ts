/** A stretch of a partition as somebody sees it who only looks. */
import { beforeEach, describe, expect, it } from "vitest";
import { aConsent } from "../../schemas/fhir/clinical.fixture.ts";
import type { Consent } from "../../schemas/records/consent.ts";
import { events } from "../../schemas/topics.ts";
import { ok, refuse } from "../core/failure.ts";
import { logTime } from "../core/time.ts";
import type { Wire } from "../core/wire.ts";
import { heldRecords, type Stretch } from "./held-records.ts";
import type { TrimmableLog } from "./log.ts";
import { memoryLog } from "./memory.ts";

const wire: Wire = {
  encode: (topic, envelope) => topic.codec.encode(envelope),
  decode: (topic, bytes) =>
    bytes.length === 1 ? refuse("not-avro", "one byte says nothing") : ok(topic.codec.decode(bytes)),
  learn: () => Promise.resolve(false),
};

describe("a stretch of a partition", () => {
  let log: TrimmableLog;
  const append = async (...values: readonly Uint8Array[]): Promise<void> => {
    const appender = await log.appender("test");
    await appender.append(values.map((value) => ({ topic: events.name, partition: 1, key: "pk-7", value })));
    await appender.close();
  };
  const consent = (version: number): Uint8Array =>
    wire.encode(events, { position: null, logTime: logTime(0), body: aConsent({ version }) });
  /** Offset and what it says: a consent's version, or why it can't be read. */
  const held = async (stretch?: Stretch): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const { offset, decoded } of heldRecords({ log, wire }, events, 1, stretch))
      found.push(`${offset} ${decoded.ok ? (decoded.value.body as Consent).version : decoded.problem.reason}`);
    return found;
  };

  beforeEach(async () => {
    log = memoryLog();
    await log.ensure([{ name: events.name, partitions: events.partitions }]);
    await append(consent(10), Uint8Array.of(7), consent(12), consent(13));
  });

  it("is all that is held, with the reason for what can't be read, and nothing of an empty partition", async () => {
    expect(await held()).toEqual(["0 10", "1 not-avro", "2 12", "3 13"]);
    for await (const record of heldRecords({ log, wire }, events, 0)) expect(record).toBeUndefined();
  });

  it("begins and ends where it is told to, however far that is beyond what there is", async () => {
    expect(await held({ from: 2, before: 3 })).toEqual(["2 12"]);
    expect(await held({ from: -5, before: 1 })).toEqual(["0 10"]);
    expect(await held({ from: 3, before: 99 })).toEqual(["3 13"]);
    expect(await held({ from: 4 })).toEqual([]);
  });

  it("passes over what was trimmed", async () => {
    await log.trim(events.name, 1, 2);
    expect(await held({ from: 1 })).toEqual(["2 12", "3 13"]);
  });

  it("does not wait for what comes while it is read", async () => {
    const found: number[] = [];
    for await (const { offset } of heldRecords({ log, wire }, events, 1)) {
      found.push(offset);
      await append(consent(99));
    }
    expect(found).toEqual([0, 1, 2, 3]);
  });
});
