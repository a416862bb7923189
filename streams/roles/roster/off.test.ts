/** What is off about the roster, each beside the twin in which it is well; and how the two are told to Prometheus. */
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdtOf, ines, otto } from "../../../schemas/hl7v2/adt.fixture.ts";
import { Heard } from "./heard.ts";
import { type House, openHouse } from "./house.fixture.ts";
import { rosterMetrics } from "./metrics.ts";
import { type Off, type Watched, whatIsOff } from "./off.ts";

const noon = Date.parse("2026-11-21T12:00:00Z");
const minute = 60_000;

let house: House;
let heard: Heard;
beforeEach(async () => {
  house = await openHouse();
  house.nowMs = noon;
  heard = new Heard(house.store, ["adt", "fhir"], () => house.nowMs);
});
afterEach(() => house.close());

const limits = { adt: 60 * minute, fhir: 5 * minute };
const off = (silentAfterMs: Watched["silentAfterMs"] = limits): readonly Off[] =>
  whatIsOff({ service: house.service, store: house.store, heard, silentAfterMs, now: () => house.nowMs });
const codes = (silentAfterMs?: Watched["silentAfterMs"]): string[] => off(silentAfterMs).map(({ what }) => what);
const restart = (): void => {
  house.restart();
  heard = new Heard(house.store, ["adt", "fhir"], () => house.nowMs);
};
const admitted: AdtOf = { event: "A01", patient: ines, location: "ICU-1^01^A", occurred: "0800", controlId: "1" };

describe("a source that is silent for longer than its limit", () => {
  it("is off since it was last heard, and well once it is heard again", () => {
    house.nowMs = noon + 5 * minute;
    heard.mark("fhir");
    house.nowMs = noon + 60 * minute;
    expect(codes({ adt: 60 * minute })).toEqual([]);
    house.nowMs += 1;
    expect(off({ ...limits, fhir: null })).toMatchObject([{ what: "adt-silent", sinceMs: noon, count: 1 }]);
    expect(off()).toMatchObject([{ what: "adt-silent" }, { what: "fhir-silent", sinceMs: noon + 5 * minute }]);
    heard.mark("adt");
    heard.mark("fhir");
    expect(codes()).toEqual([]);
  });

  it("is off over a restart, by the messages that are kept; one that never was heard is off since it was first listened to", async () => {
    house.nowMs = noon + 10 * minute;
    house.hears(admitted);
    await house.settle();
    house.nowMs = noon + 71 * minute;
    restart();
    expect(off()).toMatchObject([
      { what: "fhir-silent", sinceMs: noon },
      { what: "adt-silent", sinceMs: noon + 10 * minute },
    ]);
  });

  it("is not off where it may be silent, or is none of ours", () => {
    house.nowMs = noon + 7 * 24 * 60 * minute;
    expect(codes({ adt: null, fhir: null })).toEqual([]);
    expect(codes({})).toEqual([]);
  });

  it("is heard in no future by a clock that was set back", () => {
    house.nowMs = noon - 24 * 60 * minute;
    expect(heard.at("adt")).toBe(house.nowMs);
    expect(codes()).toEqual([]);
  });
});

describe("records that wait for the log", () => {
  it("are off once the oldest waits for ten seconds, and well when the log has them", async () => {
    house.hears(admitted);
    expect(codes()).toEqual([]);
    house.nowMs += 10_001;
    expect(off()).toMatchObject([{ what: "records-waiting", sinceMs: noon, count: 2 }]);
    await house.settle();
    expect(codes()).toEqual([]);
  });
});

describe("a link in conflict", () => {
  it("is off since what contradicts it occurred, and well when that is over", async () => {
    house.hears(admitted, { ...admitted, patient: otto, occurred: "1030", controlId: "2" });
    await house.settle();
    const since = Date.parse("2026-11-21T10:30:00Z");
    expect(off()).toMatchObject([{ what: "link-in-conflict", sinceMs: since, count: 2 }]);
    house.hears({ event: "A03", patient: ines, location: "ICU-1^01^A", occurred: "1029", controlId: "3" });
    await house.settle();
    expect(codes()).toEqual([]);
  });
});

describe("a patient at a place that may be a bed of ours", () => {
  it("is off while he is there, and forgotten when he has left; one on another ward never was", async () => {
    const somewhere: AdtOf = { ...admitted, location: "^^A" };
    house.hears(somewhere, { ...admitted, patient: otto, location: "NEURO^01^A", controlId: "2" });
    await house.settle();
    expect(off()).toMatchObject([
      { what: "location-ambiguous", count: 1, sinceMs: Date.parse("2026-11-21T08:00:00Z") },
    ]);
    house.hears({ ...somewhere, event: "A03", occurred: "0900", controlId: "3" });
    await house.settle();
    expect(codes()).toEqual([]);
    expect(house.service.view.problems, "what was told in vain is kept").toHaveLength(1);
  });
});

describe("Prometheus", () => {
  it("is told how much is off and since when, and of what is well nothing but that", async () => {
    const registry = new Registry();
    rosterMetrics(registry, {
      store: house.store,
      service: () => house.service,
      off: () => off(),
      heard,
      connections: () => 3,
    });
    house.nowMs = noon + 10 * minute;
    heard.mark("adt");
    const ill = await registry.metrics();
    expect(ill).toContain(`afferent_roster_off_since_timestamp_seconds{what="fhir-silent"} ${noon / 1_000}`);
    expect(ill).toContain('afferent_roster_off{what="fhir-silent"} 1');
    expect(ill).toContain('afferent_roster_off{what="adt-silent"} 0');
    expect(ill).toContain(`afferent_roster_heard_timestamp_seconds{source="adt"} ${noon / 1_000 + 600}`);
    expect(ill).toContain("afferent_roster_mllp_connections 3");
    heard.mark("fhir");
    const well = await registry.metrics();
    expect(well).not.toContain("afferent_roster_off_since_timestamp_seconds{");
    expect(well).toContain('afferent_roster_off{what="fhir-silent"} 0');
  });
});
