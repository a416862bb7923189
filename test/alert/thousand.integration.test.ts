/**
 * A thousand critical alarms of every shape on the full stack, with everything killed but the broker and the circuit, and the circuit killed
 * too: a receiver that is nobody's friend must have each of them, right, once, and in time. One notifier hangs throughout. The same by the
 * listener: front-door.integration.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noRecordings, skipped } from "../../streams/sim/recordings/recordings.fixture.ts";
import { sharedStack } from "../stack.ts";
import { playThousand, type Ran, wholeCourse as course } from "./thousand-run.ts";
import {
  byShape,
  delaysWhenWarm,
  delayTable,
  paired,
  quantile,
  toldBeside,
  untold,
  wronglyTold,
} from "./thousand-told.ts";

const story = { timeout: 420_000 };

describe("a thousand critical alarms while all else is dead", story, () => {
  let ran: Ran;

  beforeAll(async () => {
    ran = await playThousand(sharedStack(), "broker", course);
  }, story.timeout);

  afterAll(() => ran?.close(), story.timeout);

  it("are each told to an independent receiver, with bed, event, priority, value and onset", () => {
    const all = paired(ran);
    process.stdout.write(`${byShape(all)}\ncircuit ready after ${ran.readyAfterMs.join(" and ")} ms\n`);
    expect(all.pairs.length).toBeGreaterThanOrEqual(1_000);
    expect(untold(all)).toEqual([]);
    expect(wronglyTold(all)).toEqual([]);
  });

  it.skipIf(noRecordings)(`among them what recorded monitors alarmed, true or false${skipped}`, () => {
    const recorded = paired(ran).pairs.filter(([{ shape }]) => shape.startsWith("recorded"));
    expect(Map.groupBy(recorded, ([{ shape }]) => shape).size).toBe(2);
    expect(recorded.length).toBeGreaterThanOrEqual(10);
    expect(recorded.filter(([, arrival]) => arrival === undefined)).toEqual([]);
  });

  it("and none that nobody expects; what comes twice has one id", () => {
    process.stdout.write(`repeats with the same id: ${ran.receiver.repeats()}\n`);
    expect(toldBeside(paired(ran))).toEqual([]);
  });

  it("in time", () => {
    const all = paired(ran);
    process.stdout.write(`${delayTable(all, ran, course)}\n`);
    const delays = delaysWhenWarm(all, ran, course);
    expect(quantile(delays, 0.99)).toBeLessThan(2_000);
    expect(delays.at(-1)).toBeLessThan(5_000);
  });
});
