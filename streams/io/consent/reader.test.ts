/** Consents of a FHIR server that wants a token: asked for, used again, renewed where it counts no more; a refusal is called by its name. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GuardedServer, guardedServer } from "../authorization/guarded.fixture.ts";
import { consentSourceShape } from "./config.ts";
import { type ConsentReader, openConsentReader } from "./reader.ts";

let server: GuardedServer;
let reader: ConsentReader;
const found = { resourceType: "Consent", id: "c-1", meta: { lastUpdated: "2026-11-21T08:00:00Z" } };

beforeEach(async () => {
  server = await guardedServer((request, response) =>
    request.url?.startsWith("/fhir/Consent?")
      ? response.end(JSON.stringify({ resourceType: "Bundle", type: "searchset", entry: [{ resource: found }] }))
      : response.writeHead(410).end(),
  );
  const config = consentSourceShape.parse({ name: "ehr", baseUrl: server.url, auth: server.auth, timeoutMs: 2_000 });
  reader = await openConsentReader(config, new AbortController().signal);
});
afterEach(() => server.close());

const ours = Date.parse("2026-11-21T12:00:00Z");
const ids = async (): Promise<string[]> => (await reader.changed(null, ours)).found.map(({ id }) => id);

describe("a source of consents that wants a token", () => {
  it("is asked with one token, whatever it is asked", async () => {
    expect(await ids()).toEqual(["c-1"]);
    expect(await reader.byId(["c-1"])).toHaveLength(1);
    expect(await reader.ofPatients(["p-1"])).toHaveLength(1);
    expect(await reader.isGone("c-2")).toBe(true);
    expect(server.asked).toEqual(["1 /fhir/Consent", "1 /fhir/Consent", "1 /fhir/Consent", "1 /fhir/Consent/c-2"]);
    expect(server.given).toBe(1);
  });

  it("is asked once more with a new token, within the same look, where the old one counts no more", async () => {
    await ids();
    server.withdraw();
    expect(await ids()).toEqual(["c-1"]);
    expect(server.asked).toEqual(["1 /fhir/Consent", "0 /fhir/Consent", "2 /fhir/Consent"]);
  });

  it("is not taken for empty where no token is had, nor asked without one; and is read once there is one", async () => {
    for (const [tokens, code] of [
      ["invalid_client", "credentials-refused"],
      ["503", "token-unavailable"],
    ] as const) {
      server.tokens = tokens;
      await expect(ids()).rejects.toMatchObject({ code });
      await expect(reader.isGone("c-2")).rejects.toMatchObject({ code });
    }
    expect(server.asked).toEqual([]);
    server.tokens = "given";
    expect(await ids()).toEqual(["c-1"]);
  });
});
