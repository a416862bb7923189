/**
 * Any sequence of revisions of a device's links, in any order and about any time: at its end there stands what would stand had the last
 * word been known from the start, each Observation at the one patient whose device it was, and repeats change nothing (clinical.md 8, 10).
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aConsent, anAssociation, aPatient, aRule } from "../../schemas/fhir/clinical.fixture.ts";
import type { Association } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import type { RawBody } from "../../schemas/topics.ts";
import { logTime, receivedTime } from "../../streams/core/time.ts";
import { chain } from "../../streams/sim/chain.ts";
import { candidates } from "../../topologies/candidates.ts";
import { gates } from "../../topologies/gates.ts";
import { normalise } from "../../topologies/normalise.ts";
import { thresholds } from "../../topologies/thresholds.ts";
import { adapter, device, readingOf } from "./monitor.ts";
import { plainly } from "./plain-stage.ts";

const minuteMs = 60_000;
const t0 = Date.UTC(2026, 10, 20);
const lasts = 90;
const patients = ["pk-1", "pk-2", "pk-3"] as const;
const edge = (minute: number): number => t0 + minute * minuteMs + 15_000;

interface Revision {
  readonly at: number;
  readonly link: number;
  readonly from: number;
  readonly minutes: number | null;
  readonly voided: boolean;
  readonly patient: number;
}
const revision = fc.record({
  at: fc.integer({ min: 0, max: lasts - 1 }),
  link: fc.integer({ min: 0, max: 3 }),
  from: fc.integer({ min: -10, max: lasts }),
  minutes: fc.option(fc.integer({ min: 1, max: 60 }), { freq: 2 }),
  voided: fc.boolean(),
  patient: fc.nat({ max: patients.length - 1 }),
});

const linkOf = ({ link, from, minutes, voided, patient }: Revision, nth: number): Association =>
  anAssociation({
    id: `link-${link}`,
    subject: `s-${link}`,
    device: "mon-0",
    revision: nth,
    patientKey: patients[patient] ?? "",
    from: edge(from),
    to: minutes === null ? null : edge(from + minutes),
    voided,
    confirmedAt: t0 - 60 * minuteMs,
  });

/** A heart rate of 150 for five minutes of every eight. */
const valueAt = (minute: number): number => (minute % 8 < 5 ? 150 : 80);

const playing = (revisions: readonly Revision[], repeats: boolean) => {
  const early = t0 - 60 * minuteMs;
  const stages = {
    normalise: plainly(normalise(new Map([[adapter.model, adapter]]))),
    thresholds: plainly(thresholds),
    candidates: plainly(candidates),
    gates: plainly(
      gates({
        destinations: [{ name: "ehr", finalAtEnd: true }],
        acceptDemoApprovals: false,
        clockUncertaintyMs: 2_000,
      }),
    ),
  };
  const ward = chain<RawBody>(Object.values(stages), ["vitals", "episodes", "events"]);
  const rule = aRule({ minimumMs: minuteMs, clearMs: minuteMs, ceilingPerDay: 1_000 });
  const approval = { by: "Dr. Ada Brandt", at: early, demo: false };
  const rules = [{ ...rule, approval }];
  stages.thresholds.send("", early, { kind: "rules", version: 1, effectiveFrom: logTime(early), rules });
  for (const patientKey of patients) {
    stages.gates.send(patientKey, early, aPatient({ patientKey, fhirId: patientKey.replace("pk", "p") }));
    stages.gates.send(patientKey, early, aConsent({ patientKey, from: early, recordedAt: early }));
  }
  ward.send("mon-0", early, device("mon-0"));
  const told: Association[] = [];
  for (let minute = 0; minute < lasts; minute++) {
    const at = t0 + minute * minuteMs;
    const measured = { sequence: minute, measuredAt: at, value: valueAt(minute) };
    ward.send("mon-0", at + 80, readingOf("mon-0", measured, receivedTime(at + 80)));
    for (const one of revisions.filter((r) => r.at === minute)) {
      const link = linkOf(one, told.length + 1);
      told.push(link);
      for (let n = 0; n < (repeats ? 2 : 1); n++) ward.send("mon-0", at + 30_000, link);
    }
    ward.tick(at + 45_000);
  }
  if (repeats) for (const link of told) ward.send("mon-0", t0 + lasts * minuteMs, link);
  const episodes = new Map<string, Episode>();
  for (const { body } of stages.thresholds.outputs("episodes"))
    if (body.kind === "episode") episodes.set(body.identity, body);
  const intents = stages.gates.outputs("outbox").flatMap(({ body }) => (body.kind === "intent" ? [body] : []));
  const newest = [...new Map(intents.map((intent) => [intent.resourceId, intent] as const)).values()];
  const standing = new Map(
    newest
      .filter(({ action }) => action === "write")
      .map(({ identity, patientKey }) => [identity, patientKey] as const),
  );
  return { episodes, intents, newest, standing, links: [...new Map(told.map((link) => [link.id, link])).values()] };
};

/** By the last word on every link: his from its onset to its end or, where that changed within, until it had qualified, and nobody else's in between. */
const patientOf = (links: readonly Association[], episode: Episode): string | undefined =>
  soleUntil(links, episode, episode.end ?? episode.qualifyingAt) ?? soleUntil(links, episode, episode.qualifyingAt);

const soleUntil = (
  links: readonly Association[],
  { start, qualifyingAt }: Episode,
  last: number,
): string | undefined => {
  const at = (time: number) =>
    links
      .filter(({ voided, from, to }) => !voided && from <= time && (to === null || time < to))
      .sort((a, b) => b.from - a.from || (a.id < b.id ? 1 : -1))[0]?.patientKey;
  const edges = links.flatMap(({ from, to }) => [from, to ?? from]).filter((time) => start < time && time <= last);
  const told = new Set([start, qualifyingAt, last].map(at));
  const within = new Set(edges.map(at).filter((key) => key !== undefined));
  const [patient, ...others] = [...told.union(within)];
  return others.length === 0 ? patient : undefined;
};

describe("revisions of links", { timeout: 120_000 }, () => {
  it("leave standing what the last word on them says, and nothing else", () => {
    let retracted = 0;
    fc.assert(
      fc.property(fc.array(revision, { minLength: 1, maxLength: 12 }), (revisions) => {
        const { episodes, standing, newest, links, intents } = playing(revisions, false);
        const expected = [...episodes.values()].flatMap((episode) => {
          const patient = patientOf(links, episode);
          return patient === undefined ? [] : [[episode.identity, patient] as const];
        });
        expect(new Map([...standing].sort())).toEqual(new Map(expected.sort()));
        expect(newest.filter(({ action }) => action === "write")).toHaveLength(standing.size);
        retracted += intents.filter(({ action }) => action === "retract").length;
      }),
      { numRuns: Number(process.env["LINK_RUNS"] ?? 150) },
    );
    expect(retracted).toBeGreaterThan(0);
  });

  it("say no more where they are told again", () => {
    fc.assert(
      fc.property(fc.array(revision, { minLength: 1, maxLength: 8 }), (revisions) => {
        expect(playing(revisions, true).intents).toEqual(playing(revisions, false).intents);
      }),
      { numRuns: 20 },
    );
  });
});
