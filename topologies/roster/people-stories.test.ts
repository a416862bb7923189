/** What people say, what ends their word, and where it is unclear: each conflict beside its clean twin. */
import { describe, expect, it } from "vitest";
import { type AdtOf, ines, otto } from "../../schemas/hl7v2/adt.fixture.ts";
import { derive } from "./derive.ts";
import { atA, atB, clock, icu, linesOf, naming, Ward } from "./ward.fixture.ts";
import { patientKeyOf } from "./base.ts";

const admitted: AdtOf = { event: "A01", patient: ines, location: atA, occurred: "0800", controlId: "1" };
const ottoIn = (location: string, occurred: string): AdtOf => ({
  event: "A01",
  patient: otto,
  location,
  occurred,
  controlId: `o${occurred}`,
});
const confirmed = (): Ward => {
  const ward = new Ward().hears(admitted);
  expect(ward.confirms("08:30", "mon-a")).toBe("done");
  return ward;
};
const key = (patient: { readonly number: string }): string =>
  patientKeyOf(naming.secret, "urn:oid:1.2.276.1", patient.number);

describe("a link that a person made", () => {
  it("holds at once, for a device that has no bed", () => {
    const ward = confirmed();
    expect(ward.says("09:00", { act: "bind", device: "pump-1", patient: key(ines) })).toBe("done");
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- nurse-4", "pump-1 A Ines 09:00- nurse-4"]);
    expect(ward.revisions(ward.link("pump-1").id)).toMatchObject([
      {
        confirmedBy: "nurse-4",
        assertedBy: "nurse-4",
        confirmedAt: clock("09:00"),
        cause: expect.stringMatching(/^act\//),
      },
    ]);
  });

  it("ends when he says so, or when the device is bound to another", () => {
    const ward = confirmed().hears(ottoIn(atB, "0805"));
    ward.says("09:00", { act: "bind", device: "pump-1", patient: key(ines) });
    ward.says("10:00", { act: "bind", device: "pump-1", patient: key(otto) });
    expect(ward.says("11:00", { act: "unbind", link: ward.link("pump-1").id })).toBe("done");
    expect(ward.lines().filter((line) => line.startsWith("pump"))).toEqual([
      "pump-1 A Ines 09:00-10:00 nurse-4",
      "pump-1 B Otto 10:00-11:00 nurse-4",
    ]);
  });

  it.each(["powerCycle", "deviceGap"] as const)(
    "ends at a %s, and what ADT asserts must be confirmed again",
    (what) => {
      const ward = confirmed();
      expect(ward.says("10:00", { act: "interruption", device: "mon-a", what, by: "telemetry" })).toBe("done");
      expect(ward.lines()).toEqual(["mon-a A Ines 08:00-10:00 nurse-4", "mon-a A Ines 10:00- asserted"]);
      expect(ward.confirms("10:05", "mon-a")).toBe("done");
      expect(ward.lines()[1]).toBe("mon-a A Ines 10:00- nurse-4");
      // one from before the confirmation changes nothing
      expect(ward.says("10:06", { act: "interruption", device: "mon-a", what, at: "08:10", by: "telemetry" })).toBe(
        "done",
      );
      expect(ward.lines()).toHaveLength(2);
    },
  );

  it("that was wrong covers no time at all; the bed's own word stands only from then on, unconfirmed", () => {
    const ward = confirmed();
    const { id } = ward.link("mon-a");
    expect(ward.says("10:00", { act: "wrong", link: id })).toBe("done");
    expect(ward.lines()).toEqual(["mon-a A Ines 10:00- asserted"]);
    expect(ward.revisions(id).at(-1)).toMatchObject({ voided: true, revision: 3 });
  });

  it("is for a device that stands at the bed by hand, as for a fixed one", () => {
    const ward = new Ward().hears(admitted);
    expect(ward.says("09:00", { act: "place", device: "pump-1", bed: "A" })).toBe("done");
    expect(ward.lines()).toContain("pump-1 A Ines 09:00- asserted");
    expect(ward.says("09:30", { act: "place", device: "pump-1", bed: null })).toBe("done");
    expect(ward.lines()).toContain("pump-1 A Ines 09:00-09:30 asserted");
  });

  it("needs somebody, a reason, and things that there are", () => {
    const ward = confirmed();
    const { id } = ward.link("mon-a");
    const link = { act: "unbind", link: id } as const;
    expect(ward.says("09:00", { ...link, by: " " })).toBe("unnamed");
    expect(ward.says("09:00", { ...link, at: "10:00" })).toBe("in-future");
    expect(ward.says("09:00", { ...link, at: "07:00" })).toBe("begins-before");
    expect(ward.says("09:00", { act: "unbind", link: "adt/none" })).toBe("link-unknown");
    expect(ward.says("09:00", { act: "bind", device: "mon-9", patient: key(ines) })).toBe("device-unknown");
    expect(ward.says("09:00", { act: "bind", device: "pump-1", patient: "pt-nobody" })).toBe("patient-unknown");
    expect(ward.says("09:00", { act: "bind", device: "pump-1", patient: key(ines), bed: "Z" })).toBe("bed-unknown");
    expect(ward.says("09:00", { act: "confirm", link: id })).toBe("confirmed-already");
    expect(ward.says("09:00", link)).toBe("done");
    expect(ward.says("09:10", link)).toBe("ended-already");
  });
});

describe("two patients in a bed", () => {
  it("are both in conflict while neither has left; once the first has, the second's link is clear", () => {
    const ward = new Ward().hears(admitted, ottoIn(atA, "1100"));
    expect(ward.lines()).toEqual([
      "mon-a A Ines 08:00- asserted !two-patients-in-bed",
      "mon-a A Otto 11:00- asserted !two-patients-in-bed",
    ]);
    ward.hears({ event: "A03", patient: ines, location: atA, occurred: "1105", controlId: "3" });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00-11:05 asserted", "mon-a A Otto 11:05- asserted"]);
  });

  it("against a link that a person confirmed: his stays, in conflict, until he has looked again or the patient has left", () => {
    const again = confirmed().hears(ottoIn(atA, "1100"));
    expect(again.lines()).toEqual(["mon-a A Ines 08:00- nurse-4 !two-patients-in-bed"]);
    expect(again.confirms("11:10", "mon-a", "dr-ahrens")).toBe("done");
    expect(again.lines()).toEqual(["mon-a A Ines 08:00- nurse-4"]);
    const left = confirmed().hears(ottoIn(atA, "1100"), {
      event: "A03",
      patient: ines,
      location: atA,
      occurred: "1105",
      controlId: "3",
    });
    expect(left.lines()).toEqual(["mon-a A Ines 08:00-11:05 nurse-4", "mon-a A Otto 11:05- asserted"]);
  });

  it("its clean twin: the second comes when the first has left", () => {
    const ward = confirmed().hears(
      { event: "A03", patient: ines, location: atA, occurred: "1055", controlId: "3" },
      ottoIn(atA, "1100"),
    );
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00-10:55 nurse-4", "mon-a A Otto 11:00- asserted"]);
  });
});

describe("a device in two places", () => {
  it("is a fixed monitor that a person bound to a patient in another bed; put there by name, it is clear", () => {
    const ward = new Ward().hears(ottoIn(atB, "0800"));
    ward.says("09:00", { act: "bind", device: "mon-a", patient: key(otto) });
    expect(ward.lines()).toContain("mon-a B Otto 09:00- nurse-4 !device-in-two-places");
    ward.says("09:05", { act: "place", device: "mon-a", bed: "B" });
    expect(ward.lines()).toContain("mon-a B Otto 09:00- nurse-4");
  });

  it("is one that two people bound for the same moment to two patients", () => {
    const ward = new Ward().hears(admitted, ottoIn(atB, "0800"));
    ward.says("09:05", { act: "bind", device: "pump-1", patient: key(ines), at: "09:00" });
    ward.says("09:06", { act: "bind", device: "pump-1", patient: key(otto), at: "09:00", by: "nurse-5" });
    expect(
      ward
        .lines()
        .filter((line) => line.startsWith("pump"))
        .toSorted(),
    ).toEqual([
      "pump-1 A Ines 09:00- nurse-4 !device-in-two-places",
      "pump-1 B Otto 09:00- nurse-5 !device-in-two-places",
    ]);
  });
});

describe("a device that is bound twice for the same moment to the same patient", () => {
  it("is where the later word puts it", () => {
    const ward = new Ward().hears(admitted);
    ward.says("09:05", { act: "bind", device: "pump-1", patient: key(ines), bed: "B", at: "09:00" });
    ward.says("09:06", { act: "bind", device: "pump-1", patient: key(ines), bed: "A", at: "09:00", by: "nurse-5" });
    expect(ward.lines().filter((line) => line.startsWith("pump"))).toEqual(["pump-1 A Ines 09:00- nurse-5"]);
  });
});

describe("a patient in two beds", () => {
  const second = { ...ines, visit: "V-SECOND" };
  it("is in conflict at both, until one visit has ended", () => {
    const ward = new Ward().hears(admitted, {
      event: "A01",
      patient: second,
      location: atB,
      occurred: "0900",
      controlId: "5",
    });
    expect(ward.lines()).toEqual([
      "mon-a A Ines 08:00- asserted !patient-in-two-beds",
      "mon-b B Ines 09:00- asserted !patient-in-two-beds",
    ]);
    ward.hears({ event: "A03", patient: second, location: atB, occurred: "1000", controlId: "6" });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- asserted", "mon-b B Ines 09:00-10:00 asserted"]);
  });
});

describe("ADT against a person's word", () => {
  it("the wrong patient bound to a bed is in conflict from the first moment, and stays so when it is ended", () => {
    const ward = new Ward().hears(admitted, ottoIn(atB, "0805"));
    ward.says("09:00", { act: "bind", device: "mon-a", patient: key(otto), bed: "A" });
    expect(ward.lines()).toContain("mon-a A Otto 09:00- nurse-4 !adt-disagrees !two-patients-in-bed");
    const { id } = ward.link("mon-a");
    ward.says("09:30", { act: "unbind", link: id });
    expect(ward.lines()).toContain("mon-a A Otto 09:00-09:30 nurse-4 !adt-disagrees !two-patients-in-bed");
  });

  it("of a patient of whom ADT knows nothing yet is none", () => {
    const base = { ...icu, filePatients: new Map([[key(otto), "pk-file"]]) };
    const ward = new Ward(base);
    expect(ward.says("09:00", { act: "bind", device: "mon-a", patient: "pk-file", bed: "A" })).toBe("done");
    expect(ward.lines()).toEqual(["mon-a A pk-file 09:00- nurse-4"]);
  });
});

describe("what the roster file has", () => {
  const link = {
    id: "link-1",
    device: "mon-a",
    patientKey: "pk-file",
    bed: "A",
    fromMs: clock("07:00"),
    toMs: clock("09:00"),
  };
  it("stays its own: neither ADT nor a person makes another link of its device while its own holds", () => {
    const ward = new Ward({ ...icu, links: [{ ...link, toMs: null }] }).hears(admitted);
    expect(ward.lines()).toEqual([]);
    expect(ward.says("09:00", { act: "bind", device: "mon-a", patient: key(ines) })).toBe("file-owned");
    expect(ward.says("09:00", { act: "unbind", link: "link-1" })).toBe("file-owned");
    expect(new Ward({ ...icu, links: [link] }).hears(admitted).lines()).toEqual(["mon-a A Ines 09:00- asserted"]);
  });

  it("ends what a person had bound from when it links the device itself; what lies within its own never held", () => {
    const ward = new Ward().hears(admitted);
    ward.confirms("08:30", "mon-a");
    const lines = (fromMs: number) =>
      linesOf(derive(ward.events, { ...icu, links: [{ ...link, fromMs, toMs: null }] }));
    expect(lines(clock("12:00"))).toEqual(["mon-a A Ines 08:00-12:00 nurse-4"]);
    expect(lines(clock("07:00"))).toEqual([]);
  });

  it("and its patients: ADT's links use their keys, its own record is never told, and a merge of one is refused", () => {
    const base = { ...icu, filePatients: new Map([[key(ines), "pk-file"]]) };
    const ward = new Ward(base).hears(admitted, {
      event: "A40",
      patient: otto,
      prior: ines,
      occurred: "0900",
      controlId: "7",
    });
    expect(ward.lines()).toEqual(["mon-a A pk-file 08:00- asserted"]);
    expect(ward.records.map(({ body }) => body.kind)).toEqual(["association"]);
    expect(ward.view.problems).toMatchObject([{ reason: "file-owned" }]);
  });
});
