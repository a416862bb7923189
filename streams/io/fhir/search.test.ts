import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type FhirSearchOptions, searchFhir } from "./search.ts";

describe("a FHIR search", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  const serving = async (listener: RequestListener): Promise<string> => {
    const started = createServer(listener);
    server = started;
    await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(started.address() as AddressInfo).port}/fhir`;
  };
  const found = async (baseUrl: string, options: Partial<FhirSearchOptions> = {}): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { id } of searchFhir("Consent?_count=2", { baseUrl, timeoutMs: 2_000, ...options })) ids.push(id);
    return ids;
  };
  const page = (ids: readonly string[], next?: string): string =>
    JSON.stringify({
      resourceType: "Bundle",
      type: "searchset",
      ...(next !== undefined && { link: [{ relation: "next", url: next }] }),
      entry: ids.map((id) => ({ resource: { resourceType: "Consent", id } })),
    });
  const answering =
    (body: string, status = 200): RequestListener =>
    (_, response) =>
      response.writeHead(status, { "content-type": "application/fhir+json" }).end(body);

  it("follows its pages and leaves out what is only included", async () => {
    const included = { resource: { resourceType: "Patient", id: "p" }, search: { mode: "include" } };
    const url = await serving((request, response) => {
      const last = request.url?.includes("page=2");
      const body = JSON.parse(last ? page(["c"]) : page(["a", "b"], `${request.headers.host}`)) as {
        entry: unknown[];
        link?: { url: string }[];
      };
      if (body.link?.[0] !== undefined) body.link[0].url = `http://${request.headers.host}/fhir?page=2`;
      body.entry.push(included);
      response.end(JSON.stringify(body));
    });
    expect(await found(url)).toEqual(["a", "b", "c"]);
  });

  it("is empty where the server says so", async () => {
    expect(await found(await serving(answering(page([]))))).toEqual([]);
  });

  it("gives its authorization with each page", async () => {
    const given: (string | undefined)[] = [];
    const url = await serving((request, response) => {
      given.push(request.headers.authorization);
      response.end(page([]));
    });
    await found(url, { authorization: { header: async () => "Bearer t", rejected: () => undefined } });
    expect(given).toEqual(["Bearer t"]);
  });

  it("asks once more with a new header for a page that is answered 401, and goes on from there", async () => {
    const given: string[] = [];
    let n = 1;
    const url = await serving((request, response) => {
      given.push(`${request.headers.authorization} ${request.url?.includes("page=2") ? 2 : 1}`);
      const next = request.url?.includes("page=2") ? undefined : `http://${request.headers.host}/fhir?page=2`;
      if (given.length === 2) response.writeHead(401).end();
      else response.end(page([next === undefined ? "b" : "a"], next));
    });
    const authorization = { header: async () => `Bearer ${n}`, rejected: () => void n++ };
    expect(await found(url, { authorization })).toEqual(["a", "b"]);
    expect(given).toEqual(["Bearer 1 1", "Bearer 1 2", "Bearer 2 2"]);
  });

  it("is refused where the new header is answered 401 too: it asks no third time", async () => {
    let asked = 0;
    const url = await serving((_, response) => {
      asked++;
      response.writeHead(401).end();
    });
    const authorization = { header: async () => "Bearer t", rejected: () => undefined };
    await expect(found(url, { authorization })).rejects.toMatchObject({ code: "fhir-refused" });
    expect(asked).toBe(2);
  });

  it.each([
    ["no JSON", answering("<html>"), "fhir-garbage"],
    ["another resource", answering('{"resourceType":"Patient"}'), "fhir-garbage"],
    ["nothing at all", answering(""), "fhir-garbage"],
    ["a match without an id", answering(page([""])), "fhir-garbage"],
    ["a next page elsewhere", answering(page(["a"], "http://example.org/fhir?page=2")), "fhir-garbage"],
    ["a page too large", answering(page(["a".repeat(3_000)])), "fhir-garbage"],
    ["401", answering("{}", 401), "fhir-refused"],
    ["503", answering("{}", 503), "fhir-unavailable"],
    ["no answer", (() => undefined) as RequestListener, "fhir-unavailable"],
    ["half an answer", ((_, response) => response.write('{"resourceType":')) as RequestListener, "fhir-unavailable"],
    ["a dropped connection", ((request) => request.socket.destroy()) as RequestListener, "fhir-unavailable"],
  ])("has a code for %s", async (_what, listener, code) => {
    const url = await serving(listener);
    await expect(found(url, { timeoutMs: 300, pageBytesMost: 2_000 })).rejects.toMatchObject({ code });
  });

  it("refuses pages that never end", async () => {
    const url = await serving((request, response) =>
      response.end(page(["a"], `http://${request.headers.host}/fhir?page=${Math.random()}`)),
    );
    await expect(found(url, { pagesMost: 5 })).rejects.toMatchObject({ code: "fhir-garbage" });
  });
});
