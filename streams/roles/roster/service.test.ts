/** The roster service from a message to the log: what was answered is kept, applied once and told once, whatever fails in between. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdtOf, adtBytes, adtText, ines, otto } from "../../../schemas/hl7v2/adt.fixture.ts";
import { events, rawWaveforms } from "../../../schemas/topics.ts";
import { type House, openHouse, rosterFile } from "./house.fixture.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const admitted: AdtOf = {
  event: "A01",
  patient: ines,
  location: "ICU-1^01^A",
  occurred: "0800",
  recorded: "0815",
  controlId: "1",
};
const transferred: AdtOf = { event: "A02", patient: ines, location: "ICU-1^02^B", occurred: "1000", controlId: "2" };
const discharged: AdtOf = { event: "A03", patient: ines, location: "ICU-1^02^B", occurred: "1200", controlId: "3" };
const linkOf = (device: string): string => {
  const link = house.service.view.links.findLast((one) => one.device === device);
  if (link === undefined) throw new Error(`${device} has no link`);
  return link.id;
};
const confirm = (device: string) =>
  house.service.act({ act: "confirm", link: linkOf(device), by: "nurse-4", because: "wristband read" });

describe("a message that is accepted", () => {
  it("is told to the logs of device and patient, in order", async () => {
    expect(house.hears(admitted, transferred, discharged)).toEqual(["AA", "AA", "AA"]);
    await house.settle();
    const told = ["mon-a 1", "mon-a 2", "mon-b 1", "mon-b 2"];
    expect((await house.inLog()).toSorted()).toEqual(told);
    expect((await house.inLog(rawWaveforms)).toSorted()).toEqual(told);
    expect(await house.inLog(events)).toEqual(["patient 1"]);
  });

  it("and comes again is accepted again and applied once", async () => {
    expect(house.hears(admitted, transferred, admitted, transferred)).toEqual(["AA", "AA", "AA", "AA"]);
    await house.settle();
    expect((await house.inLog()).toSorted()).toEqual(["mon-a 1", "mon-a 2", "mon-b 1"]);
  });

  it("under a control id that said something else before is rejected", () => {
    expect(house.hears(admitted, { ...transferred, controlId: "1" })).toEqual(["AA", "AR"]);
    expect(house.outcomes).toEqual(["applied", "control-id-reused"]);
    expect(house.service.view.links).toHaveLength(1);
  });
});

describe("what was over long ago", () => {
  const longAgo = (n: number): readonly AdtOf[] => {
    const day = `202601${String(1 + (n % 28)).padStart(2, "0")}`;
    const hour = String(Math.floor(n / 28)).padStart(2, "0");
    const of = { patient: { ...ines, number: `5${n}`, visit: `V-5${n}` }, location: "ICU-1^01^A" };
    return [
      {
        ...of,
        event: "A01",
        occurred: `${day}${hour}0000+0000`,
        recorded: `${day}${hour}0000+0000`,
        controlId: `a${n}`,
      },
      {
        ...of,
        event: "A03",
        occurred: `${day}${hour}5000+0000`,
        recorded: `${day}${hour}5000+0000`,
        controlId: `d${n}`,
      },
    ];
  };

  it("is not computed anew at each message, and a word that concerns it changes it all the same", async () => {
    const stays = Array.from({ length: 100 }, (_, n) => longAgo(n));
    house.hears(...stays.flat());
    house.restart();
    house.hears(admitted);
    expect(house.service.sizes).toEqual({ kept: 201, open: 1 });
    expect(house.service.view.links).toHaveLength(101);
    const revisions = house.store.waitingCount();
    expect(house.hears(transferred, ...(stays[7] ?? []))).toEqual(["AA", "AA", "AA"]);
    expect(house.store.waitingCount() - revisions, "the end of one link and the beginning of the other").toBe(2);

    const [link] = house.service.view.links;
    const [[first = admitted] = []] = stays;
    house.hears({ ...first, event: "A11", recorded: "20260301000000+0000", controlId: "late" });
    expect(house.service.view.links).toHaveLength(101);
    expect(house.service.told.get(`association/${link?.id}`)).toMatchObject({ voided: true, revision: 3 });
    const renamed = { ...stays[1]?.[0], event: "A08", occurred: "0900", controlId: "renamed" } as AdtOf;
    house.hears({ ...renamed, patient: { ...renamed.patient, family: "Neu" } });
    expect(
      [...house.service.told.values()].filter((body) => body.kind === "patient" && body.familyName === "Neu"),
    ).toHaveLength(1);
    const before = house.service.view;
    house.restart();
    expect(house.service.view.links).toEqual(before.links);
  });
});

describe("a message that can't be used", () => {
  it("is answered with its reason and changes nothing for anybody", async () => {
    house.hears(admitted);
    const unknown = { ...transferred, controlId: "9" };
    const bad: readonly (readonly [Uint8Array, string])[] = [
      [adtBytes({ ...unknown, event: "A60" }), "AR event-unknown"],
      [Buffer.from(adtText({ ...unknown, patient: { ...ines, family: "Müller" } }), "latin1"), "AE encoding-wrong"],
      [adtBytes(unknown).slice(0, 120), "AE segment-missing"],
      [new TextEncoder().encode(adtText(unknown).replaceAll("KH-NORD^MR", "ELSEWHERE^MR")), "AE identifier-unknown"],
      [adtBytes({ ...unknown, occurred: "202711210800+0000" }), "AE occurred-in-future"],
      [adtBytes({ ...unknown, occurred: "202610250230" }), "AE time-ambiguous"],
    ];
    for (const [bytes, expected] of bad) {
      const { code, text } = house.answers(bytes);
      expect(`${code} ${text.split(";")[0]}`).toBe(expected);
      expect(text).not.toMatch(/4711001|Quellmann|Müller|V-9001/);
    }
    expect(house.service.view.links).toHaveLength(1);
    expect(house.hears(unknown)).toEqual(["AA"]);
  });

  it("of a merge loop is refused each time it comes", () => {
    const merge = (patient: typeof ines, prior: typeof otto, controlId: string): AdtOf => ({
      event: "A40",
      patient,
      prior,
      occurred: `100${controlId}`,
      controlId,
    });
    const loop = merge(otto, ines, "5");
    expect(house.hears(admitted, merge(ines, otto, "4"), loop, loop)).toEqual(["AA", "AA", "AE", "AE"]);
    house.restart();
    expect(house.hears(loop, merge(ines, otto, "4"))).toEqual(["AE", "AA"]);
    expect(house.outcomes.filter((one) => one === "merge-loop")).toHaveLength(3);
  });
});

describe("a crash", () => {
  it("before anything was appended loses nothing", async () => {
    house.hears(admitted);
    confirm("mon-a");
    house.restart();
    house.hears(transferred);
    await house.settle();
    expect((await house.inLog()).toSorted()).toEqual(["mon-a 1", "mon-a 2", "mon-a 3", "mon-b 1"]);
  });

  it("after an append of which nobody heard repeats nothing: the log is asked", async () => {
    house.hears(admitted);
    house.failing.after = 1;
    await house.settle();
    expect((await house.inLog()).toSorted()).toEqual(["mon-a 1"]);
    house.hears(transferred);
    house.failing.after = 1;
    const stuck = house.settle();
    house.hears(discharged);
    await stuck;
    house.restart();
    await house.settle();
    expect((await house.inLog()).toSorted()).toEqual(["mon-a 1", "mon-a 2", "mon-b 1", "mon-b 2"]);
    expect(await house.inLog(events)).toEqual(["patient 1"]);
  });

  it("and an append that failed before it took effect is made up for", async () => {
    house.hears(admitted);
    house.failing.before = 2;
    await house.settle();
    expect(await house.inLog()).toEqual(["mon-a 1"]);
  });

  it("leaves acts, keys and what was told as they were", async () => {
    house.hears(admitted);
    confirm("mon-a");
    const { links } = house.service.view;
    house.restart();
    expect(house.service.view.links).toEqual(links);
    await house.settle();
    house.restart();
    await house.settle();
    expect(await house.inLog()).toEqual(["mon-a 1", "mon-a 2"]);
  });
});

describe("the roster file", () => {
  const filed = rosterFile((file) => ({
    ...file,
    patients: [
      {
        patientKey: "pk-1",
        fhirId: "p-1",
        identifierSystem: "urn:oid:1.2.276.1",
        identifierValue: ines.number,
        encounterFhirId: null,
        active: true,
        version: 1,
      },
    ],
    associations: [
      {
        id: "link-1",
        revision: 1,
        device: "mon-a",
        subject: "subject-1",
        patientKey: "pk-1",
        bed: "A",
        unit: "icu-1",
        ageBand: "adult",
        from: "2026-11-21T07:00:00Z",
        to: null,
        confirmedBy: "nurse-1",
        confirmedAt: "2026-11-21T07:00:00Z",
        assertedBy: "nurse-1",
      },
    ],
  }));

  it("that takes over a device voids what the service had asserted of it, and never the other way round", async () => {
    house.hears(admitted, { ...admitted, patient: otto, location: "ICU-1^02^B", controlId: "7" });
    house.service.rebase(filed);
    await house.settle();
    expect((await house.inLog()).toSorted()).toEqual(["mon-a 1", "mon-a 2 voided", "mon-b 1"]);
    expect((await house.bodies()).every((body) => !JSON.stringify(body).includes("link-1"))).toBe(true);
    house.service.rebase(rosterFile());
    await house.settle();
    expect((await house.inLog()).at(-1)).toMatch(/mon-/);
    expect(house.service.view.links.map(({ device }) => device).toSorted()).toEqual(["mon-a", "mon-b"]);
  });
});

describe("what leaves the service", () => {
  it("names nobody in the telemetry plane: names, numbers and what people gave as reasons stay behind", async () => {
    house.hears(admitted);
    house.service.act({ act: "confirm", link: linkOf("mon-a"), by: "nurse-4", because: "Frau Quellmann, 4711001" });
    house.hears(transferred, { event: "A40", patient: otto, prior: ines, occurred: "1100", controlId: "8" });
    await house.settle();
    const associations = (await house.bodies()).filter(({ kind }) => kind === "association");
    expect(associations.length).toBeGreaterThan(4);
    expect(JSON.stringify(associations)).not.toMatch(/4711001|4711002|Quellmann|Brackwede|Ines|Otto|V-900|1958/);
  });
});
