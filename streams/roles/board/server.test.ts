import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BoardView, SampleView } from "../../../schemas/board.ts";
import * as topics from "../../../schemas/topics.ts";
import { OperatingError } from "../../core/failure.ts";
import type { AnyTopic } from "../../core/stage.ts";
import { logTime } from "../../core/time.ts";
import type { Body } from "../../core/topic.ts";
import type { Wire } from "../../core/wire.ts";
import { localRegistry } from "../../io/registry/local.ts";
import { openWire } from "../../io/registry/wire.ts";
import type { Log } from "../../log/log.ts";
import { memoryLog } from "../../log/memory.ts";
import { association, decision, delivery, deviceState, episode, measurement, noon } from "./entries-fixture.ts";
import { followedTopics } from "./follow.ts";
import { type Board, startBoard } from "./server.ts";

const all: readonly AnyTopic[] = [...followedTopics, topics.raw];

interface Ward {
  readonly log: Log;
  readonly wire: Wire;
  say(topic: AnyTopic, body: Body, at?: number): Promise<void>;
}

const openWard = async (): Promise<Ward> => {
  const log = memoryLog();
  await log.ensure(all);
  const wire = await openWire(localRegistry(":memory:"), all);
  const appender = await log.appender("ward");
  return {
    log,
    wire,
    say: (topic, body, at = noon) => {
      const value = wire.encode(topic, { position: null, logTime: logTime(at), body });
      return appender.append([{ topic: topic.name, partition: 0, key: "s-7", value }]);
    },
  };
};

/** Waits for what must come to be; fails after five seconds. */
const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
  for (let i = 0; i < 100; i++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error("it did not come to be within 5 s");
};

describe("the board's server", () => {
  let ward: Ward;
  let board: Board | undefined;
  const pages = mkdtempSync(join(tmpdir(), "afferent-board-"));
  writeFileSync(join(pages, "index.html"), "<title>Afferent</title>");

  beforeEach(async () => {
    ward = await openWard();
  });
  afterAll(() => rmSync(pages, { recursive: true, force: true }));
  afterEach(async () => {
    await board?.close();
    board = undefined;
  });

  const open = async (options: Partial<Parameters<typeof startBoard>[0]> = {}): Promise<string> => {
    const { log, wire } = ward;
    const stages = [{ name: "normalise", reads: topics.raw }];
    const given = {
      port: 0,
      host: "127.0.0.1",
      log,
      wire,
      stages,
      rawTopics: [topics.raw],
      wardName: "ICU",
      speed: 1,
      pages,
    };
    board = await startBoard({ ...given, ...options });
    return board.url;
  };
  const view = async (url: string): Promise<BoardView> =>
    (await fetch(`${url}/api/board`)).json() as Promise<BoardView>;

  it("shows what the log held before it started, measurements at their beds", async () => {
    await ward.say(topics.vitals, measurement(noon, 72));
    await ward.say(topics.vitals, { kind: "tick" }, noon + 1000);
    await ward.say(topics.episodes, association());
    await ward.say(topics.episodes, episode());
    await ward.say(topics.decisions, decision());
    await ward.say(topics.deliveries, delivery());
    const url = await open();
    const seen = await until(async () => {
      const now = await view(url);
      return now.beds[0]?.vitals.length === 1 ? now : undefined;
    });
    expect(seen.logTime).toBe(noon + 1000);
    expect(seen.beds[0]).toMatchObject({ bed: "bed-07", openEpisodes: [{ identity: "e-1" }] });
    expect(seen.decisions[0]).toMatchObject({ promoted: true, delivery: { outcome: "written" } });
    expect(await (await fetch(`${url}/api/series?bed=bed-07&minutes=10`)).json()).toEqual([
      { metric: "heartRate", at: noon, value: 72 },
    ]);
  });

  it("sends what comes later, of the bed that was asked for", async () => {
    await ward.say(topics.episodes, association());
    const url = await open();
    await until(async () => ((await view(url)).beds.length === 1 ? true : undefined));
    const stream = await fetch(`${url}/api/stream?bed=bed-07`);
    expect(stream.headers.get("content-type")).toContain("text/event-stream");
    await ward.say(topics.vitals, measurement(noon + 1000, 75));
    let text = "";
    const decoder = new TextDecoder();
    for await (const part of stream.body ?? []) {
      text += decoder.decode(part, { stream: true });
      if (/event: samples\ndata: .*\n\n/.test(text)) break;
    }
    const samples = JSON.parse(/event: samples\ndata: (.*)\n\n/.exec(text)?.[1] ?? "[]") as SampleView[];
    expect(samples).toEqual([{ metric: "heartRate", at: noon + 1000, value: 75 }]);
    expect(text).toContain("event: board\n");
  });

  it("joins the store's series with what it has seen itself, each sample once; without the store it has its own", async () => {
    await ward.say(topics.episodes, association());
    await ward.say(topics.vitals, measurement(noon, 72));
    const stored: SampleView[] = [noon - 2000, noon - 1000, noon].map((at) => ({ metric: "heartRate", at, value: 70 }));
    let asked: readonly string[] = [];
    const url = await open({
      series: {
        recent: async (devices) => {
          asked = devices;
          if (devices.length === 0) throw new OperatingError("store-unavailable", "away", { retry: true });
          return stored;
        },
      },
    });
    await until(async () => ((await view(url)).beds[0]?.vitals.length === 1 ? true : undefined));
    const series = (bed: string): Promise<SampleView[]> =>
      fetch(`${url}/api/series?bed=${bed}`).then((r) => r.json() as Promise<SampleView[]>);
    expect((await series("bed-07")).map(({ at, value }) => [at - noon, value])).toEqual([
      [-2000, 70],
      [-1000, 70],
      [0, 72],
    ]);
    expect(asked).toEqual(["mon-07"]);
    expect(await series("no-such-bed")).toEqual([]);
  });

  it("shows a partition that can't be read, goes on with the others, and reads on where it stood", async () => {
    let away = true;
    const { log } = ward;
    const flaky: Log = Object.assign(Object.create(log) as Log, {
      ensure: log.ensure.bind(log),
      progress: log.progress.bind(log),
      bounds: log.bounds.bind(log),
      reader: async (topic: string, partition: number, from: number | "start" | "end") => {
        if (away && topic === topics.decisions.name && partition === 0)
          throw new OperatingError("log-unavailable", "the log is away", { retry: true });
        return log.reader(topic, partition, from);
      },
    });
    const faults: string[] = [];
    await ward.say(topics.episodes, association());
    await ward.say(topics.decisions, decision());
    const url = await open({ log: flaky, onFault: (what, code) => faults.push(`${what} ${code}`) });
    const broken = await until(async () => {
      const now = await view(url);
      return now.attention.some(({ what }) => what.includes("clinical.decisions/0")) ? now : undefined;
    });
    expect(broken.decisions).toEqual([]);
    expect(faults).toContain("clinical.decisions/0 log-unavailable");
    away = false;
    const mended = await until(async () => {
      const now = await view(url);
      return now.decisions.length === 1 ? now : undefined;
    });
    expect(mended.attention.filter(({ what }) => what.includes("decisions"))).toEqual([]);
  });

  it("passes over a record that can't be decoded", async () => {
    const appender = await ward.log.appender("vandal");
    await appender.append([{ topic: topics.vitals.name, partition: 0, key: "", value: new Uint8Array([1, 2, 3]) }]);
    await ward.say(topics.vitals, deviceState());
    const url = await open();
    await until(async () => ((await view(url)).beds.length === 1 ? true : undefined));
  });

  it("shows how far a stage is behind", async () => {
    const appender = await ward.log.appender("ingest");
    await appender.append(
      Array.from({ length: 5 }, () => ({ topic: topics.raw.name, partition: 0, key: "", value: new Uint8Array(1) })),
    );
    await ward.log.report("normalise", topics.raw.name, 0, 2);
    const url = await open();
    const seen = await until(async () => {
      const now = await view(url);
      return now.stages[0]?.lagEntries === 3 ? now : undefined;
    });
    expect(seen.totals.received).toBe(5);
  });

  it("serves the page and its data with headers that keep them here", async () => {
    const url = await open({ registry: new Registry() });
    for (const path of ["/", "/api/board", "/healthz", "/metrics"]) {
      const { status, headers } = await fetch(url + path);
      expect([path, status]).toEqual([path, 200]);
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
    expect((await fetch(`${url}/api/board`)).headers.get("cache-control")).toBe("no-store");
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('afferent_stage_lag_entries{stage="normalise"}');
    expect(text).toContain("# TYPE afferent_board_devices gauge");
    expect((await fetch(`${url}/..%2f..%2fetc%2fhostname`)).status).toBe(404);
  });

  it("answers to no foreign host name, so that no web page can rebind one to it", async () => {
    const { port } = new URL(await open());
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path: "/api/board", headers: { host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(421);
  });

  it("says what to do when the page has not been built, and when the port is taken", async () => {
    await expect(open({ pages: join(pages, "missing") })).rejects.toMatchObject({ code: "page-not-built" });
    const { port } = new URL(await open());
    const first = board;
    await expect(open({ port: Number(port) })).rejects.toMatchObject({ code: "port-unavailable" });
    board = first;
  });

  it("closes while pages are open", async () => {
    const url = await open();
    const stream = await fetch(`${url}/api/stream?bed=`);
    const started = Date.now();
    await board?.close();
    board = undefined;
    await expect(stream.text()).rejects.toThrow();
    expect(Date.now() - started).toBeLessThan(3_000);
  });
});
