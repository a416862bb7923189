/** Tokens of SMART Backend Services: how they are asked for, kept and renewed, and a server that refuses them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Answering, answering } from "../answering.fixture.ts";
import { fhirClient } from "../fhir/client.ts";
import { smartAuthorization, type SmartOptions } from "./smart.ts";

let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let key: string;
beforeAll(async () => {
  keys = await generateKeyPair("ES384", { extractable: true });
  key = await exportPKCS8(keys.privateKey);
});

let server: Answering;
let asked: URLSearchParams[];
let now: number;
let answer: (response: ServerResponse, n: number) => void;
/** Tokens that the FHIR server does not take. */
let withdrawn: Set<string>;

const token = (response: ServerResponse, n: number): void =>
  void response.end(JSON.stringify({ access_token: `t${n}`, token_type: "bearer", expires_in: 300 }));

const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  if (request.url !== "/token") {
    const taken =
      !withdrawn.has(request.headers.authorization ?? "none") && request.headers.authorization !== undefined;
    return void response.writeHead(taken ? 200 : 401).end("{}");
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  asked.push(new URLSearchParams(Buffer.concat(chunks).toString()));
  answer(response, asked.length);
};

beforeEach(async () => {
  asked = [];
  now = Date.now();
  answer = token;
  withdrawn = new Set();
  server = await answering((request, response) => void onRequest(request, response));
});
afterEach(() => server.close());

const open = (change: Partial<SmartOptions> = {}) =>
  smartAuthorization({
    tokenUrl: `${server.url}/token`,
    clientId: "afferent",
    key,
    keyId: "key-1",
    algorithm: "ES384",
    scope: "system/Observation.cu",
    timeoutMs: 300,
    now: () => now,
    ...change,
  });

describe("a token of SMART Backend Services", () => {
  it("is asked for with an assertion that the server can verify", async () => {
    expect(await (await open()).header()).toBe("Bearer t1");
    const form = Object.fromEntries(asked[0] ?? []);
    expect(form).toMatchObject({
      grant_type: "client_credentials",
      scope: "system/Observation.cu",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    });
    const { payload, protectedHeader } = await jwtVerify(form["client_assertion"] ?? "", keys.publicKey, {
      audience: `${server.url}/token`,
      issuer: "afferent",
      subject: "afferent",
    });
    expect(protectedHeader).toEqual({ alg: "ES384", typ: "JWT", kid: "key-1" });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(300);
    expect(payload.jti).toMatch(/./);
  });

  it("is used until shortly before it expires, and asked for once however many want it", async () => {
    const authorization = await open();
    await Promise.all([authorization.header(), authorization.header(), authorization.header()]);
    now += 269_000;
    expect(await authorization.header()).toBe("Bearer t1");
    expect(asked).toHaveLength(1);
    now += 2_000;
    expect(await authorization.header()).toBe("Bearer t2");
    const ids = asked.map((form) => form.get("client_assertion"));
    expect(new Set(ids).size).toBe(2);
  });

  it("is signed with a JWK too, which says itself which it is", async () => {
    const jwk = { ...(await exportJWK(keys.privateKey)), kid: "from-the-jwk" };
    await (await open({ key: JSON.stringify(jwk), keyId: undefined })).header();
    const { protectedHeader } = await jwtVerify(asked[0]?.get("client_assertion") ?? "", keys.publicKey);
    expect(protectedHeader.kid).toBe("from-the-jwk");
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ["400", (r) => void r.writeHead(400).end('{"error":"invalid_client"}'), "credentials-refused"],
    ["401", (r) => void r.writeHead(401).end(), "credentials-refused"],
    ["503", (r) => void r.writeHead(503).end(), "token-unavailable"],
    ["200 with a page", (r) => void r.end("<html>please log in</html>"), "token-unavailable"],
    ["another kind of token", (r) => void r.end('{"access_token":"x","token_type":"mac"}'), "token-unavailable"],
    ["nothing in its time", () => undefined, "token-unavailable"],
  ])("is not had from a server that answers %s, and its reason says nothing of keys", async (_, said, code) => {
    answer = said;
    const failed = (await open()).header();
    await expect(failed).rejects.toMatchObject({ code, retry: true });
    await failed.catch((error: Error) => expect(error.message).not.toMatch(/eyJ|PRIVATE/));
    answer = token;
    expect(await (await open()).header()).toMatch(/^Bearer t/);
  });

  it("is refused at the start where there is no private key; what is told does not quote it", async () => {
    for (const broken of ["secret", JSON.stringify(await exportJWK(keys.publicKey))])
      await expect(open({ key: broken })).rejects.toMatchObject({
        code: "config-invalid",
        message: "keyFile: holds no private key for ES384",
      });
  });
});

describe("a FHIR server that answers 401", () => {
  it("is asked again with one new token, whoever else had the old one", async () => {
    withdrawn.add("Bearer t1");
    const client = fhirClient({ baseUrl: server.url, timeoutMs: 1_000, now: () => now, authorization: await open() });
    const answers = await Promise.all([1, 2, 3].map((n) => client.read("Observation", `o-${n}`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(asked).toHaveLength(2);
  });

  it("to the new one as well is told as it is: no third token", async () => {
    for (const n of [1, 2, 3]) withdrawn.add(`Bearer t${n}`);
    const client = fhirClient({ baseUrl: server.url, timeoutMs: 1_000, now: () => now, authorization: await open() });
    expect(await client.read("Observation", "o-1")).toMatchObject({ status: 401 });
    expect(asked).toHaveLength(2);
  });
});
