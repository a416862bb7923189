/** A FHIR server that wants a token of SMART Backend Services, with the token server beside it; for tests. Tokens can be taken back, and refused. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import { answering } from "../answering.fixture.ts";
import { type AuthorizationConfig, authorizationShape } from "./authorization.ts";

export interface GuardedServer {
  /** Base of the FHIR interface, without a slash at the end. */
  readonly url: string;
  /** As a configuration says it. */
  readonly auth: AuthorizationConfig;
  /** Tokens given so far. */
  readonly given: number;
  /** What the FHIR interface was asked, with the token's number; 0: with none that counts. */
  readonly asked: readonly string[];
  /** What the token server does with who asks for one. */
  tokens: "given" | "invalid_client" | "503";
  /** What was given before counts no more. */
  withdraw(): void;
  close(): Promise<void>;
}

/** `answer`: what the FHIR interface says to who has a token that counts. */
export const guardedServer = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<GuardedServer> => {
  const { privateKey, publicKey } = await generateKeyPair("ES384", { extractable: true });
  const folder = await mkdtemp(join(tmpdir(), "afferent-key-"));
  const keyFile = join(folder, "key.pem");
  await writeFile(keyFile, await exportPKCS8(privateKey));
  const asked: string[] = [];
  let [given, firstValid] = [0, 1];
  const give = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    await jwtVerify(form.get("client_assertion") ?? "", publicKey, { audience: `${server.url}/token` });
    if (self.tokens === "503") return void response.writeHead(503).end();
    if (self.tokens === "invalid_client") return void response.writeHead(400).end('{"error":"invalid_client"}');
    given++;
    response.end(JSON.stringify({ access_token: `t${given}`, token_type: "bearer", expires_in: 300 }));
  };
  const server = await answering((request, response) => {
    if (request.url === "/token") return void give(request, response).catch(() => response.writeHead(400).end());
    const number = Number(/^Bearer t(\d+)$/.exec(request.headers.authorization ?? "")?.[1] ?? 0);
    const counts = number >= firstValid;
    asked.push(`${counts ? number : 0} ${request.url?.replace(/\?.*/, "")}`);
    if (counts) answer(request, response);
    else response.writeHead(401).end();
  });
  const auth = authorizationShape.parse({
    kind: "smart",
    tokenUrl: `${server.url}/token`,
    clientId: "afferent",
    keyFile,
    algorithm: "ES384",
  });
  const self: GuardedServer = {
    url: `${server.url}/fhir`,
    auth,
    get given() {
      return given;
    },
    asked,
    tokens: "given",
    withdraw() {
      firstValid = given + 1;
    },
    async close() {
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return self;
};
