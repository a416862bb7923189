/** Each ADT event as a story: what the hospital says, and whose measurements the devices' are then. */
import { describe, expect, it } from "vitest";
import { type AdtOf, ines, otto } from "../../schemas/hl7v2/adt.fixture.ts";
import { atA, atB, atC, clock, icu, onWard, Ward } from "./ward.fixture.ts";

const admitted: AdtOf = {
  event: "A01",
  patient: ines,
  location: atA,
  occurred: "0800",
  recorded: "0815",
  controlId: "1",
};
const ottoAdmitted: AdtOf = { event: "A01", patient: otto, location: atB, occurred: "0805", controlId: "2" };
const confirmed = (): Ward => {
  const ward = new Ward().hears(admitted);
  expect(ward.confirms("08:30", "mon-a")).toBe("done");
  return ward;
};

describe("A01, an admission", () => {
  it("links the bed's fixed monitor, unconfirmed, from when it occurred; a person's word makes it valid", () => {
    const ward = new Ward().hears(admitted);
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- asserted"]);
    const { id } = ward.link("mon-a");
    expect(ward.revisions(id)).toMatchObject([
      {
        revision: 1,
        confirmedBy: null,
        confirmedAt: null,
        assertedBy: "ADT ORBIS",
        ageBand: "adult",
        unit: "icu-1",
        cause: "ADT^A01 1",
      },
    ]);
    expect(ward.confirms("08:30", "mon-a")).toBe("done");
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- nurse-4"]);
    expect(ward.revisions(id)[1]).toMatchObject({
      revision: 2,
      confirmedBy: "nurse-4",
      confirmedAt: clock("08:30"),
      assertedBy: "ADT ORBIS",
      voided: false,
      conflict: null,
    });
  });

  it("to a bed without a device, or elsewhere in the house, links nothing", () => {
    expect(new Ward().hears({ ...admitted, location: atC }).lines()).toEqual([]);
    expect(new Ward().hears({ ...admitted, location: onWard }).records).toEqual([]);
  });

  it("reads a bed by the configuration where the hospital calls it otherwise", () => {
    const base = { ...icu, locations: { "INT^Z1^FENSTER": "A" } };
    expect(new Ward(base).hears({ ...admitted, location: "INT^Z1^FENSTER" }).lines()).toHaveLength(1);
  });

  it.each(["SURG^204^A", "W3^12^A", "ICU-10^01^A", "SURG^ICU^A"])(
    "to bed A of another ward, %s, is none of ours, and speaks against nobody in our bed A",
    (location) => {
      const elsewhere: AdtOf = { ...ottoAdmitted, location };
      expect(new Ward().hears(elsewhere).lines()).toEqual([]);
      const ward = confirmed().hears({ ...elsewhere, occurred: "0900" });
      expect(ward.lines()).toEqual(["mon-a A Ines 08:00- nurse-4"]);
      expect(ward.view.problems).toEqual([]);
    },
  );

  it.each(["ICU-1^01^A", "icu-1^^A", "W3^icu-1^A"])("to bed A whose unit is named with it, %s, is ours", (location) => {
    expect(new Ward().hears({ ...admitted, location }).lines()).toEqual(["mon-a A Ines 08:00- asserted"]);
  });

  it.each(["^^A", "^01^A", "A"])(
    "that names a bed without its ward, %s, links nothing and is told by name",
    (location) => {
      const ward = new Ward().hears({ ...admitted, location });
      expect(ward.lines()).toEqual([]);
      expect(ward.view.problems).toMatchObject([{ reason: "location-ambiguous", event: "adt/ORBIS|KH-NORD/1" }]);
      const told = new Ward({ ...icu, locations: { [location]: "A" } }).hears({ ...admitted, location });
      expect(told.lines()).toEqual(["mon-a A Ines 08:00- asserted"]);
      expect(told.view.problems).toEqual([]);
    },
  );

  it.each(["W3^12^icu-1-01", "icu-1^^01", "icu-1-01"])(
    "to a bed whose own name names its unit, %s, needs no more",
    (location) => {
      const devices = [{ device: "mon-1", unit: "icu-1", bed: "icu-1-01" }];
      const base = { ...icu, devices, beds: new Map([["icu-1-01", "icu-1"]]) };
      expect(new Ward(base).hears({ ...admitted, location }).lines()).toEqual(["mon-1 icu-1-01 Ines 08:00- asserted"]);
    },
  );

  it("to a place that may be either of two beds is to neither", () => {
    const beds = new Map([
      ["A", "icu-1"],
      ["icu-1-01-A", "icu-1"],
    ]);
    const ward = new Ward({ ...icu, beds }).hears({ ...admitted, location: "icu-1^01^A" });
    expect(ward.lines()).toEqual([]);
    expect(ward.view.problems).toMatchObject([{ reason: "location-ambiguous" }]);
  });

  it("says who it is under an opaque key alone, with the identifier that each destination knows", () => {
    const { records } = new Ward().hears(admitted);
    const links = JSON.stringify(records.filter(({ body }) => body.kind !== "patient"));
    expect(links).not.toMatch(/4711001|Quellmann|Ines|V-9001|1958/);
    expect(records.find(({ body }) => body.kind === "patient")?.body).toMatchObject({
      version: 1,
      familyName: "Quellmann",
      birthDate: "1958-04-12",
      active: true,
      mergedInto: null,
      identities: [
        {
          destination: "ehr",
          fhirId: null,
          system: "urn:oid:1.2.276.1",
          namespace: "KH-NORD",
          value: "4711001",
          type: "MR",
        },
      ],
    });
  });
});

describe("A02, a transfer", () => {
  it("ends a confirmed link when it occurred, and asserts one at the other bed", () => {
    const ward = confirmed().hears({
      event: "A02",
      patient: ines,
      location: atB,
      occurred: "1000",
      recorded: "1030",
      controlId: "3",
    });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00-10:00 nurse-4", "mon-b B Ines 10:00- asserted"]);
  });

  it("to bed A of another ward ends a confirmed link of our bed A, and who comes there next is himself", () => {
    const ward = confirmed().hears({
      event: "A02",
      patient: ines,
      location: "W3^12^A",
      occurred: "0930",
      controlId: "3",
    });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00-09:30 nurse-4"]);
    ward.hears({ ...ottoAdmitted, location: atA, occurred: "0940" });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00-09:30 nurse-4", "mon-a A Otto 09:40- asserted"]);
  });

  it("that occurred before the confirmation moves nothing: it is shown as a conflict", () => {
    const ward = confirmed().hears({
      event: "A02",
      patient: ines,
      location: atB,
      occurred: "0820",
      recorded: "0900",
      controlId: "3",
    });
    expect(ward.lines()).toContain("mon-a A Ines 08:00- nurse-4 !adt-disagrees");
  });

  it("that ADT makes long after the patient was moved and bound there only catches up", () => {
    const ward = confirmed();
    const patient = ward.link("mon-a").patientKey;
    expect(ward.says("09:30", { act: "bind", device: "mon-b", patient, bed: "B" })).toBe("done");
    expect(ward.lines()).toContain("mon-b B Ines 09:30- nurse-4 !adt-disagrees");
    ward.hears({ event: "A02", patient: ines, location: atB, occurred: "1000", controlId: "3" });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00-10:00 nurse-4", "mon-b B Ines 09:30- nurse-4"]);
  });
});

describe("A03, a discharge", () => {
  const discharged: AdtOf = {
    event: "A03",
    patient: ines,
    location: atA,
    occurred: "1200",
    recorded: "1210",
    controlId: "4",
  };
  it("ends what was confirmed and what was asserted", () => {
    expect(confirmed().hears(discharged).lines()).toEqual(["mon-a A Ines 08:00-12:00 nurse-4"]);
    expect(new Ward().hears(admitted, discharged).lines()).toEqual(["mon-a A Ines 08:00-12:00 asserted"]);
  });

  it("of another visit says nothing of this bed", () => {
    const clinic = { ...ines, visit: "V-CLINIC" };
    const ward = confirmed().hears(
      { event: "A04", patient: clinic, location: "DIALYSE^1^4", occurred: "0900", controlId: "5", class: "O" },
      { event: "A03", patient: clinic, location: "DIALYSE^1^4", occurred: "1100", controlId: "6", class: "O" },
    );
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- nurse-4"]);
  });
});

describe("A04, A06, A07, A08", () => {
  it("a registration places a patient as an admission does; without a place it links nothing", () => {
    expect(new Ward().hears({ ...admitted, event: "A04", class: "E" }).lines()).toEqual([
      "mon-a A Ines 08:00- asserted",
    ]);
    const { location: _, ...nowhere } = admitted;
    expect(new Ward().hears({ ...nowhere, event: "A04" }).lines()).toEqual([]);
  });

  it("a change of class leaves the link of a patient who stays, and moves one who goes", () => {
    expect(
      confirmed()
        .hears({ ...admitted, event: "A06", occurred: "0900", controlId: "7" })
        .lines(),
    ).toEqual(["mon-a A Ines 08:00- nurse-4"]);
    const away = confirmed().hears({ ...admitted, event: "A07", location: onWard, occurred: "0900", controlId: "7" });
    expect(away.lines()).toEqual(["mon-a A Ines 08:00-09:00 nurse-4"]);
  });

  it("an update describes the patient anew and moves nobody, wherever it says that he is", () => {
    const ward = confirmed().hears({
      event: "A08",
      patient: { ...ines, family: "Quellmann-Roth" },
      location: atB,
      occurred: "0900",
      controlId: "8",
    });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- nurse-4"]);
    expect(ward.records.at(-1)?.body).toMatchObject({ kind: "patient", version: 2, familyName: "Quellmann-Roth" });
  });
});

describe("a cancel", () => {
  it("A11: the admission never was, and its link covers no time", () => {
    const ward = new Ward().hears(admitted);
    const { id } = ward.link("mon-a");
    ward.hears({ event: "A11", patient: ines, location: atA, occurred: "0800", recorded: "0900", controlId: "9" });
    expect(ward.lines()).toEqual([]);
    expect(ward.revisions(id).at(-1)).toMatchObject({ revision: 2, voided: true, cause: "ADT^A11 9" });
  });

  it("A11 against a link that a person confirmed is a conflict, which he can overrule", () => {
    const ward = confirmed().hears({
      event: "A11",
      patient: ines,
      location: atA,
      occurred: "0800",
      recorded: "0900",
      controlId: "9",
    });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- nurse-4 !adt-disagrees"]);
    expect(ward.confirms("09:10", "mon-a", "dr-ahrens")).toBe("done");
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- nurse-4"]);
  });

  it("A12: the patient never left; what was asserted at the other bed is voided, and the first bed's must be confirmed again", () => {
    const ward = confirmed().hears({ event: "A02", patient: ines, location: atB, occurred: "1000", controlId: "3" });
    const { id } = ward.link("mon-b");
    ward.hears({ event: "A12", patient: ines, location: atA, occurred: "1000", recorded: "1040", controlId: "10" });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00-10:00 nurse-4", "mon-a A Ines 10:00- asserted"]);
    expect(ward.revisions(id).at(-1)).toMatchObject({ voided: true });
    expect(ward.confirms("10:45", "mon-a")).toBe("done");
    expect(ward.lines().at(-1)).toBe("mon-a A Ines 10:00- nurse-4");
  });

  it("A13: the stay goes on; without EVN-6 of its own the last discharge is meant", () => {
    const ward = new Ward().hears(
      admitted,
      { event: "A03", patient: ines, location: atA, occurred: "1200", controlId: "4" },
      { event: "A13", patient: ines, location: atA, occurred: "1230", controlId: "11" },
    );
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- asserted"]);
  });

  it("of something that is not known is told, and takes effect when that arrives", () => {
    const cancel: AdtOf = {
      event: "A12",
      patient: ines,
      location: atA,
      occurred: "1000",
      recorded: "1040",
      controlId: "10",
    };
    const ward = new Ward().hears(admitted, cancel);
    expect(ward.view.problems).toMatchObject([{ reason: "cancel-unmatched", event: "adt/ORBIS|KH-NORD/10" }]);
    ward.hears({ event: "A02", patient: ines, location: atB, occurred: "1000", recorded: "1001", controlId: "3" });
    expect(ward.view.problems).toEqual([]);
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- asserted"]);
  });
});

describe("A17, a swap", () => {
  const swap: AdtOf = {
    event: "A17",
    patient: ines,
    location: atB,
    other: { patient: otto, location: atA },
    occurred: "1000",
    recorded: "1005",
    controlId: "12",
  };
  it("moves both at once; at either bed it is unclear until a person has looked there", () => {
    const ward = new Ward().hears(admitted, ottoAdmitted);
    ward.confirms("08:30", "mon-a");
    ward.confirms("08:31", "mon-b");
    ward.hears(swap);
    expect(ward.lines().toSorted()).toEqual([
      "mon-a A Ines 08:00-10:00 nurse-4",
      "mon-a A Otto 10:00- asserted !swap-unconfirmed",
      "mon-b B Ines 10:00- asserted !swap-unconfirmed",
      "mon-b B Otto 08:05-10:00 nurse-4",
    ]);
    expect(ward.confirms("10:10", "mon-a")).toBe("done");
    expect(ward.lines()).toContain("mon-a A Otto 10:00- nurse-4");
    expect(ward.lines()).toContain("mon-b B Ines 10:00- asserted !swap-unconfirmed");
  });
});

describe("A40, a merge", () => {
  it("gives the old patient's links to the survivor, each by a revision that names the old key", () => {
    const ward = new Ward().hears({ ...admitted, patient: otto });
    const before = ward.link("mon-a");
    ward.hears({ event: "A40", patient: ines, prior: otto, occurred: "1000", controlId: "13" });
    const after = ward.link("mon-a");
    expect(after.id).toBe(before.id);
    expect(after.patientKey).not.toBe(before.patientKey);
    expect(ward.revisions(after.id).at(-1)).toMatchObject({
      revision: 2,
      patientKey: after.patientKey,
      mergedFrom: before.patientKey,
      subject: ward.revisions(after.id)[0]?.subject,
    });
    expect(ward.told.get(`patient/${before.patientKey}`)).toMatchObject({
      active: false,
      mergedInto: after.patientKey,
      version: 2,
    });
    expect(ward.told.get(`patient/${after.patientKey}`)).toMatchObject({ active: true, familyName: "Quellmann" });
  });

  it("that would merge a patient into himself, at once or in a ring, is refused and changes nothing", () => {
    const third = { number: "4711003", family: "Ohm", given: "Ida" };
    const merge = (patient: typeof third, prior: typeof third, controlId: string): AdtOf => ({
      event: "A40",
      patient,
      prior,
      occurred: `10${controlId}`,
      controlId,
    });
    const ward = new Ward().hears(admitted, merge(ines, otto, "20"), merge(third, ines, "21"));
    const lines = ward.lines();
    ward.hears(merge(otto, third, "22"), merge(ines, ines, "23"));
    expect(ward.lines()).toEqual(lines);
    expect(ward.view.problems.map(({ reason }) => reason)).toEqual(["merge-loop", "merge-loop"]);
    expect(ward.link("mon-a").patientKey).toBe(
      ward.view.wanted.find(({ body }) => body.kind === "patient" && body.givenName === "Ida")?.id.slice(8),
    );
  });
});

describe("A42 and A45, visits", () => {
  it("a visit that was merged into another is that one: its discharge ends what the first began", () => {
    const ward = new Ward().hears(
      admitted,
      { event: "A42", patient: { ...ines, visit: "V-1" }, prior: ines, occurred: "0900", controlId: "14" },
      { event: "A03", patient: { ...ines, visit: "V-1" }, location: atA, occurred: "1000", controlId: "15" },
    );
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00-10:00 asserted"]);
  });

  it("a visit that was another patient's all along takes its links along: the wrong one's is voided", () => {
    const ward = new Ward().hears({ ...admitted, patient: { ...otto, visit: "V-9001" } });
    const wrong = ward.link("mon-a").id;
    ward.hears({
      event: "A45",
      patient: ines,
      prior: { number: otto.number, visit: "V-9001" },
      occurred: "0900",
      controlId: "16",
    });
    expect(ward.lines()).toEqual(["mon-a A Ines 08:00- asserted"]);
    expect(ward.revisions(wrong).at(-1)).toMatchObject({ voided: true });
  });
});
