/** A roster file, refused with each problem in its place, as records, and as the difference from the last time. */
import { describe, expect, it } from "vitest";
import { events, raw } from "../../schemas/topics.ts";
import { digest } from "../core/hash.ts";
import { logTime } from "../core/time.ts";
import { rosterChanges } from "./roster-changes.ts";
import { readRoster, rosterRecords } from "./roster-file.ts";

const link = {
  id: "link-1",
  revision: 1,
  device: "mon-01",
  subject: "subject-1",
  patientKey: "pk-1",
  bed: "icu-1-01",
  unit: "icu-1",
  ageBand: "adult",
  from: "2026-11-21T08:00:00Z",
  to: null,
  confirmedBy: "Nurse K. Okafor",
  confirmedAt: "2026-11-21T09:02:00+01:00",
  assertedBy: "Nurse K. Okafor",
};

const roster = () => ({
  version: 4,
  devices: [
    { device: "mon-01", model: "simmon-1", serial: "SN-4711", unit: "icu-1" },
    {
      device: "cgm-01",
      model: "simcgm-1",
      serial: null,
      unit: "icu-1",
      clockUncertaintyMs: 60_000,
      silentAfterMs: 1_200_000,
    },
  ],
  beds: [
    { bed: "icu-1-01", unit: "icu-1" },
    { bed: "icu-1-02", unit: "icu-1" },
  ],
  associations: [link, { ...link, id: "link-2", subject: "subject-2", device: "cgm-01" }],
  patients: [
    {
      patientKey: "pk-1",
      fhirId: "p-0001",
      identifierSystem: "urn:example:mrn",
      identifierValue: "0001",
      encounterFhirId: null,
      active: true,
      version: 1,
    },
  ],
  consents: [
    {
      id: "consent-1",
      version: 1,
      patientKey: "pk-1",
      destination: "ehr",
      decision: "permit",
      from: "2026-11-20T00:00:00Z",
      to: null,
      recordedAt: "2026-11-20T00:00:00Z",
    },
  ],
});
type RosterFile = ReturnType<typeof roster>;

const problemsOf = (change: (file: RosterFile) => object): string[] => {
  const reading = readRoster(JSON.stringify(change(roster())));
  return reading.ok ? [] : reading.problems.map(({ place, reason }) => `${place} ${reason}`);
};

describe("a roster file", () => {
  it("is read with its times as milliseconds, whatever offset they were written with", () => {
    const reading = readRoster(JSON.stringify(roster()));
    expect(reading).toMatchObject({ ok: true });
    if (reading.ok) expect(reading.value.associations[0]?.confirmedAt).toBe(Date.UTC(2026, 10, 21, 8, 2));
  });

  it.each<[string, (file: RosterFile) => object, string]>([
    [
      "an unknown device",
      (f) => ({ ...f, associations: [{ ...link, device: "mon-9" }] }),
      "associations[0].device dangling-reference",
    ],
    [
      "an unknown patient",
      (f) => ({ ...f, patients: [], consents: [] }),
      "associations[0].patientKey dangling-reference",
    ],
    ["an unknown bed", (f) => ({ ...f, beds: [] }), "associations[0].bed dangling-reference"],
    [
      "a consent of nobody",
      (f) => ({ ...f, consents: [{ ...f.consents[0], patientKey: "pk-9" }] }),
      "consents[0].patientKey dangling-reference",
    ],
    ["a device twice", (f) => ({ ...f, devices: [...f.devices, f.devices[0]] }), "devices[2].device duplicate"],
    [
      "one subject for two links",
      (f) => ({ ...f, associations: [link, { ...link, id: "link-2", device: "cgm-01" }] }),
      "associations[1].subject duplicate",
    ],
    [
      "a device with two patients at once",
      (f) => ({
        ...f,
        associations: [link, { ...link, id: "link-2", subject: "subject-2", from: "2026-11-21T10:00:00Z" }],
      }),
      "associations[1] overlapping-associations",
    ],
    [
      "a bed with two patients at once",
      (f) => ({
        ...f,
        patients: [...f.patients, { ...f.patients[0], patientKey: "pk-2", fhirId: "p-0002" }],
        associations: [link, { ...link, id: "link-2", subject: "subject-2", device: "cgm-01", patientKey: "pk-2" }],
      }),
      "associations[1].bed bed-of-two-patients",
    ],
    [
      "a link that ends before it begins",
      (f) => ({ ...f, associations: [{ ...link, to: link.from }] }),
      "associations[0].to ends-before-start",
    ],
    [
      "a confirmation without its time",
      (f) => ({ ...f, associations: [{ ...link, confirmedAt: null }] }),
      "associations[0].confirmedAt half-confirmed",
    ],
    [
      "a link that is dated back and confirmed by nobody",
      (f) => ({
        ...f,
        associations: [{ ...link, confirmedBy: null, confirmedAt: null, vouchedFrom: "2026-11-21T00:00:00Z" }],
      }),
      "associations[0].vouchedFrom half-confirmed",
    ],
    [
      "a confirmation by nobody",
      (f) => ({ ...f, associations: [{ ...link, confirmedBy: null }] }),
      "associations[0].confirmedBy half-confirmed",
    ],
    [
      "a bed of another unit",
      (f) => ({ ...f, associations: [{ ...link, unit: "icu-2" }] }),
      "associations[0].unit unit-mismatch",
    ],
    [
      "a serial in a device's id",
      (f) => ({ ...f, devices: [{ ...f.devices[0], serial: "01" }, f.devices[1]] }),
      "devices[0].device serial-in-device-id",
    ],
    [
      "a time without a zone",
      (f) => ({ ...f, associations: [{ ...link, from: "2026-11-21T08:00:00" }] }),
      "associations[0].from shape",
    ],
    ["a misspelt field", (f) => ({ ...f, associations: [{ ...link, patient: "pk-1" }] }), "associations[0] shape"],
    [
      "a FHIR id that is none",
      (f) => ({ ...f, patients: [{ ...f.patients[0], fhirId: "p 1" }] }),
      "patients[0].fhirId shape",
    ],
    [
      "a device id that is no topic segment",
      (f) => ({ ...f, devices: [{ ...f.devices[0], device: "a/b" }] }),
      "devices[0].device shape",
    ],
  ])("is refused for %s, with the place", (_, change, problem) => {
    expect(problemsOf(change)).toContain(problem);
    expect(problemsOf((f) => f)).toEqual([]);
  });

  it("lets one link follow another where it ends", () => {
    const first = { ...link, to: "2026-11-21T10:00:00Z" };
    const second = { ...link, id: "link-2", subject: "subject-2", from: "2026-11-21T10:00:00Z" };
    expect(problemsOf((f) => ({ ...f, associations: [first, second] }))).toEqual([]);
  });

  it("tells all of its problems at once, each in words", () => {
    const reading = readRoster(
      JSON.stringify({ ...roster(), beds: [], associations: [{ ...link, device: "mon-9", confirmedAt: null }] }),
    );
    expect(reading.ok).toBe(false);
    if (!reading.ok)
      expect(reading.problem.detail.split("\n")).toEqual([
        "associations[0].device: no device is called mon-9 (dangling-reference)",
        "associations[0].bed: no bed is called icu-1-01 (dangling-reference)",
        "associations[0].confirmedAt: confirmedAt is missing (half-confirmed)",
      ]);
  });

  it("says so where it is no JSON", () => {
    expect(readRoster("{")).toMatchObject({ ok: false, problems: [{ place: "(file)", reason: "not-json" }] });
  });
});

describe("the records of a roster", () => {
  const recordsOf = (change: (file: RosterFile) => object = (f) => f) => {
    const reading = readRoster(JSON.stringify(change(roster())));
    if (!reading.ok) throw new Error(reading.problem.detail);
    return rosterRecords(reading.value);
  };

  it("go to the devices and to the patients, each under its key, with what a device usually is", () => {
    expect(recordsOf().map(({ plane, key, id }) => [plane, key, id])).toEqual([
      ["device", "mon-01", "device/mon-01"],
      ["device", "cgm-01", "device/cgm-01"],
      ["device", "mon-01", "association/link-1"],
      ["device", "cgm-01", "association/link-2"],
      ["clinical", "pk-1", "patient/pk-1"],
      ["clinical", "pk-1", "consent/consent-1"],
    ]);
    expect(
      recordsOf()
        .slice(0, 2)
        .map(({ body }) => body),
    ).toMatchObject([
      { clockUncertaintyMs: 2_000, silentAfterMs: 10_000, version: 4 },
      { clockUncertaintyMs: 60_000, silentAfterMs: 1_200_000 },
    ]);
  });

  it("can be carried by their topics", () => {
    for (const { plane, body } of recordsOf()) {
      const { codec } = plane === "device" ? raw : events;
      const bytes = codec.encode({ position: null, logTime: logTime(0), body: body as never });
      expect(codec.decode(bytes).body).toMatchObject(body);
    }
  });
});

describe("what changed since the last time", () => {
  type File = ReturnType<typeof roster>;
  const recordsOf = (change: (file: File) => object = (file) => file) => {
    const reading = readRoster(JSON.stringify(change(roster())));
    if (!reading.ok) throw new Error(reading.problem.detail);
    return rosterRecords(reading.value);
  };
  const before = new Map(recordsOf().map(({ id, key, version, hash }) => [id, { key, version, hash }]));
  const changes = (change: (file: File) => object) => {
    const { changed, problems } = rosterChanges(recordsOf(change), before);
    return {
      changed: changed.map(({ id }) => id),
      problems: problems.map(({ place, reason }) => `${place}: ${reason}`),
    };
  };

  it("is nothing where nothing changed, and what has a higher version", () => {
    expect(changes((f) => f)).toEqual({ changed: [], problems: [] });
    expect(changes((f) => ({ ...f, consents: [{ ...f.consents[0], version: 2, decision: "deny" }] }))).toEqual({
      changed: ["consent/consent-1"],
      problems: [],
    });
  });

  it("is nothing for what was announced before links could be voided and patients had names", () => {
    const asBefore = new Set([
      ...["kind", "id", "revision", "device", "subject", "patientKey", "bed", "unit", "ageBand", "from", "to"],
      ...["confirmedBy", "confirmedAt", "assertedBy", "fhirId", "identifierSystem", "identifierValue"],
      ...["encounterFhirId", "active", "version"],
    ]);
    const records = recordsOf().filter(({ body }) => body.kind === "association" || body.kind === "patient");
    expect(records.length).toBeGreaterThan(1);
    for (const { body, hash } of records) {
      const then = Object.fromEntries(Object.entries(body).filter(([name]) => asBefore.has(name)));
      expect(hash).toBe(digest(new TextEncoder().encode(JSON.stringify(then))));
    }
    const voided = recordsOf((f) => ({ ...f, associations: f.associations.map((a) => ({ ...a, voided: true })) }));
    expect(rosterChanges(voided, before).changed.length).toBeGreaterThan(0);
  });

  it("is refused where a consent was withdrawn by leaving it out", () => {
    expect(changes((f) => ({ ...f, consents: [] })).problems).toEqual(["consents: removed"]);
    expect(changes((f) => ({ ...f, associations: f.associations.slice(1) })).problems).toEqual([
      "associations: removed",
    ]);
  });

  it("is refused where an id was given to another device or patient, with whom the old one would stay in force", () => {
    const another = { ...roster().patients[0], patientKey: "pk-2", fhirId: "p-0002" };
    const toAnother = (f: File) => ({
      ...f,
      patients: [...f.patients, another],
      consents: [{ ...f.consents[0], patientKey: "pk-2", version: 2 }],
    });
    expect(changes(toAnother).problems).toEqual(["consents[0]: moved"]);
    const swapped = (f: File) => ({
      ...f,
      associations: f.associations.map((a, i) => ({ ...a, revision: 2, device: i === 0 ? "cgm-01" : "mon-01" })),
    });
    expect(changes(swapped).problems).toEqual(["associations[0]: moved", "associations[1]: moved"]);
  });

  it("is refused where something changed under the version that is in force", () => {
    const problems = (change: (file: File) => object) => changes(change).problems;
    expect(problems((f) => ({ ...f, consents: [{ ...f.consents[0], decision: "deny" }] }))).toEqual([
      "consents[0]: version-not-raised",
    ]);
    expect(
      problems((f) => ({ ...f, devices: f.devices.map((d, i) => (i === 0 ? { ...d, unit: "Elsewhere" } : d)) })),
    ).toEqual(["devices[0]: version-not-raised"]);
    expect(
      problems((f) => ({
        ...f,
        version: 5,
        devices: f.devices.map((d, i) => (i === 0 ? { ...d, unit: "Elsewhere" } : d)),
      })),
    ).toEqual([]);
  });
});
