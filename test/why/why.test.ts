/** "Why was this (not) promoted?" asked of a whole ward's log: the answers are kept as golden files, read by people (UPDATE_GOLDEN=1 writes them). */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  decisions,
  deliveries,
  episodes as episodeTopic,
  events,
  outbox,
  raw,
  tasks,
  vitals,
  windows as windowTopic,
} from "../../schemas/topics.ts";
import type { NoEvent, Trace } from "../../schemas/why.ts";
import { partitionOf } from "../../streams/core/hash.ts";
import type { Log, Reader } from "../../streams/log/log.ts";
import { type Asked, linesOf, whyOf } from "../../streams/roles/why.ts";
import { Ledger } from "../../streams/roles/why/ledger.ts";
import { type Afternoon, anAfternoon, type Bed, beds, linkOf, startMs } from "./afternoon.ts";

/** Where a record stands changes with every record more; that it stands where the trace says is tested apart. */
const withoutOffsets = (text: string): string =>
  text.replace(/((?:telemetry|clinical)\.[a-z.]+\/\d)\/\d+/g, "$1/#").replace(/"offset": \d+/g, '"offset": "#"');

const golden = (name: string, text: string): string => {
  const file = join(import.meta.dirname, "golden", name);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  return existsSync(file) ? readFileSync(file, "utf8") : `${name} is missing`;
};

const followed = [vitals, windowTopic, episodeTopic];
const isTrace = (answer: Trace | NoEvent): answer is Trace => "identity" in answer;
const during = ({ device }: Bed): Asked => ({
  device,
  atMs: startMs + (device === beds.beside.device ? 190_000 : 100_000),
});
const text = (answer: Trace | NoEvent): string => withoutOffsets(`${linesOf(answer).join("\n")}\n`);

/** The same log, with a note of each partition of which something was read that is older than a stamp (ms). */
const noting = (log: Log, beforeMs: number, read: Set<string>): Log =>
  Object.assign(Object.create(log) as Log, {
    bounds: log.bounds.bind(log),
    firstSince: log.firstSince.bind(log),
    reader: async (topic: string, partition: number, from: number): Promise<Reader> => {
      const reader = await log.reader(topic, partition, from);
      return {
        close: () => reader.close(),
        next: async (waitMs) => {
          const records = await reader.next(waitMs);
          if (records.some(({ stampMs }) => stampMs < beforeMs)) read.add(`${topic}/${partition}`);
          return records;
        },
      };
    },
  } satisfies Partial<Log>);

describe("why", () => {
  let afternoon: Afternoon;
  const ask = (asked: Asked): Promise<Trace | NoEvent> => whyOf(asked, { ...afternoon, speed: 1 });
  const traced = async (asked: Asked): Promise<Trace> => {
    const answer = await ask(asked);
    if (!isTrace(answer)) throw new Error(answer.says);
    return answer;
  };

  beforeAll(async () => {
    afternoon = await anAfternoon();
  });

  it.each([
    ["promoted", beds.promoted, "promoted"],
    ["refused-approved-threshold", beds.unapproved, "refused"],
    ["refused-well-formed", beds.uncoded, "refused"],
    ["refused-validated-patient", beds.unconfirmed, "refused"],
    ["refused-consented", beds.denied, "refused"],
    ["refused-precedence", beds.beside, "refused"],
  ] as const)("tells the whole way of one that was %s", async (name, bed, standing) => {
    const trace = await traced(during(bed));
    expect(trace.missing).toEqual([]);
    expect(trace.patients.flatMap(({ destinations }) => destinations.map((one) => one.standing))).toEqual([standing]);
    expect(text(trace)).toBe(golden(`${name}.txt`, text(trace)));
  });

  it("says the same as JSON", async () => {
    const trace = await traced(during(beds.promoted));
    const json = withoutOffsets(`${JSON.stringify(trace, null, 2)}\n`);
    expect(json).toBe(golden("promoted.json", json));
  });

  it("names the places at which the records stand", async () => {
    const { reading, measurement, windows, episodes } = await traced(during(beds.promoted));
    const { log, wire } = afternoon;
    const ledger = new Ledger(log, wire);
    for (const found of [measurement, ...windows, ...episodes]) {
      const topic = followed.find(({ name }) => name === found?.at.topic) ?? raw;
      const page = await ledger.at(topic, found?.at.partition ?? -1, found?.at.offset ?? -1);
      expect(page?.body).toEqual(found?.body);
    }
    const sent = await ledger.at(raw, reading?.at.partition ?? -1, reading?.at.offset ?? -1);
    expect(sent?.body).toMatchObject({ kind: "reading", device: beds.promoted.device });
  });

  it("finds an event by its identity, by the beginning of it, and by the resource that it became", async () => {
    const { identity, patients } = await traced(during(beds.promoted));
    const resource = patients[0]?.destinations[0]?.decisions[0]?.intent?.resourceId ?? "none";
    for (const id of [identity, identity.slice(0, 8), resource, `Observation/${resource}`])
      expect((await traced({ id })).identity).toBe(identity);
  });

  it("refuses an id that nothing has, and one that is too short", async () => {
    await expect(ask({ id: "ffffffffffff" })).rejects.toMatchObject({ code: "event-unknown" });
    await expect(ask({ id: "5" })).rejects.toMatchObject({ code: "event-unknown" });
  });

  it("tells what was measured where nothing became an event", async () => {
    const answer = await ask({ device: beds.promoted.device, atMs: startMs + 20_000 });
    expect(text(answer)).toBe(golden("no-event.txt", text(answer)));
  });

  it("says that it knows nothing of a device that never sent", async () => {
    const answer = await ask({ device: "mon-99", atMs: startMs + 20_000 });
    expect(isTrace(answer) ? "an event" : answer.says).toContain("nothing is known of this device");
  });

  it("reads of what is days older only the patient's consents, and tells the same", async () => {
    const { log, ...rest } = await anAfternoon({ daysBefore: 2 });
    const asked = during(beds.promoted);
    const older = async (speed: number): Promise<readonly string[]> => {
      const read = new Set<string>();
      const answer = await whyOf(asked, { ...rest, log: noting(log, startMs - 3_600_000, read), speed });
      expect(text(answer)).toBe(golden("promoted.txt", text(answer)));
      return [...read].toSorted();
    };
    const consents = `${events.name}/${partitionOf("pk-mon-01", events.partitions)}`;
    expect(await older(1)).toEqual([consents]);
    // the log's stamps say nothing of the time of a ward that runs faster
    expect((await older(60)).map((place) => place.replace(/\/\d$/, ""))).toEqual(
      expect.arrayContaining([decisions, outbox, deliveries, tasks].map(({ name }) => name)),
    );
  });

  it("tells the way of one whose link was found wrong afterwards", async () => {
    const wrong = {
      ...linkOf(beds.promoted),
      revision: 2,
      voided: true,
      cause: "nurse-4 by the API: wrong wristband",
    };
    const answer = await whyOf(during(beds.promoted), { ...(await anAfternoon({ revisions: [wrong] })), speed: 1 });
    if (!isTrace(answer)) throw new Error(answer.says);
    expect(answer.patients.flatMap(({ destinations }) => destinations.map((one) => one.standing))).toEqual([
      "retracted",
    ]);
    expect(text(answer)).toBe(golden("retracted.txt", text(answer)));
  });
});
