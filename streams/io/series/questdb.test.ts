import type { IncomingMessage, RequestListener } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { type Answering, answering } from "../answering.fixture.ts";
import { questdbSeries } from "./questdb.ts";
import { heartRates } from "./rows.fixture.ts";
import { tables } from "./tables.ts";

const servers: Answering[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const serving = async (answer: RequestListener): Promise<string> => {
  const server = await answering(answer);
  servers.push(server);
  return server.url;
};

/** As QuestDB describes the four tables that the store has just created. */
const describeTable = (request: IncomingMessage): object => {
  const sql = new URL(request.url ?? "", "http://x").searchParams.get("query") ?? "";
  const name = /table_columns\('(\w+)'\)/.exec(sql)?.[1];
  if (name === undefined) return { ddl: "OK" };
  const types = { symbol: "SYMBOL", text: "VARCHAR", int: "INT", long: "LONG", double: "DOUBLE", doubles: "DOUBLE[]" };
  const typeOf = { ...types, boolean: "BOOLEAN", time: "TIMESTAMP" };
  const { columns, keys } = tables[name as "vitals"];
  const rows = columns.map((column) => [column.name, typeOf[column.type], keys.includes(column.name)]);
  return {
    columns: [{ name: "column" }, { name: "type" }, { name: "upsertKey" }],
    dataset: [["ts", "TIMESTAMP", true], ...rows],
  };
};

/** A server that has the tables and answers writes as it is told. */
const answeringWrites = (answer: RequestListener): Promise<string> =>
  serving((request, response) => {
    if (request.url?.startsWith("/write")) answer(request, response);
    else response.end(JSON.stringify(describeTable(request)));
  });

const writing = async (answer: RequestListener, timeoutMs = 5_000): Promise<unknown> => {
  const store = await questdbSeries({ url: await answeringWrites(answer), timeoutMs });
  return store.write({ vitals: heartRates(3) });
};
const status =
  (code: number, text = ""): RequestListener =>
  (request, response) =>
    void request.resume().on("end", () => response.writeHead(code).end(text));

describe("a QuestDB in trouble", () => {
  it("has the rows once it has said 204", async () => {
    await expect(writing(status(204))).resolves.toBeUndefined();
  });

  it("is unavailable, to be tried again, when nobody listens, when it hangs up and when it has an error of its own", async () => {
    const away = { code: "store-unavailable", retry: true };
    await expect(questdbSeries({ url: "http://127.0.0.1:1" })).rejects.toMatchObject(away);
    await expect(writing((request) => void request.socket.destroy())).rejects.toMatchObject(away);
    await expect(writing(status(503, "starting"))).rejects.toMatchObject(away);
    await expect(writing(status(200, "not what a write is answered with"))).rejects.toMatchObject(away);
  });

  it("is not waited for longer than a request may take", async () => {
    const before = performance.now();
    await expect(writing(() => undefined, 100)).rejects.toMatchObject({ code: "store-unavailable", retry: true });
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it("refuses in its own words what it can't take, and is not asked again", async () => {
    await expect(writing(status(400, "cast error in line 2"))).rejects.toMatchObject({
      code: "store-refused",
      retry: false,
      message: expect.stringContaining("cast error in line 2"),
    });
  });
});
