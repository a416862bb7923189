/** The mapped REST destination against a receiver that answers as it is told, opened from its configuration. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anObservationIntent, aRetraction } from "../../schemas/hl7v2/pcd01.fixture.ts";
import { type Answering, answering } from "./answering.fixture.ts";
import { sinkTo, written } from "./outbox/outbox.fixture.ts";
import { restDestination } from "./rest.ts";

const mapping = `action = "retract" ? $exists($retracts) ? $retracts : null : {
  "method": "POST", "path": "/readings",
  "headers": { "Authorization": "none", "Idempotency-Key": "mine", "X-Ward": "icu-1" },
  "body": { "value": resource.valueQuantity.value, "revision": revision }
}`;

let folder: string;
let receiver: Answering;
let answers: ((response: ServerResponse) => void)[];
let came: { readonly method: string; readonly url: string; readonly key: unknown; readonly body: string }[];
let headers: IncomingMessage["headers"];

const status =
  (code: number, body = "", more: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, more).end(body);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "afferent-rest-"));
  answers = [];
  came = [];
  receiver = await answering((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "" } = request;
      if (method === "GET") return void response.writeHead(200).end();
      headers = request.headers;
      came.push({ method, url, key: headers["idempotency-key"], body: Buffer.concat(chunks).toString() });
      (answers.shift() ?? status(201))(response);
    });
  });
});
afterEach(async () => {
  receiver.close();
  await rm(folder, { recursive: true });
});

const open = async (text = mapping, change: object = {}, sinkChange: object = {}) => {
  const mappingFile = join(folder, "mapping.jsonata");
  await writeFile(mappingFile, text);
  const config = restDestination.shape.parse({
    name: "ehr",
    kind: "rest",
    finalAtEnd: true,
    baseUrl: `${receiver.url}/api/`,
    mappingFile,
    timeoutMs: 300,
    ...change,
  });
  const adapter = await restDestination.open(config, { signal: new AbortController().signal });
  return sinkTo(adapter, sinkChange).sink;
};

const intent = anObservationIntent();
const key = `"${intent.resourceId}/0"`;

describe("a mapped REST destination", () => {
  it("gets the request that its mapping says, with a key of ours that no mapping changes", async () => {
    expect(await written(await open(), [intent])).toEqual(["0 written 201"]);
    expect(came).toEqual([{ method: "POST", url: "/api/readings", key, body: '{"value":128,"revision":0}' }]);
    expect(headers).toMatchObject({ "x-ward": "icu-1", "content-type": "application/json" });
    expect(headers.authorization).toBeUndefined();
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["503", status(503)],
    ["429 and when to come back", status(429, "", { "retry-after": "1" })],
    ["409, still at it", status(409)],
    ["a page to log in", status(200, "<html>", { "content-type": "text/html" })],
    ["rubbish called JSON", status(200, "{", { "content-type": "application/json" })],
    ["nothing in its time", () => undefined],
    ["a dropped connection", (response) => void response.destroy()],
    ["a 500", status(500)],
  ])("is sent the same again, under the same key, after %s", async (_, answer) => {
    answers = [answer];
    expect(await written(await open(), [intent])).toEqual(["0 written 201"]);
    expect(came.map((one) => one.key)).toEqual([key, key]);
    expect(came[0]).toEqual(came[1]);
  });

  it.each([400, 413, 422])("goes on after one that is refused with %i, and says why in its own words", async (code) => {
    answers = [status(code, '{"detail":"no bed MRN0007","echo":"everything"}')];
    const told = await written(await open(), [intent, anObservationIntent({ change: { revision: 1 } })]);
    expect(told).toEqual([`0 refused ${code}: no bed [patient]`, "1 written 201"]);
  });

  it("is sent what a person asks for again under a key of its own, each time: the receiver answers a known key with its old refusal", async () => {
    const known = new Map<unknown, number>();
    const refusing = [422, 422, 201].map((code) => (response: ServerResponse) => {
      const at = came.at(-1)?.key;
      const answer = known.get(at) ?? code;
      known.set(at, answer);
      status(answer)(response);
    });
    answers = refusing;
    const again = { ...intent, resentBy: "Dr. Ada Brandt" };
    const told = [];
    for (const [offset, one] of [intent, again, again].entries())
      told.push(...(await written(await open(), [one], offset)));
    expect(told).toEqual(["0 refused 422", "1 refused 422", "2 written 201"]);
    expect(new Set(came.map((one) => one.key)).size).toBe(3);
    expect(came.map((one) => String(one.key)).join()).not.toContain("Ada");
  });

  it("is sent what a person asked for once under one key, however often it is tried", async () => {
    answers = [status(503), (response) => void response.destroy()];
    expect(await written(await open(), [{ ...intent, resentBy: "Dr. Ada Brandt" }], 17)).toEqual(["17 written 201"]);
    expect(came).toHaveLength(3);
    expect(new Set(came.map((one) => one.key)).size).toBe(1);
  });

  it.each([302, 401, 403, 404])("waits for a person when the way is wrong: %i", async (code) => {
    answers = [status(code, "", { location: "/elsewhere" })];
    const sink = await open(mapping, {}, { patienceMs: 0 });
    await expect(written(sink, [intent])).rejects.toMatchObject({ code: "destination-misconfigured" });
  });

  it("sends a bearer token that it reads again when it is refused", async () => {
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, "old\n");
    const sink = await open(mapping, { auth: { kind: "bearer", tokenFile } });
    answers = [(response) => void writeFile(tokenFile, "new").then(() => response.writeHead(401).end())];
    expect(await written(sink, [intent])).toEqual(["0 written 201"]);
    expect(headers.authorization).toBe("Bearer new");
  });

  it("is never led out of its base", async () => {
    const sink = await open('{ "method": "POST", "path": "/../admin" }');
    expect((await written(sink, [intent]))[0]).toMatch(/^0 refused mapping-shape: the path leads out/);
    expect(came).toEqual([]);
  });
});

describe("a retraction", () => {
  const standingOf = () => Promise.resolve({ newest: 0, written: 0, mayStand: true });

  it("that the mapping does not know is parked, and a person's task", async () => {
    expect(await written(await open(mapping, {}, { standingOf }), [aRetraction(intent)])).toEqual([
      "0 refused not-retractable: the mapping has no retraction",
      "0 task not-retractable",
    ]);
    expect(came).toEqual([]);
  });

  it("that it knows is sent, under a key of its own", async () => {
    const knows = '{ "method": action = "retract" ? "DELETE" : "POST", "path": "/readings/" & resourceId }';
    expect(await written(await open(knows, {}, { standingOf }), [aRetraction(intent)])).toEqual(["0 written 201"]);
    expect(came).toEqual([
      {
        method: "DELETE",
        url: `/api/readings/${intent.resourceId}`,
        key: `"${intent.resourceId}/1/retract"`,
        body: "",
      },
    ]);
  });
});

describe("a configuration", () => {
  it("is refused where its mapping can't be read or is not there", async () => {
    await expect(open("{")).rejects.toMatchObject({ code: "config-invalid" });
    const config = { name: "a", kind: "rest" as const, finalAtEnd: true, baseUrl: receiver.url, mappingFile: "/none" };
    await expect(restDestination.open(config, { signal: new AbortController().signal })).rejects.toMatchObject({
      code: "file-unreadable",
    });
  });
});
