/** What telemetry says of a device ends the link that a person had confirmed, once, and asks for another confirmation. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ines } from "../../../schemas/hl7v2/adt.fixture.ts";
import type { Association, Interruption } from "../../../schemas/records/roster.ts";
import { episodes } from "../../../schemas/topics.ts";
import type { Entry } from "../../core/stage.ts";
import { eventTime, logTime } from "../../core/time.ts";
import { type House, openHouse } from "./house.fixture.ts";
import { interruptionSink } from "./interruptions.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse();
  house.hears({ event: "A01", patient: ines, location: "ICU-1^01^A", occurred: "0800", controlId: "1" });
});
afterEach(() => house.close());

const linkOf = (device: string) => house.service.view.links.findLast((one) => one.device === device);
const confirm = (): boolean => {
  const link = linkOf("mon-a")?.id ?? "";
  return house.service.act({ act: "confirm", link, by: "nurse-4", because: "wristband read" }).ok;
};

/** The link of the device as `normalise` tells it. */
const telling = (interrupted: Interruption | null): Entry<Association> => {
  const body = [...house.service.told.values()].findLast((one) => one.kind === "association" && one.device === "mon-a");
  if (body?.kind !== "association") throw new Error("nothing was told of mon-a");
  return {
    key: body.subject,
    offset: 0,
    partition: 0,
    topic: episodes.name,
    logTime: logTime(house.nowMs),
    body: { ...body, interrupted, telling: 1 },
  };
};
const powerCycle = (ms: number): Interruption => ({ what: "powerCycle", from: null, at: eventTime(house.nowMs + ms) });

describe("an interruption that telemetry tells", () => {
  it("ends the confirmed link when it happened; what ADT asserts from then on waits for a person", async () => {
    expect(confirm()).toBe(true);
    const said = powerCycle(60_000);
    const sink = interruptionSink(house.service);
    await sink.write([telling(said)]);
    const [ended, open] = house.service.view.links.filter(({ device }) => device === "mon-a");
    expect(ended).toMatchObject({ toMs: said.at, confirmedBy: "nurse-4" });
    expect(open).toMatchObject({ fromMs: said.at, toMs: null, confirmedBy: null });
    house.nowMs += 120_000;
    expect(confirm()).toBe(true);
    expect(linkOf("mon-a")).toMatchObject({ confirmedBy: "nurse-4", fromMs: said.at });
  });

  it("is taken once, however often and however late it is told", async () => {
    confirm();
    const entry = telling(powerCycle(60_000));
    const sink = interruptionSink(house.service);
    await sink.write([entry, entry]);
    house.nowMs += 120_000;
    confirm();
    const { kept } = house.service.sizes;
    await sink.write([entry]);
    expect(house.service.sizes.kept).toBe(kept);
    expect(linkOf("mon-a")).toMatchObject({ confirmedBy: "nurse-4", toMs: null });
  });

  it("is nothing where a link is told without one", async () => {
    confirm();
    await interruptionSink(house.service).write([telling(null)]);
    expect(linkOf("mon-a")).toMatchObject({ confirmedBy: "nurse-4", toMs: null });
  });
});
