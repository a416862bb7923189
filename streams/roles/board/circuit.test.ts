import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { CircuitView } from "../../../schemas/board.ts";
import { attention } from "./attention.ts";
import { type FollowedCircuit, followCircuit } from "./circuit.ts";

const noon = 1_800_000_000_000;

const page = (identity: string, more: object = {}): object => ({
  kind: "page",
  identity,
  revision: 2,
  unit: "ICU",
  bed: "4",
  bedSince: noon - 3_600_000,
  bedConfirmed: true,
  device: "mon-04",
  event: "asystole",
  alertType: "physiological",
  text: "asystole",
  priority: "high",
  onset: noon - 40_000,
  alarms: ["a"],
  state: "escalating",
  latched: false,
  step: 0,
  lastResort: false,
  nextAt: noon + 20_000,
  acceptedBy: null,
  responsibilities: [{ recipient: "nurse-1", state: "pending", since: noon - 40_000 }],
  raisedAt: noon - 40_000,
  overAt: null,
  test: false,
  ...more,
});

const statusOf = (openPages: readonly object[], more: object = {}): object => ({
  now: noon,
  audit: [],
  down: [],
  modes: [],
  banner: null,
  openPages,
  nuisance: [
    {
      unit: "ICU",
      bed: "4",
      source: "rule",
      what: "spo2-low",
      alarms: 29,
      durationMs: 70_000,
      delayMs: 435_000,
      selfEnded: 27,
    },
  ],
  waiting: { low: 0, medium: 0, high: 0 },
  ...more,
});

describe("the alert circuit as the board sees it", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const serve = async (answer: () => string | number): Promise<{ server: Server; url: string }> => {
    const server = createServer((_, response) => {
      const said = answer();
      if (typeof said === "number") response.writeHead(said).end();
      else response.end(said);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(async () => void server.close());
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };

  const followed = (url: string): FollowedCircuit => {
    const stop = new AbortController();
    const circuit = followCircuit(url, Date.now, stop.signal);
    closing.push(async () => {
      stop.abort();
      await circuit.done;
    });
    return circuit;
  };

  const until = async (look: () => boolean): Promise<void> => {
    for (let i = 0; i < 100 && !look(); i++) await sleep(20);
    if (!look()) throw new Error("it did not come to be within 2 s");
  };

  it("shows its open pages, the gravest and the unaccepted first, without what is over or a test", async () => {
    const { url } = await serve(() =>
      JSON.stringify(
        statusOf([
          page("battery", { priority: "low" }),
          page("taken", { state: "accepted", acceptedBy: "nurse-1", onset: noon - 90_000 }),
          page("arrest"),
          page("beat", { test: true }),
          page("past", { state: "over" }),
        ]),
      ),
    );
    const circuit = followed(url);
    await until(() => circuit.view(Date.now()).open > 0);
    const view = circuit.view(Date.now());
    expect(view.alarms.map(({ identity }) => identity)).toEqual(["arrest", "taken", "battery"]);
    expect(view.alarms[0]).toMatchObject({ bed: "4", bedSince: noon - 3_600_000, told: [{ recipient: "nurse-1" }] });
    expect(view).toMatchObject({ silent: null, banner: null, failures: [], open: 3 });
    expect(view.nuisance).toMatchObject([{ what: "spo2-low", alarms: 29, selfEnded: 27 }]);
  });

  it("says what the circuit says of itself: its banner, and what its audit finds", async () => {
    const banner = { text: "Pages may be late.", priority: "medium" };
    const audit = [{ check: "intake", detail: "no messages can come in" }];
    const { url } = await serve(() => JSON.stringify(statusOf([], { banner, audit })));
    const circuit = followed(url);
    await until(() => circuit.view(Date.now()).banner !== null);
    expect(circuit.view(Date.now())).toMatchObject({ banner, failures: ["no messages can come in"] });
  });

  it("once it does not answer, says so with since when and why, keeps what was known, and tells people what to do", async () => {
    const { server, url } = await serve(() => JSON.stringify(statusOf([page("arrest")])));
    const circuit = followed(url);
    await until(() => circuit.view(Date.now()).open > 0);
    const answeredBy = Date.now();
    await new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
    await sleep(1_200); // asked again, in vain
    const later = Date.now() + 10_000;
    const view = circuit.view(later);
    expect(view.silent?.why).toBe("ECONNREFUSED");
    expect(view.silent?.since).toBeLessThanOrEqual(answeredBy + 1_200);
    expect(view.alarms.map(({ identity }) => identity)).toEqual(["arrest"]);
    expect(view.now - noon).toBeGreaterThan(10_000);
    expect(view.banner).toMatchObject({ priority: "high", text: expect.stringMatching(/ALARM PAGING IS DOWN/) });
    expect(itemsOf(view)).toMatchObject([
      { identity: "circuit silent", priority: "high", wall: true, since: view.silent?.since },
    ]);
  });

  it.each([
    ["an error", 503, "it answers 503"],
    ["no JSON", "<html>", "what it answers is no JSON"],
    ["pages of another shape", JSON.stringify(statusOf([{ identity: 7 }])), /not understood: openPages\.0\./],
  ] as const)("to answer with %s is not to answer", async (_, answer, why) => {
    const { url } = await serve(() => answer);
    const circuit = followed(url);
    await until(() => circuit.view(Date.now() + 5_000).silent?.why !== "not asked yet");
    const view = circuit.view(Date.now() + 5_000);
    expect(view.silent?.why).toMatch(why);
    expect(view).toMatchObject({ now: 0, alarms: [], open: 0 });
  });
});

const itemsOf = (circuit: CircuitView) =>
  attention({ logTime: noon, beds: [], unplaced: [], faults: [], defects: [], stalledSince: null, circuit });
