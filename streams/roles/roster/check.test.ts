/** `afferent check` on a roster service's section: what would keep ADT from linking anybody is said before it is started. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { guardedServer } from "../../io/authorization/guarded.fixture.ts";
import { check } from "../check.ts";
import { type AdtOf, ines } from "../../../schemas/hl7v2/adt.fixture.ts";
import { authorities, type House, openHouse } from "./house.fixture.ts";
import { smallConfig } from "../../small-config.fixture.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
});

interface Ward {
  /** Of the one device. */
  readonly bed?: string | null;
  /** The one bed's name. */
  readonly name?: string;
  /** The service's folder; an empty one unless told. */
  readonly data?: string;
  readonly speed?: number;
}

const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), "afferent-check-"));
  closing.push(() => rm(made, { recursive: true, force: true }));
  return made;
};

/** What was printed of the roster service, the grades of its lines and the sum at the end. */
const checkedAll = async (section: object, { name = "A", bed = name, data: given, speed = 1 }: Ward = {}) => {
  const data = given ?? (await folder());
  const device = { device: "mon-a", model: "sim-monitor", serial: null, unit: "icu-1", bed };
  const roster = {
    version: 1,
    devices: [device],
    beds: [{ bed: name, unit: "icu-1" }],
    associations: [],
    patients: [],
    consents: [],
  };
  await writeFile(join(data, "roster.json"), JSON.stringify(roster));
  const config = smallConfig(data, {
    speed,
    rosterService: {
      authorities,
      mllp: { host: "127.0.0.1", port: 0 },
      api: { host: "127.0.0.1", port: 0, token: "a token of the test" },
      ...section,
    },
  });
  await writeFile(join(data, "config.json"), JSON.stringify(config));
  const said: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  const code = await check(join(data, "config.json"));
  return {
    code,
    sum: said.at(-1) ?? "",
    found: said.filter((line) => line.includes("rosterService") || line.includes("devices[].bed")),
  };
};
const checked = async (section: object, ward: Ward = {}): Promise<string[]> => (await checkedAll(section, ward)).found;

describe("check", () => {
  it("finds nothing in a section that fits", async () => {
    expect(
      await checked({ locations: { "INT^1^F": "A" }, mllp: { host: "127.0.0.1", port: 0, zone: "Europe/Berlin" } }),
    ).toEqual([]);
  });

  it.each([
    [{ locations: { "INT^1^F": "Z" } }, "INT^1^F is said to be bed Z"],
    [{ authorities: [{ ...authorities[0], destinations: ["lab"] }] }, "names lab"],
    [{ fhir: { baseUrl: "http://127.0.0.1:1", everyMs: 1_000, destination: "lab" } }, "names lab"],
    [{ mllp: { host: "127.0.0.1", port: 0, zone: "Mars/Olympus" } }, "Mars/Olympus is no time zone"],
  ])("finds %j", async (section, problem) => {
    expect((await checked(section)).join()).toContain(problem);
  });

  it("finds a key that can't be read or is none, and nothing in one that is", async () => {
    const keys = await folder();
    const server = await guardedServer(() => undefined);
    closing.push(() => server.close());
    await writeFile(join(keys, "no.pem"), "no key");
    const fhir = (keyFile: string | undefined) => ({
      fhir: {
        baseUrl: server.url,
        everyMs: 1_000,
        destination: "ehr",
        auth: { ...server.auth, ...(keyFile !== undefined && { keyFile }) },
      },
    });
    const locations = { "INT^1^F": "A" };
    expect(await checked({ locations, ...fhir(undefined) })).toEqual([]);
    expect((await checked({ locations, ...fhir(join(keys, "none.pem")) })).join()).toContain("can't be read");
    expect((await checked({ locations, ...fhir(join(keys, "no.pem")) })).join()).toContain("holds no private key");
  });

  it("says where no device names its bed", async () => {
    expect((await checked({ locations: { "INT^1^F": "A" } }, { bed: null })).join()).toContain("so ADT links none");
  });

  describe("before anything was heard", () => {
    it("warns where ADT can name no bed unless it calls its wards as the roster calls its units", async () => {
      const { code, sum, found } = await checkedAll({});
      expect(found.join()).toMatch(/rosterService\.locations: it names no bed.*e\.g\. icu-1\^\^A/);
      expect([code, sum]).toEqual([0, "no problems, 1 warning\n"]);
    });

    it.each<[string, object, Ward]>([
      ["a location leads to one", { locations: { "INT^1^F": "A" } }, {}],
      ["a bed's name begins with its unit", {}, { name: "icu-1-01" }],
      ["nothing is heard but people", { mllp: undefined }, {}],
    ])("does not where %s", async (_why, section, ward) => {
      expect(await checkedAll(section, ward)).toMatchObject({ code: 0, sum: "no problems\n", found: [] });
    });
  });

  describe("after ADT was heard", () => {
    const admitted = (location: string, n: number): AdtOf => ({
      event: "A01",
      patient: { ...ines, number: `47110${n}`, visit: `V-${n}` },
      location,
      occurred: "0800",
      controlId: `${n}`,
    });
    const heard = async (...locations: readonly string[]): Promise<House> => {
      const house = await openHouse();
      closing.push(() => house.close());
      house.hears(...locations.map(admitted));
      return house;
    };

    it("warns where none of the places that it named is a bed of ours, whatever the configuration says", async () => {
      const { folder: data } = await heard("INT^1^A", "NEURO^2^F", "INT^3^B");
      for (const locations of [{}, { "INTENSIV^1^A": "A" }]) {
        const { code, sum, found } = await checkedAll({ locations }, { data });
        expect(found.join()).toMatch(/none of the 3 places .*wards there: INT, NEURO; units here: icu-1/);
        expect(found.join(), "of places and of nobody").not.toMatch(/4711|Quellmann|V-/);
        expect([code, sum]).toEqual([0, "no problems, 1 warning\n"]);
      }
    });

    it("does not where it named one of ours, among all the others", async () => {
      const { folder: data } = await heard("INT^1^A", "ICU-1^2^A", "NEURO^2^F");
      expect(await checked({}, { data })).toEqual([]);
    });

    it("does not miss a fixed monitor where somebody has said at which bed a device stands", async () => {
      const house = await heard("ICU-1^2^A");
      const { folder: data } = house;
      expect((await checked({}, { data, bed: null })).join()).toContain("so ADT links none");
      house.service.act({ act: "place", device: "mon-a", bed: "A", by: "nurse-4", because: "put there" });
      expect(await checked({}, { data, bed: null })).toEqual([]);
    });

    it("says where the service's file can't be read", async () => {
      const data = await folder();
      await writeFile(
        join(data, "roster.sqlite"),
        "no database at all, and long enough to be taken for one".repeat(20),
      );
      const { code, sum } = await checkedAll({}, { data });
      expect([code, sum]).toEqual([0, "no problems, 1 warning\n"]);
    });
  });

  it("takes no other time than the real one, for ADT tells of that", async () => {
    await expect(checked({}, { speed: 10 })).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringContaining("rosterService: ADT tells of real time"),
    });
  });

  it("takes an interface on this machine alone, and a token that is long enough", async () => {
    for (const api of [{ host: "0.0.0.0" }, { token: "short" }])
      await expect(
        checked({ api: { host: "127.0.0.1", port: 0, token: "a token of the test", ...api } }),
      ).rejects.toMatchObject({ code: "config-invalid" });
  });
});
