/**
 * The circuit beside real beds: devices fall silent, talk nonsense, come back with hours of what they stored; each hop on the way to people is
 * killed in turn, and then all of them. What counts is what independent receivers hear, and after how many seconds.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../platform/watch.ts";
import { sharedStack } from "../stack.ts";
import { calm, Monitor, payloadOf, type Said, speaking } from "./bedside.ts";
import { acceptWithinMs, heart, places } from "./hops-ward.ts";
import type { Arrival, Told } from "./receiver.ts";
import { standCircuit, type StandingCircuit } from "./standing-circuit.ts";

const second = 1_000;
/** A stream's limit at 1 Hz is ten seconds; a tick and the way to people are its grace. */
const lostWithinMs = 12 * second;
/** The dead man's switch. */
const switchMs = 30 * second;

const broker = sharedStack().server("mosquitto");
let stands: StandingCircuit;
let client: MqttClient;
let beds: Readonly<Record<keyof typeof places, Monitor>>;
const closing: (() => unknown)[] = [];

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const toldOf = (device: string): readonly Arrival[] =>
  stands.people.arrivals.filter(({ told }) => told.device === device && told.what !== "test");
/** First told to whoever is at the bed. */
const starts = (device: string): readonly Arrival[] =>
  toldOf(device).filter(
    ({ told }) => told.what === "alarm" && told.phase === "start" && told.step === 0 && told.recipient === "nurse",
  );
/** A unit's loss as somebody is told of it, once it names all of these beds. */
const lost = (since: number, ...all: readonly { readonly unit: string; readonly bed: string }[]) => {
  const isLoss = ({ unit, event, what, beds: named }: Told): boolean =>
    unit === all[0]?.unit && event === "monitoringLost" && what === "alarm" && named.length === all.length;
  return heard(`the loss of ${all.map(({ bed }) => bed).join()}`, isLoss, 20 * second, since);
};
const heard = async (what: string, fits: (told: Told) => boolean, msMax: number, since = 0): Promise<Arrival> => {
  const found = (): Arrival | undefined => stands.people.arrivals.find(({ told, at }) => at >= since && fits(told));
  await until(what, () => found() !== undefined, msMax);
  return found() as Arrival;
};

const low: Said = { numerics: { HR: 35, SpO2: 97 } };
/** What a monitor stored in four hours till `now`: three things that are over, and one that is still so. */
function* fourHours(now: number): Iterable<readonly [number, Said]> {
  const is = (from: number, to: number, at: number): boolean => at >= now - from * second && at < now - to * second;
  const asystole = { code: "ASYSTOLE", since: now - 9_000 * second };
  for (let at = now - 4 * 3_600 * second; at < now; at += 4 * second)
    if (is(12_000, 11_975, at)) yield [at, { numerics: { HR: 150 } }];
    else if (is(9_000, 8_950, at)) yield [at, { numerics: { HR: 70 }, alarms: [asystole] }];
    else if (is(6_000, 5_975, at)) yield [at, { numerics: { HR: 45 } }];
    else if (is(300, 0, at)) yield [at, low];
    else yield [at, { numerics: { HR: 70 } }];
}
const delayedItems = [
  "alarm low high -300",
  "delayed asystole high -9000",
  "delayed high high -12000",
  "delayed low medium -6000",
];
const stillSo = async ({ device }: Monitor): Promise<void> => {
  const isIt = (told: Told): boolean => told.device === device && told.what === "alarm" && told.event === "low";
  await heard("what is still so", isIt, 30 * second);
  await sleep(5 * second);
};
const itemsOf = ({ device }: Monitor, now: number): readonly string[] =>
  toldOf(device)
    .filter(({ told }) => told.step === 0 && told.event !== "monitoringLost")
    .map(({ told }) => `${told.what} ${told.event} ${told.priority} ${Math.round((told.onset - now) / second)}`)
    .toSorted();

beforeAll(async () => {
  stands = await standCircuit(sharedStack());
  closing.push(stands.close);
  await stands.startCircuit();
  await stands.startWatch();
  client = await connectAsync(broker.url, { clean: true, clientId: "monitors", reconnectPeriod: 200 });
  closing.push(() => client.endAsync(true));
  const monitor = ({ device }: { readonly device: string }): Monitor => new Monitor(client, device);
  beds = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, monitor(place)])) as typeof beds;
  // their ECG is not on yet: what they stored of it comes later
  for (const monitor of [beds.late, beds.queued]) monitor.says({ numerics: { SpO2: 97 } });
  closing.push(speaking(Object.values(beds)));
  await sleep(12 * second);
});

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await broker.start();
});

describe.concurrent("at the bedside", () => {
  it("a device that falls silent, and two at once, are monitoring lost within their limit: one page names both beds", async ({
    expect,
  }) => {
    const silent = [beds.silenced, beds.twin1, beds.twin2];
    for (const monitor of silent) monitor.fallSilent();
    const one = await lost(0, places.silenced);
    const both = await lost(0, places.twin1, places.twin2);
    const after = one.at - beds.silenced.lastAt;
    const afterTwins = both.at - Math.min(beds.twin1.lastAt, beds.twin2.lastAt);
    say(`monitoring lost after ${after} ms, of two at once after ${afterTwins} ms`);
    expect(after).toBeLessThan(lostWithinMs);
    expect(afterTwins).toBeLessThan(lostWithinMs);
    expect(one.told).toMatchObject({ what: "alarm", priority: "high", bed: places.silenced.bed, recipient: "nurse" });
    expect(both.told.beds).toEqual([places.twin1.bed, places.twin2.bed]);
    const pages = new Set(
      stands.people.arrivals.filter(({ told }) => told.unit === places.twin1.unit).map(({ told }) => told.page),
    );
    expect(pages.size).toBe(1);
    for (const monitor of silent) monitor.says({});
    await heard(
      "both are watched again",
      ({ unit, what }) => unit === places.twin1.unit && what === "ended",
      5 * second,
    );
  });

  it("a new firmware's payload that nobody can read is told within the limit", async ({ expect }) => {
    beds.firmware.fallSilent();
    const since = Date.now();
    const talking = setInterval(() => beds.firmware.send(JSON.stringify({ fw: 2, vitals: { hr: 30 } })), second);
    const { told, at } = await heard("a page", ({ device }) => device === places.firmware.device, 15 * second);
    clearInterval(talking);
    say(`a new firmware's payload is told after ${at - since} ms`);
    expect(told).toMatchObject({ what: "alarm", event: "monitoringLost", bed: places.firmware.bed, priority: "high" });
    expect(at - since).toBeLessThan(lostWithinMs);
    beds.firmware.says({});
  });

  it("a device that forges the mark of a test is paged as any other", async ({ expect }) => {
    const since = Date.now();
    const asystole = { code: "ASYSTOLE", since };
    beds.forger.says({ alarms: [asystole], more: { test: true, mode: "test" } });
    const { told, at } = await heard("the forger's page", ({ device }) => device === places.forger.device, 5 * second);
    say(`a forged test is told after ${at - since} ms`);
    expect(told).toMatchObject({ what: "alarm", event: "asystole", recipient: "nurse", bed: places.forger.bed });
    beds.forger.says({});
  });

  it("whoever has not the platform's credential beats in vain, and real beats reach no person", async ({ expect }) => {
    const forged = 424_242;
    const beat = { device: heart, boot: "forged", seq: forged, time: Date.now() };
    await client.publishAsync(`afferent-platform/${heart}/alarms`, JSON.stringify(beat), { qos: 1 });
    const beats = () => stands.people.arrivals.filter(({ told }) => told.event === "heartbeat");
    const before = beats().length;
    await until("two more beats", () => beats().length >= before + 2, 15 * second);
    expect(new Set(beats().map(({ told }) => `${told.what} ${told.recipient}`))).toEqual(new Set(["test watch"]));
    expect(beats().filter(({ told }) => told.value === forged)).toEqual([]);
    const metrics = await stands.metrics("watch");
    expect(metrics.get('afferent_watch_beats_total{outcome="unknown"}') ?? 0).toBe(0);
    const [sum = 0, count = 0] = ["sum", "count"].map((of) => metrics.get(`afferent_watch_round_trip_seconds_${of}`));
    say(`a beat's round trip: ${Math.round((sum / count) * second)} ms, mean of ${count}`);
    expect(count).toBeGreaterThan(2);
    expect(sum / count).toBeLessThan(1);
  });

  it("a notifier that refuses connections is told by another, and so is what was to go there", async ({ expect }) => {
    const since = Date.now();
    beds.radio.says({ alarms: [{ code: "VTACH", since }] });
    const hop = await heard("the radio is gone", ({ device }) => device === "notifier/radio", 20 * second, since);
    const redirected = await heard(
      "the porter's page goes to somebody else",
      ({ device, recipient }) => device === places.radio.device && recipient === "charge",
      30 * second,
    );
    say(
      `a refusing notifier is told after ${hop.at - since} ms, its page redirected after ${redirected.at - since} ms`,
    );
    expect(hop.told).toMatchObject({ what: "alarm", event: "hopDown", recipient: "engineer" });
    expect(hop.at - since).toBeLessThan(lostWithinMs);
    expect(redirected.at - since).toBeLessThan(30 * second);
    await stands.startRadio();
    beds.radio.says({});
    await heard(
      "the radio is back",
      ({ device, what }) => device === "notifier/radio" && what === "ended",
      15 * second,
    );
  });

  it("a person's pager that nobody answers is told by whose it is, and its notifier stands", async ({ expect }) => {
    const since = Date.now();
    beds.lostPager.says({ alarms: [{ code: "VTACH", since }] });
    const dead = await heard("a dead address", ({ device }) => device === "address/pager/orderly", 30 * second, since);
    expect(dead.told).toMatchObject({ what: "alarm", event: "hopDown", recipient: "engineer", priority: "medium" });
    const { device } = places.lostPager;
    await heard("somebody else is told", (t) => t.device === device && t.recipient === "charge", 30 * second, since);
    say(`a dead address is told after ${dead.at - since} ms`);
    // also after the SIGKILL of another story, once the pager has told somebody again
    const isSo = async (hop: string, up: number): Promise<boolean> =>
      (await stands.metrics("circuit").catch(() => undefined))?.get(`afferent_hop_up{hop="${hop}"}`) === up;
    await until(
      "one is dead and the notifier stands",
      async () => (await Promise.all([isSo("address/pager/orderly", 0), isSo("notifier/pager", 1)])).every(Boolean),
      30 * second,
    );
    beds.lostPager.says({});
  });

  it("four hours that a device had stored page nobody as current: a delayed item each, and what is still so with its onset", async ({
    expect,
  }) => {
    const now = Date.now();
    beds.late.fallSilent();
    const sent = await beds.late.drain(fourHours(now));
    const drained = Date.now() - now;
    beds.late.says(low);
    await stillSo(beds.late);
    const items = itemsOf(beds.late, now);
    say(`four hours in ${sent} readings drained in ${drained} ms:\n  ${items.join("\n  ")}`);
    expect(items).toEqual(delayedItems);
    beds.late.says({});
  });

  it("above the high limit, below the low one, above again in a minute: three pages, over an accept and a SIGKILL", async ({
    expect,
  }) => {
    const { device } = places.swings;
    const since = Date.now();
    const count = async (n: number): Promise<Arrival> => {
      await until(`page ${n} of ${device}`, () => starts(device).length >= n, 20 * second);
      return starts(device)[n - 1] as Arrival;
    };
    const mine = async () => (await stands.pages()).filter((page) => page.device === device);
    beds.swings.says({ numerics: { ...calm, HR: 160 } });
    const first = await count(1);
    expect(first.told).toMatchObject({ event: "high", priority: "high", value: 160 });
    const [code, words] = await stands.typed("accept", first.told.page, "--as", "nurse");
    expect([code, words]).toEqual([0, expect.stringContaining("accept: ")]);
    await until("the accept is in force", async () => (await mine())[0]?.state === "accepted", 5 * second);
    const before = await mine();
    expect(before).toMatchObject([{ identity: first.told.page, acceptedBy: "nurse" }]);
    await stands.circuit().kill();
    const killedAt = Date.now();
    await stands.startCircuit();
    say(`the circuit is ready ${Date.now() - killedAt} ms after its SIGKILL`);
    expect(await mine()).toEqual(before);

    beds.swings.says({ numerics: { ...calm, HR: 35 } });
    const beganLow = Date.now();
    const next = await count(2);
    expect(next.told).toMatchObject({ event: "low", priority: "high", value: 35 });
    await sleep(Math.max(0, beganLow + 17 * second - Date.now()));
    beds.swings.says({ numerics: { ...calm, HR: 160 } });
    const last = await count(3);
    expect(last.told).toMatchObject({ event: "high", priority: "high", value: 160 });
    say(`high, low, high again: told after ${[first, next, last].map(({ at }) => `${at - since} ms`).join(", ")}`);
    expect(last.at - since).toBeLessThan(60 * second);
    const alarms = [first, next, last].map(({ told }) => told.alarms[0]);
    expect(new Set(alarms).size).toBe(3);
    expect(new Set([first, next, last].map(({ told }) => told.identity)).size).toBe(3);
    const redirected = toldOf(device).filter(({ told }) => told.recipient === "charge" && told.what === "alarm");
    expect(redirected.filter(({ told }) => told.page === first.told.page)).toEqual([]);
    // and who did not answer is passed over
    expect(redirected.map(({ told }) => told.page)).toContain(next.told.page);
    const passedOver = redirected.find(({ told }) => told.page === next.told.page)?.at ?? Number.NaN;
    expect(passedOver - next.at).toBeLessThan(acceptWithinMs + 2 * second);
    beds.swings.says({});
  });
});

describe("what nobody should send", () => {
  it("is refused with a reason and counted, and the next alarm is told as ever", async () => {
    const before = await stands.metrics("circuit");
    const { calm: sound, firmware } = beds;
    const now = Date.now();
    firmware.fallSilent();
    const tooLarge = "x".repeat(1_100_000);
    for (const rubbish of ["", "rubbish", "[]", Buffer.from([0xff, 0x00, 0xfe]), tooLarge]) firmware.send(rubbish);
    firmware.send(payloadOf(sound.device, 1, now, { numerics: { HR: 0 } }));
    firmware.send(payloadOf(firmware.device, 1, now, { numerics: { HR: 1e308, RR: -5 } }));
    const topics = ["nobody/numerics", "x", `${sound.device}/nonsense`, "a/b/c/d"].map((rest) => `afferent/${rest}`);
    const accept = '{"page":"nowhere","what":"accept"}';
    for (const topic of topics) await client.publishAsync(topic, "rubbish", { qos: 1 });
    const [nurse, stranger] = [await stands.handheld("nurse"), await stands.handheld("nobody-we-know")];
    for (const payload of [accept, "rubbish"]) await nurse.publishAsync("afferent-answers/nurse", payload, { qos: 1 });
    await stranger.publishAsync("afferent-answers/nobody-we-know", accept, { qos: 1 });
    expect(await stands.answer(accept)).toEqual([401, expect.stringContaining("unsigned")]);
    expect(await stands.typed("accept", "nowhere", "--as", "nurse")).toEqual([
      2,
      expect.stringContaining("(page-unknown)"),
    ]);

    const since = Date.now();
    sound.says({ alarms: [{ code: "VFIB", since }] });
    const { told, at } = await heard("the next alarm", ({ device }) => device === sound.device, 5 * second, since);
    say(`an alarm after all that is told after ${at - since} ms`);
    expect(told).toMatchObject({ what: "alarm", event: "ventricularFibrillation", bed: places.calm.bed });
    for (const who of ["somebody", "watch"])
      expect(await stands.typed("accept", told.page, "--as", who)).toEqual([2, expect.stringContaining("(nobody)")]);
    const page = (await stands.pages()).find(({ identity }) => identity === told.page);
    expect(page).toMatchObject({ state: "escalating", acceptedBy: null });

    // whoever is not the nurse can't accept for her: not a device, not a colleague, whatever the payload says
    const forged = JSON.stringify({ page: told.page, what: "accept", who: "nurse" });
    const porter = await stands.handheld("porter");
    for (const forger of [client, porter]) await forger.publishAsync("afferent-answers/nurse", forged, { qos: 1 });
    const reject = JSON.stringify({ page: told.page, what: "reject" });
    await nurse.publishAsync("afferent-answers/nurse", reject, { qos: 1 });
    const counted = async (what: string): Promise<number> =>
      (await stands.metrics("circuit")).get(`afferent_answers_total{via="mqtt",outcome="${what}"}`) ?? 0;
    await until("her own answer", async () => (await counted("reject")) === 1, 5 * second);
    expect(await counted("accept")).toBe(0);
    const still = (await stands.pages()).find(({ identity }) => identity === told.page);
    expect(still).toMatchObject({ state: "escalating", acceptedBy: null });
    await nurse.publishAsync("afferent-answers/nurse", forged, { qos: 1 });
    const accepted = async () => (await stands.pages()).find(({ identity }) => identity === told.page)?.acceptedBy;
    await until("her accept", async () => (await accepted()) === "nurse", 5 * second);
    for (const monitor of [sound, firmware]) monitor.says({});

    const after = await stands.metrics("circuit");
    const rose = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    const refused = [
      ...["malformed-json", "wrong-type", "payload-too-large", "unknown-device", "unknown-stream", "identity-mismatch"],
      "implausible",
    ].map((reason) => `afferent_quarantined_total{stage="normalise",reason="${reason}"}`);
    const answers = [
      ...["page-unknown", "nobody", "answer-malformed"].map((outcome) => ["mqtt", outcome]),
      ["webhook", "unsigned"],
      ...["page-unknown", "nobody"].map((outcome) => ["command line", outcome]),
    ].map(([via, outcome]) => `afferent_answers_total{via="${via}",outcome="${outcome}"}`);
    expect([...refused, ...answers].filter((name) => rose(name) === 0)).toEqual([]);
  });
});

/** What the watch is sounding of now. */
const sounding = (): readonly string[] => {
  const last = new Map(stands.engineers.arrivals.map(({ told }) => [told.channel, told.what]));
  return [...last].filter(([, what]) => what !== "ended").map(([channel]) => channel);
};
const soundsAfter = async (since: number): Promise<number> => {
  const first = (): Arrival | undefined => stands.engineers.arrivals.find(({ at }) => at >= since);
  await until("the watch to sound", () => first() !== undefined, 2 * switchMs);
  say(`the watch: ${first()?.told.text}`);
  expect(first()?.told).toMatchObject({ what: "alarm", recipient: "engineer", priority: "high", event: "hopDown" });
  return (first()?.at ?? Number.NaN) - since;
};
const wellAgain = (): Promise<void> =>
  until("the watch to say that all is well", () => sounding().length === 0, 45_000);

describe("a hop that is killed is told by another way", () => {
  it("so far the watch had nothing to say", () => {
    expect(stands.engineers.arrivals.map(({ told }) => told.text)).toEqual([]);
  });

  it("the watch: by the circuit, and it is armed when it is back", async () => {
    const since = Date.now();
    await stands.watch().kill();
    const hop = await heard("the watch is gone", ({ device }) => device === "watch", 30 * second, since);
    say(`a dead watch is told by the circuit after ${hop.at - since} ms`);
    expect(hop.told).toMatchObject({ what: "alarm", event: "hopDown", recipient: "engineer", unit: "platform" });
    expect(hop.at - since).toBeLessThan(switchMs);
    await stands.startWatch();
    const isBack = ({ device, what }: Told): boolean => device === "watch" && what === "ended";
    await heard("the watch is back", isBack, 10 * second, since);
  });

  it("the broker: by the circuit, to the engineers and to every unit that nobody watches; by the watch, itself", async () => {
    const since = Date.now();
    await broker.kill("SIGKILL");
    const hop = await heard("the broker is gone", ({ device }) => device === "broker", 20 * second, since);
    const unwatched = await lost(since, places.twin1, places.twin2);
    const sounds = await soundsAfter(since);
    say(
      `no broker: told as a hop after ${hop.at - since} ms, as unmonitored beds after ${unwatched.at - since} ms, by the watch after ${sounds} ms`,
    );
    expect(hop.told).toMatchObject({ what: "alarm", event: "hopDown", recipient: "engineer", unit: "platform" });
    expect(hop.at - since).toBeLessThan(lostWithinMs);
    expect(unwatched.at - since).toBeLessThan(lostWithinMs);
    expect(unwatched.told.beds).toEqual([places.twin1.bed, places.twin2.bed]);
    expect(sounds).toBeLessThan(switchMs);
    await broker.start();
    await heard(
      "the broker is back",
      ({ device, what }) => device === "broker" && what === "ended",
      15 * second,
      since,
    );
    await wellAgain();
  });

  it("the circuit, left dead: by the watch; a broken policy changes nothing of that, before it and after", async () => {
    const swapped = Date.now();
    const { "policy.json": good } = stands.files;
    const chains = good.chains.map((chain) => ({ ...chain, continuesWith: chain.name }));
    await stands.ward.swap({ ...stands.files, "policy.json": { ...good, chains } });
    const refused = await heard("the policy is refused", ({ event }) => event === "configurationRefused", 10 * second);
    say(`a broken policy is told after ${refused.at - swapped} ms`);
    expect(refused.told).toMatchObject({ what: "alarm", recipient: "engineer", unit: "platform" });
    const stillTold = async (code: string, event: string): Promise<void> => {
      const since = Date.now();
      beds.calm.says({ alarms: [{ code, since }] });
      const isIt = (told: Told): boolean => told.device === places.calm.device && told.event === event;
      const { told, at } = await heard("a page", isIt, 5 * second, since);
      expect(told).toMatchObject({ what: "alarm", phase: "start", recipient: "nurse", bed: places.calm.bed });
      say(`told by the last good policy after ${at - since} ms`);
    };
    await stillTold("ASYSTOLE", "asystole");

    const since = Date.now();
    await stands.circuit().kill();
    beds.queued.fallSilent();
    const waited = await beds.queued.drain(fourHours(since));
    beds.queued.says(low);
    const sounds = await soundsAfter(since);
    say(`a dead circuit is told by the watch after ${sounds} ms`);
    expect(sounds).toBeLessThan(switchMs);
    const unheard = [expect.any(Number), expect.stringContaining("[circuit-unreachable]")];
    expect(await stands.typed("alarms")).toEqual(unheard);
    await stands.startCircuit();
    const wasDown = (told: Told): boolean => told.device === "circuit" && told.recipient === "engineer";
    await heard("the circuit says that it was down", wasDown, 5 * second, since);
    // four hours that waited in the broker's queue page nobody as current either
    await stillSo(beds.queued);
    const items = itemsOf(beds.queued, since);
    say(`${waited} readings of four hours waited at the broker:\n  ${items.join("\n  ")}`);
    expect(items).toEqual(delayedItems);
    beds.queued.says({});
    expect((await stands.pages()).map(({ event }) => event)).toContain("configurationRefused");
    await stillTold("VTACH", "ventricularTachycardia");
    beds.calm.says({});
    await wellAgain();
    await stands.ward.swap(stands.files);
    await heard(
      "it is in force",
      (t) => t.event === "configurationRefused" && t.what === "ended",
      10 * second,
      swapped,
    );
  });

  it("all of it at once: the watch sounds, and says when it is well again", async () => {
    const since = Date.now();
    await Promise.all([broker.kill("SIGKILL"), stands.circuit().kill()]);
    const sounds = await soundsAfter(since);
    say(`nothing left: the watch sounds after ${sounds} ms`);
    expect(sounds).toBeLessThan(switchMs);
    await broker.start();
    await stands.startCircuit();
    await wellAgain();
    const back = Date.now();
    beds.calm.says({ alarms: [{ code: "ASYSTOLE", since: back }] });
    await heard(
      "an alarm as ever",
      ({ device, what }) => device === places.calm.device && what === "alarm",
      5_000,
      back,
    );
  });
});
