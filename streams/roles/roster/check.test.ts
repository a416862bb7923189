/** `afferent check` on a roster service's section: what would keep ADT from linking anybody is said before it is started. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { guardedServer } from "../../io/authorization/guarded.fixture.ts";
import { check } from "../check.ts";
import { authorities } from "./house.fixture.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
});

const checked = async (section: object, bed: string | null = "A"): Promise<string[]> => {
  const data = await mkdtemp(join(tmpdir(), "afferent-check-"));
  closing.push(() => rm(data, { recursive: true, force: true }));
  const device = { device: "mon-a", model: "simmon-1", serial: null, unit: "icu-1", bed };
  const roster = {
    version: 1,
    devices: [device],
    beds: [{ bed: "A", unit: "icu-1" }],
    associations: [],
    patients: [],
    consents: [],
  };
  await writeFile(join(data, "roster.json"), JSON.stringify(roster));
  const config = {
    ward: "Test ward",
    production: false,
    data,
    log: { kind: "sqlite" },
    registry: { kind: "local" },
    intake: { kind: "listener", host: "127.0.0.1", port: 0 },
    series: { kind: "sqlite", keepHours: 1 },
    destinations: [{ name: "ehr", baseUrl: "http://127.0.0.1:1", finalAtEnd: true }],
    roster: join(data, "roster.json"),
    rules: [join(import.meta.dirname, "../../../topologies/rules/adult-example.json")],
    demoApproval: true,
    allowPlainRules: false,
    board: { host: "127.0.0.1", port: 0 },
    speed: 1,
    lingerMs: 0,
    rosterService: {
      authorities,
      mllp: { host: "127.0.0.1", port: 0 },
      api: { host: "127.0.0.1", port: 0, token: "a token of the test" },
      ...section,
    },
  };
  await writeFile(join(data, "config.json"), JSON.stringify(config));
  const said: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  await check(join(data, "config.json"));
  return said.filter((line) => line.includes("rosterService") || line.includes("devices[].bed"));
};

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
    const folder = await mkdtemp(join(tmpdir(), "afferent-check-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const server = await guardedServer(() => undefined);
    closing.push(() => server.close());
    await writeFile(join(folder, "no.pem"), "no key");
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
    expect((await checked({ locations, ...fhir(join(folder, "none.pem")) })).join()).toContain("can't be read");
    expect((await checked({ locations, ...fhir(join(folder, "no.pem")) })).join()).toContain("holds no private key");
  });

  it("says where no device names its bed", async () => {
    expect((await checked({}, null)).join()).toContain("so ADT links none");
  });

  it("takes an interface on this machine alone, and a token that is long enough", async () => {
    for (const api of [{ host: "0.0.0.0" }, { token: "short" }])
      await expect(
        checked({ api: { host: "127.0.0.1", port: 0, token: "a token of the test", ...api } }),
      ).rejects.toMatchObject({ code: "config-invalid" });
  });
});
