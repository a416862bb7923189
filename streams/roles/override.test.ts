/** Break glass: what is recorded of it, and each refusal beside its permitted twin. */
import { describe, expect, it } from "vitest";
import { two } from "../../schemas/fhir/clinical.fixture.ts";
import { events } from "../../schemas/topics.ts";
import { partitionOf } from "../core/hash.ts";
import { bareWire as wire } from "../io/registry/bare-wire.fixture.ts";
import { memoryLog } from "../log/memory.ts";
import type { Platform } from "../compose.ts";
import { grantOverride, type OverrideAct } from "./override.ts";

const act: OverrideAct = {
  patient: "pk-7",
  destination: "ehr",
  as: "Dr. Ada Brandt",
  because: "unconscious, next of kin not reached",
  for: "4h",
};

const granted = async (change: Partial<OverrideAct>) => {
  const log = memoryLog();
  await log.ensure([{ name: events.name, partitions: events.partitions }]);
  const config = { speed: 1, destinations: [{ name: "ehr" }] } as unknown as Platform["config"];
  try {
    await grantOverride({ log, wire, config }, { ...act, ...change }, () => two);
    const reader = await log.reader(events.name, partitionOf("pk-7", events.partitions), "start");
    const [record] = await reader.next(10);
    await reader.close();
    return record && { key: record.key, body: events.codec.decode(record.value).body };
  } finally {
    await log.close();
  }
};

describe("an access override", () => {
  it("is a record in the patient's own log that names who, why and until when", async () => {
    expect(await granted({})).toMatchObject({
      key: "pk-7",
      body: {
        kind: "accessOverride",
        version: 1,
        patientKey: "pk-7",
        destination: "ehr",
        by: "Dr. Ada Brandt",
        reason: "unconscious, next of kin not reached",
        from: two,
        to: two + 4 * 3_600_000,
      },
    });
  });

  const refusals: readonly [why: string, refused: Partial<OverrideAct>, permitted: Partial<OverrideAct>][] = [
    ["by nobody", { as: " " }, { as: "Nurse P. Lind" }],
    ["without a reason", { because: "" }, { because: "arrest" }],
    ["for no patient", { patient: "" }, { patient: "pk-7" }],
    ["to a destination that nobody configured", { destination: "ehx" }, { destination: "ehr" }],
    ["for longer than a day", { for: "25h" }, { for: "24h" }],
    ["for no time", { for: "0m" }, { for: "1m" }],
    ["for a time that is none", { for: "soon" }, { for: "30m" }],
  ];
  it.each(refusals)("%s is refused, and its twin is not", async (_why, refused, permitted) => {
    await expect(granted(refused)).rejects.toMatchObject({ code: "override-refused" });
    expect(await granted(permitted)).toMatchObject({ body: { kind: "accessOverride" } });
  });
});
