/** What a destination's configuration must say, and that each kind opens by it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { destinationShape, openAdapter } from "./destination-kinds.ts";

const signal = new AbortController().signal;
const fhir = { name: "ehr", kind: "fhir", baseUrl: "https://ehr.example/fhir", finalAtEnd: true };
const hl7v2 = {
  name: "lab",
  kind: "hl7v2",
  host: "127.0.0.1",
  port: 2575,
  sender: { namespace: "AFFERENT" },
  receiver: "LAB",
  finalAtEnd: false,
};
const rest = {
  name: "registry",
  kind: "rest",
  baseUrl: "https://r.example",
  mappingFile: "m.jsonata",
  finalAtEnd: true,
};

/** Each problem with its place. */
const problemsOf = (config: object): string[] =>
  destinationShape.safeParse(config).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];

describe("a destination's configuration", () => {
  it.each([
    ["of each kind", [fhir, hl7v2, rest]],
    ["of the form before there were kinds", [{ name: "ehr", baseUrl: "http://127.0.0.1/fhir", finalAtEnd: true }]],
  ])("%s is taken", (_, configs) => {
    for (const config of configs) expect(problemsOf(config)).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      "a kind that there is none of",
      { ...fhir, kind: "fihr" },
      /^kind: no such kind of destination; there are: fhir, hl7v2, rest$/,
    ],
    ["what another kind has", { ...fhir, mappingFile: "m" }, /Unrecognized key/],
    ["no receiver", { ...hl7v2, receiver: undefined }, /^receiver: /],
    ["no mapping", { ...rest, mappingFile: undefined }, /^mappingFile: /],
    [
      "a token server to which a secret would go in the open",
      {
        ...fhir,
        auth: { kind: "smart", tokenUrl: "http://t.example", clientId: "a", keyFile: "k", algorithm: "ES384" },
      },
      /^auth.tokenUrl: a secret goes over https only/,
    ],
    ["an algorithm that SMART has not", { ...fhir, auth: { kind: "smart", algorithm: "HS256" } }, /auth.algorithm: /],
  ])("is refused with %s, by its place", (_, config, problem) => {
    expect(problemsOf(config).join("\n")).toMatch(problem);
  });
});

describe("opening one, as `check` does", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "afferent-kinds-"));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const open = (config: object) => openAdapter(destinationShape.parse(config), { signal });

  it("reads its files, and sends nothing to anybody", async () => {
    const mappingFile = join(folder, "m.jsonata");
    await writeFile(mappingFile, '{ "method": "POST", "path": "/" }');
    for (const config of [fhir, hl7v2, { ...rest, mappingFile }]) await (await open(config)).close();
  });

  it.each<[string, (file: string) => object, string]>([
    ["a mapping that is not there", () => rest, "file-unreadable"],
    ["a mapping that can't be read", (mappingFile) => ({ ...rest, mappingFile }), "config-invalid"],
    ["a certificate that is not there", () => ({ ...hl7v2, tls: { caFile: "none.pem" } }), "file-unreadable"],
    [
      "a key that is none",
      (keyFile) => ({
        ...fhir,
        auth: { kind: "smart", tokenUrl: "https://t.example", clientId: "a", keyFile, algorithm: "ES384" },
      }),
      "config-invalid",
    ],
  ])("fails on %s", async (_, configOf, code) => {
    const file = join(folder, "broken");
    await writeFile(file, "{");
    await expect(open(configOf(file))).rejects.toMatchObject({ code, retry: false });
  });
});
