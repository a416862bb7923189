/** How people answer: by command line, webhook and MQTT, and how a device is made to stand by. */
import { afterEach, describe, expect, it } from "vitest";
import type { Page } from "../../../schemas/records/alert.ts";
import { eventTime, logTime } from "../../core/time.ts";
import { openAnswers } from "./answers.ts";
import { openOutboxDatabase } from "./outbox.ts";
import { Pages } from "./pages.ts";
import type { Word } from "./words.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

const escalating: Page = {
  kind: "page",
  identity: "a1b2c3d4e5",
  revision: 0,
  unit: "icu",
  bed: "icu-3",
  bedSince: 500,
  bedConfirmed: true,
  device: "mon-01",
  event: "asystole",
  alertType: "physiological",
  text: "asystole",
  priority: "high",
  onset: eventTime(1_000),
  alarms: ["alarm-1"],
  state: "escalating",
  latched: false,
  step: 0,
  lastResort: false,
  nextAt: logTime(61_000),
  acceptedBy: null,
  responsibilities: [{ recipient: "nurse-1", state: "pending", since: logTime(1_000) }],
  raisedAt: logTime(1_000),
  overAt: null,
  test: false,
};

const open = () => {
  const db = openOutboxDatabase(":memory:");
  closing.push(() => db.close());
  const pages = new Pages(db);
  const said: { readonly unit: string; readonly word: Word }[] = [];
  const counted: string[] = [];
  const answers = openAnswers({
    pages,
    words: {
      say: async (words) => {
        said.push(...words);
      },
      close: async () => undefined,
    },
    now: () => 5_000,
    isKnown: (who) => who === "nurse-1",
    unitOf: (device) => (device === "mon-01" ? "icu" : undefined),
    onAnswer: (via, outcome) => counted.push(`${via}: ${outcome}`),
  });
  const mqtt = (mqttTopic: string, text: string, how: { readonly dup?: boolean; readonly retained?: boolean } = {}) =>
    answers.received({
      mqttTopic,
      payload: Buffer.from(text),
      session: "handheld",
      dup: false,
      qos: 1,
      retained: false,
      ...how,
    });
  return { pages, answers, said, counted, mqtt };
};

describe("an answer", () => {
  it("goes to the log under the page's unit, the page named by the beginning of its id", async () => {
    const { pages, answers, said } = open();
    pages.put(escalating);
    const taken = await answers.take({ page: "a1b2", who: "nurse-1", what: "accept" }, "command line");
    expect(taken).toMatchObject({ ok: true, value: { identity: "a1b2c3d4e5" } });
    const word = { kind: "answer", page: "a1b2c3d4e5", who: "nurse-1", what: "accept", at: 5_000, via: "command line" };
    expect(said).toMatchObject([{ unit: "icu", word }]);
  });

  it.each([
    ["nobody", { page: "a1b2c3d4e5", what: "accept" }, "nobody"],
    ["somebody without a name", { page: "a1b2c3d4e5", who: "  ", what: "accept" }, "nobody"],
    ["somebody whom the policy does not know", { page: "a1b2c3d4e5", who: "eve", what: "accept" }, "nobody"],
    ["a page that does not exist", { page: "ffff", who: "nurse-1", what: "accept" }, "page-unknown"],
    ["too short a beginning", { page: "a", who: "nurse-1", what: "accept" }, "page-unknown"],
    ["a beginning that two pages have", { page: "a1b2", who: "nurse-1", what: "accept" }, "page-ambiguous"],
    ["a page that is over", { page: "0ver", who: "nurse-1", what: "accept" }, "page-over"],
    ["something that is no answer", { page: "a1b2c3d4e5", who: "nurse-1", what: "ignore" }, "answer-malformed"],
    ["a number", 4711, "nobody"],
    ["nothing", null, "nobody"],
  ])("of %s is refused with a reason, counted, and not said", async (_, said, reason) => {
    const opened = open();
    opened.pages.put(escalating);
    opened.pages.put({ ...escalating, identity: "a1b2ffff" });
    opened.pages.put({ ...escalating, identity: "0ver1234", state: "over", overAt: logTime(3_000) });
    expect(await opened.answers.take(said, "webhook")).toMatchObject({ ok: false, problem: { reason } });
    expect(opened.counted).toEqual([`webhook: ${reason}`]);
    expect(opened.said).toEqual([]);
  });

  it("by MQTT is his whose topic it came on, whatever it claims", async () => {
    const { pages, mqtt, said, counted } = open();
    pages.put(escalating);
    await mqtt("afferent-answers/nurse-1", JSON.stringify({ page: "a1b2c3d4e5", what: "reject", who: "eve" }));
    await mqtt("afferent-answers/eve", JSON.stringify({ page: "a1b2c3d4e5", what: "accept", who: "nurse-1" }));
    await mqtt("afferent-answers/nurse-1", "{rubbish");
    await mqtt("afferent-answers/nurse-1/more", "{}");
    await mqtt("afferent-answers", "\u0000");
    expect(said).toMatchObject([{ word: { who: "nurse-1", what: "reject", via: "mqtt" } }]);
    expect(counted).toEqual(["mqtt: reject", "mqtt: nobody", "mqtt: answer-malformed", "mqtt: nobody", "mqtt: nobody"]);
  });
});

describe("an answer that comes by MQTT", () => {
  const accept = JSON.stringify({ page: "a1b2c3d4e5", what: "accept" });

  it("and is delivered again is the same answer", async () => {
    const { pages, mqtt, said } = open();
    pages.put(escalating);
    await mqtt("afferent-answers/nurse-1", accept);
    await mqtt("afferent-answers/nurse-1", accept, { dup: true });
    await mqtt("afferent-answers/nurse-1", JSON.stringify({ page: "a1b2c3d4e5", what: "accept", again: 2 }));
    const ids = said.map(({ word }) => (word.kind === "answer" ? word.id : ""));
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(2);
  });

  it("names the whole page: no page is found by guessing how it begins", async () => {
    const { pages, mqtt, said, counted } = open();
    pages.put(escalating);
    await mqtt("afferent-answers/nurse-1", JSON.stringify({ page: "a1b2", what: "accept" }));
    expect([said, counted]).toEqual([[], ["mqtt: page-unknown"]]);
  });

  it("and was kept by the broker may be of yesterday: refused and counted", async () => {
    const { pages, mqtt, said, counted } = open();
    pages.put(escalating);
    await mqtt("afferent-answers/nurse-1", accept, { retained: true });
    expect([said, counted]).toEqual([[], ["mqtt: answer-retained"]]);
  });
});

describe("the pages", () => {
  it("keep the newest revision, whatever comes again or late", () => {
    const { pages } = open();
    const accepted: Page = { ...escalating, revision: 2, state: "accepted", acceptedBy: "nurse-1" };
    for (const page of [escalating, accepted, { ...escalating, revision: 1 }, accepted]) pages.put(page);
    expect(pages.open()).toEqual([accepted]);
    pages.put({ ...accepted, revision: 3, state: "over", overAt: logTime(9_000) });
    expect(pages.open()).toEqual([]);
    expect(pages.find(escalating.identity)?.state).toBe("over");
  });

  it("show no heartbeat, but to the audit", () => {
    const { pages } = open();
    pages.put({ ...escalating, test: true });
    expect([pages.open().length, pages.open({ tests: true }).length]).toEqual([0, 1]);
  });
});

describe("that a device stands by", () => {
  const word = { device: "mon-01", who: "nurse-1", reason: "transport to CT", minutes: 30 };

  it("is said under its unit, by name, until a time", async () => {
    const { answers, said, counted } = open();
    expect(await answers.standBy(word, "command line")).toMatchObject({ ok: true, value: { to: 1_805_000 } });
    expect(said).toMatchObject([
      {
        unit: "icu",
        word: {
          kind: "standby",
          device: "mon-01",
          by: "nurse-1",
          reason: "transport to CT",
          from: 5_000,
          to: 1_805_000,
        },
      },
    ]);
    expect(counted).toEqual(["command line: standby"]);
  });

  it.each([
    ["nobody's", { ...word, who: " " }, "nobody"],
    ["a stranger's", { ...word, who: "visitor" }, "nobody"],
    ["without a reason", { ...word, reason: " " }, "standby-malformed"],
    ["for ever", { ...word, minutes: 721 }, "standby-malformed"],
    ["of a device that is not there", { ...word, device: "mon-99" }, "device-unknown"],
    ["nothing", null, "nobody"],
  ])("%s is refused and counted", async (_, refused, reason) => {
    const { answers, said, counted } = open();
    expect(await answers.standBy(refused, "webhook")).toMatchObject({ ok: false, problem: { reason } });
    expect(said).toEqual([]);
    expect(counted).toEqual([`webhook: ${reason}`]);
  });
});
