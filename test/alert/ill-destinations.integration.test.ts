/**
 * Every destination misbehaves, each in its way, while a ward has hundreds of critical alarms: the circuit is not touched by it. Each alarm is
 * told once and in time, before the destinations come back and while they take what waited; then each promoted event is there once, in order.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IllPeer, Taken } from "../../streams/roles/ill-destinations.fixture.ts";
import { until } from "../platform/watch.ts";
import { type IllCourse, type IllRan, playBesideIll } from "./ill-run.ts";
import { patients } from "./thousand.ts";
import {
  byShape,
  delaysOf,
  figures,
  paired,
  type Paired,
  quantile,
  toldBeside,
  untold,
  wronglyTold,
} from "./thousand-told.ts";

const story = { timeout: 150_000 };
/** Some ten alarms a second and no storm: what a storm costs is told elsewhere (test/alert/overload.integration.test.ts). */
const course: IllCourse = {
  lasts: 32,
  healAfter: 22,
  gap: { from: 8, to: 20 },
  storm: { from: 32, to: 32 },
  natives: 1_000,
};
const least = { ill: 200, healing: 40 };
/** As of a thousand alarms while all else is dead (test/alert/thousand.integration.test.ts). */
const limits = { p99Ms: 2_000, maxMs: 5_000 };
/** A destination is asked each fifteen seconds whether it lives, which ends the longest of its pauses. */
const backWithinMs = 40_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

describe("critical alarms while every destination misbehaves", story, () => {
  let ran: IllRan;
  let all: Paired;

  beforeAll(async () => {
    ran = await playBesideIll(course);
    all = paired(ran);
  }, story.timeout);

  afterAll(() => ran?.close(), story.timeout);

  it("are each told, right and once, within the limits, ill or healing", () => {
    const { healedMs, receiver } = ran;
    const whenPublished = (isIt: (ms: number) => boolean): number[] =>
      delaysOf(all.pairs.filter(([{ publishedAt }]) => isIt(publishedAt)));
    const ill = whenPublished((ms) => ms < healedMs);
    const healing = whenPublished((ms) => ms >= healedMs);
    say(`${byShape(all)}\n${figures("all destinations ill", ill)}\n${figures("as they come back", healing)}`);
    expect(ill.length).toBeGreaterThan(least.ill);
    expect(healing.length).toBeGreaterThan(least.healing);
    expect(untold(all)).toEqual([]);
    expect(wronglyTold(all)).toEqual([]);
    expect(toldBeside(all)).toEqual([]);
    expect(receiver.repeats()).toBe(0);
    for (const delays of [ill, healing]) {
      expect(quantile(delays, 0.99)).toBeLessThan(limits.p99Ms);
      expect(delays.at(-1)).toBeLessThan(limits.maxMs);
    }
  });

  it("and the circuit finds nothing the matter with it", () => {
    const { complaints, looks } = ran.circuit;
    expect(looks).toBeGreaterThan(course.lasts);
    expect(complaints).toEqual([]);
  });

  it("for each destination was tried, and but for the one that takes and hangs up none had taken anything as settled", () => {
    const { atHealing } = ran;
    for (const { destination } of ran.peers) {
      const of = destination.name;
      const [intents = [], deliveries = []] = [atHealing.intents.get(of), atHealing.deliveries.get(of)];
      say(
        `${of}: ${atHealing.states.get(of)}, ${atHealing.asked.get(of)} requests, ${intents.length} intents, ${deliveries.length} settled`,
      );
      expect(intents.length).toBeGreaterThan(10);
      expect(atHealing.asked.get(of)).toBeGreaterThan(5);
      if (of !== "dropping") expect(deliveries).toEqual([]);
    }
  });

  it("then each promoted event is there once, each patient's in order", async () => {
    const settled = async (): Promise<boolean> => {
      const { intents, deliveries } = await ran.standing();
      return ran.peers.every(
        ({ destination: { name } }) =>
          (deliveries.get(name)?.length ?? 0) === (intents.get(name)?.length ?? Number.NaN),
      );
    };
    await until("every intent to be settled", settled, backWithinMs);
    say(`all settled ${Date.now() - ran.healedMs} ms after the destinations were healed`);
    const { intents, deliveries } = await ran.standing();
    for (const peer of ran.peers) {
      const { name } = peer.destination;
      expect([name, new Set(deliveries.get(name)?.map(({ outcome }) => outcome))]).toEqual([
        name,
        new Set(["written"]),
      ]);
      const due = (intents.get(name) ?? []).map(({ patientKey, resourceId, revision }) => ({
        patient: knownAs(patientKey, peer),
        resourceId,
        revision,
      }));
      expect([name, byPatient(peer.taken)]).toEqual([name, byPatient(due)]);
      expect(whoCrossed().filter((patient) => !due.some((one) => one.patient === knownAs(patient, peer)))).toEqual([]);
    }
  });

  /** Of whom a limit of ours was crossed: patients with an event that had to be promoted. */
  const whoCrossed = (): readonly string[] => {
    const devices = new Set(
      all.pairs.filter(([{ shape }]) => shape.startsWith("by rule")).map(([{ device }]) => device),
    );
    return [...devices].map((device) => `pat-${Number(device.slice("mon-".length))}`);
  };
});

const fhirIds = new Map(patients().map(({ patientKey, fhirId }) => [patientKey, fhirId]));
const knownAs = (patientKey: string, { destination }: IllPeer): string =>
  destination["kind"] === "fhir" ? (fhirIds.get(patientKey) ?? "") : patientKey;

/** Each patient's, in their order. */
const byPatient = (all: readonly Taken[]): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...Map.groupBy(all, ({ patient }) => patient)]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([patient, of]) => [patient, of.map(({ resourceId, revision }) => `${resourceId} ${revision}`)]),
  );
