/** A FHIR server of Consents for tests: searches, pages, deletes, and fails in each way that one can. It takes Observations too. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

type Json = Record<string, unknown>;
/** `forgetful`: searches find nothing, though what there is can be read. */
export type Failing = "no" | "garbage" | "html" | "503" | "401" | "hangs" | "drips" | "drops" | "forgetful" | "empty";

export interface ConsentServer {
  readonly url: string;
  failing: Failing;
  /** Adds or changes one; `updatedMs`: what its `lastUpdated` says, if not the server's next second. */
  put(json: Json, updatedMs?: number): void;
  remove(id: string): void;
  /** When each Observation came in, and for whom. */
  readonly written: { readonly at: number; readonly subject: string }[];
  /** An Observation is answered after so long. */
  writeMs: number;
  readonly searches: string[];
  close(): Promise<void>;
}

const pageSize = 2;
const contentType = { "content-type": "application/fhir+json" };

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
};

export const consentServer = async (): Promise<ConsentServer> => {
  const consents = new Map<string, { readonly json: Json; readonly updatedMs: number }>();
  const observations = new Map<string, Json>();
  let clock = Date.UTC(2026, 10, 21, 13);
  const self = {
    failing: "no" as Failing,
    written: [] as ConsentServer["written"],
    writeMs: 0,
    searches: [] as string[],
  };

  const found = (query: URLSearchParams): Json[] => {
    const since = Date.parse(query.get("_lastUpdated")?.slice(2) ?? "1970-01-01T00:00:00Z");
    const ids = query.get("_id")?.split(",");
    const patients = query.get("patient")?.split(",");
    return [...consents]
      .filter(([id, { json, updatedMs }]) => {
        const reference = (json["patient"] as { reference?: string } | undefined)?.reference;
        return updatedMs >= since && (ids?.includes(id) ?? true) && (patients?.includes(reference ?? "nobody") ?? true);
      })
      .sort(([, a], [, b]) => a.updatedMs - b.updatedMs)
      .map(([, { json }]) => json);
  };
  const search = (url: URL, host: string): Json => {
    const all = self.failing === "empty" || self.failing === "forgetful" ? [] : found(url.searchParams);
    const from = Number(url.searchParams.get("_offset") ?? 0);
    const next = new URL(url);
    next.host = host;
    next.searchParams.set("_offset", String(from + pageSize));
    return {
      resourceType: "Bundle",
      type: "searchset",
      ...(from + pageSize < all.length && { link: [{ relation: "next", url: next.href }] }),
      entry: all.slice(from, from + pageSize).map((resource) => ({ resource, search: { mode: "match" } })),
    };
  };
  const fail = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    switch (self.failing) {
      case "garbage":
        response
          .writeHead(200, contentType)
          .end('{"resourceType":"Bundle","type":"searchset","entry":[{"resource":42}]}');
        return true;
      case "html":
        response.writeHead(200, { "content-type": "text/html" }).end("<html>log in</html>");
        return true;
      case "503":
      case "401":
        response.writeHead(Number(self.failing)).end();
        return true;
      case "hangs":
        return true;
      case "drips":
        response.writeHead(200, contentType);
        while (!response.destroyed) {
          response.write(" ");
          await sleep(20);
        }
        return true;
      case "drops":
        request.socket.destroy();
        return true;
      default:
        return false;
    }
  };
  const observe = async (id: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === "GET") {
      const known = observations.get(id);
      response
        .writeHead(known === undefined ? 404 : 200, { ...contentType, etag: 'W/"1"' })
        .end(JSON.stringify(known ?? {}));
      return;
    }
    const json = JSON.parse(await bodyOf(request)) as Json;
    self.written.push({ at: performance.now(), subject: (json["subject"] as { reference: string }).reference });
    await sleep(self.writeMs);
    observations.set(id, { ...json, meta: { ...(json["meta"] as Json), versionId: "1" } });
    response.writeHead(201, { ...contentType, etag: 'W/"1"' }).end(JSON.stringify(observations.get(id)));
  };
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
      const [, , type, id] = url.pathname.split("/");
      if (type === "Observation" && id !== undefined) return observe(id, request, response);
      if (type === "metadata") {
        response.writeHead(200, contentType).end('{"resourceType":"CapabilityStatement"}');
        return;
      }
      self.searches.push(url.search);
      if (await fail(request, response)) return;
      if (id === undefined) {
        response.writeHead(200, contentType).end(JSON.stringify(search(url, request.headers.host ?? "")));
        return;
      }
      const there = self.failing === "empty" ? undefined : consents.get(id);
      response.writeHead(there === undefined ? 410 : 200, contentType).end(JSON.stringify(there?.json ?? {}));
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(self, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
    put(json: Json, told?: number) {
      if (told === undefined) clock += 1_000;
      const updatedMs = told ?? clock;
      const meta = { lastUpdated: new Date(updatedMs).toISOString(), versionId: String(updatedMs) };
      consents.set(String(json["id"]), { json: { ...json, meta }, updatedMs });
    },
    remove: (id: string) => void consents.delete(id),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
};
