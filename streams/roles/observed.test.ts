/** What a person says of a patient, and what of it is refused. */
import { describe, expect, it } from "vitest";
import { minutes, two } from "../../schemas/fhir/clinical.fixture.ts";
import { events } from "../../schemas/topics.ts";
import type { Platform } from "../compose.ts";
import { partitionOf } from "../core/hash.ts";
import { bareWire as wire } from "../io/registry/bare-wire.fixture.ts";
import { memoryLog } from "../log/memory.ts";
import { type ObservedAct, recordObserved } from "./observed.ts";

const act: ObservedAct = { patient: "pk-7", what: "oxygen", value: "oxygen", as: "Nurse K. Okafor" };

/** What stands in the patient's log afterwards, said at 14:10. */
const recorded = async (change: Partial<ObservedAct>) => {
  const log = memoryLog();
  await log.ensure([{ name: events.name, partitions: events.partitions }]);
  const config = { speed: 1 } as unknown as Platform["config"];
  try {
    await recordObserved({ log, wire, config }, { ...act, ...change }, () => two + minutes(10));
    const reader = await log.reader(events.name, partitionOf("pk-7", events.partitions), "start");
    const [record] = await reader.next(10);
    await reader.close();
    return record && { key: record.key, ...events.codec.decode(record.value) };
  } finally {
    await log.close();
  }
};

describe("what a person observed", () => {
  it("is a record in the patient's own log that names who says it, of now", async () => {
    expect(await recorded({})).toMatchObject({
      key: "pk-7",
      logTime: two + minutes(10),
      body: {
        kind: "observed",
        what: "oxygen",
        value: "oxygen",
        ucum: null,
        by: "Nurse K. Okafor",
        at: two + minutes(10),
      },
    });
  });

  it("may be of before, with its unit", async () => {
    const urea = { what: "ureaBefore", value: "25.5", unit: "mmol/L", at: "2026-11-21T15:05:00+01:00" };
    expect(await recorded(urea)).toMatchObject({
      logTime: two + minutes(10),
      body: { what: "ureaBefore", value: "25.5", ucum: "mmol/L", at: two + minutes(5) },
    });
  });

  const urea = { what: "ureaAfter", value: "7.5" };
  const refusals: readonly [
    why: string,
    reason: string,
    refused: Partial<ObservedAct>,
    permitted: Partial<ObservedAct>,
  ][] = [
    ["by nobody", "observed-nobody", { as: " " }, { as: "Dr. A. Brandt" }],
    ["of no patient", "a patient is wanted", { patient: "" }, { patient: "pk-7" }],
    ["of what nobody asks", "there are oxygen,", { what: "mood" }, { what: "pregnant", value: "no" }],
    ["in no word of its kind", "observed-value", { value: "some" }, { value: "air" }],
    ["of urea without its unit", "observed-unit", urea, { ...urea, unit: "mmol/L" }],
    ["of urea in another unit", "observed-unit", { ...urea, unit: "mg/dL" }, { ...urea, unit: "mmol/L" }],
    ["with a unit that it has not", "observed-unit", { unit: "L/min" }, {}],
    ["ahead of now", "observed-ahead", { at: "2026-11-21T14:11:01Z" }, { at: "2026-11-21T14:11:00Z" }],
    ["at a time without a zone", "--at", { at: "2026-11-21T14:05:00" }, { at: "2026-11-21T14:05:00Z" }],
    ["on a day, at no time", "--at", { at: "2026-11-21" }, { at: "2026-11-21T00:00:00Z" }],
  ];
  it.each(refusals)("%s is refused, and its twin is not", async (_why, reason, refused, permitted) => {
    await expect(recorded(refused)).rejects.toMatchObject({
      code: "observed-refused",
      message: expect.stringContaining(reason),
    });
    expect(await recorded(permitted)).toMatchObject({ body: { kind: "observed" } });
  });
});
