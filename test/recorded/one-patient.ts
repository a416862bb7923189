/** The topology behind `normalise` in memory, around one patient: for stories and recordings that ask what reaches his chart. */
import { aConsent, anAssociation, aPatient, two } from "../../schemas/fhir/clinical.fixture.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Decision } from "../../schemas/records/clinical.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import type { MetricName } from "../../schemas/terminology.ts";
import type { AnyStage } from "../../streams/core/stage.ts";
import type { Body } from "../../streams/core/topic.ts";
import { logTime } from "../../streams/core/time.ts";
import { drive } from "../../streams/sim/drive.ts";
import { measured } from "../../streams/sim/measured.ts";
import { policyOf } from "../../topologies/gates.fixture.ts";
import { approveScoresForDemo } from "../../topologies/scores/policy.ts";
import { shippedPrecedence, shippedScores } from "../../topologies/shipped.fixture.ts";
import { wardTopology } from "../../topologies/ward.ts";

/** When his afternoon begins, ms. */
export const t0 = two;

interface OnePatient {
  readonly rules: readonly Rule[];
  /** Without them no precedence and no scores are stated. */
  readonly policies?: boolean;
}

/** Every stage of the ward behind `normalise`, each driven, and each told what the others write: one confirmed, consenting patient at mon-07. */
export const onePatient = ({ rules, policies = true }: OnePatient) => {
  const { stages } = wardTopology(new Map(), {
    ...policyOf(),
    acceptDemoApprovals: true,
    ...(policies && {
      precedence: shippedPrecedence,
      scores: approveScoresForDemo(shippedScores, t0 - 3_600_000),
    }),
  });
  const driven = stages
    .filter(({ name }) => !name.startsWith("normalise"))
    .map((stage: AnyStage) => ({ stage, driver: drive(stage), passed: new Map<string, number>() }));
  const pass = (): void => {
    for (const from of driven)
      for (const [name, topic] of Object.entries(from.stage.writes) as [string, AnyStage["reads"]][]) {
        const all = from.driver.outputs(name);
        const readers = driven.filter(({ stage }) => stage.reads.name === topic.name);
        for (const { key, logTime: at, body } of all.slice(from.passed.get(name) ?? 0))
          for (const { driver } of readers) driver.send(key, at, body);
        from.passed.set(name, all.length);
      }
  };
  const send = (topic: string, key: string, at: number, body: Body): void => {
    for (const { stage, driver } of driven) if (stage.reads.name === topic) driver.send(key, at, body as never);
    pass();
  };
  const tick = (at: number): void => {
    for (const { driver } of driven) {
      driver.tick(at);
      pass();
    }
  };
  send("telemetry.vitals", "", t0, { kind: "rules", version: 1, effectiveFrom: logTime(t0), rules } as Body);
  send("telemetry.vitals", "subject-7", t0, anAssociation());
  send("clinical.events", "pk-7", t0, aPatient());
  send("clinical.events", "pk-7", t0, aConsent());
  const say = (metric: MetricName, channel: string, at: number, value: number, more: Partial<Measurement> = {}): void =>
    send(
      "telemetry.vitals",
      "subject-7",
      at,
      measured(metric, at, value, {
        ...{ subject: "subject-7", association: "link-7", associationRevision: 1, device: "mon-07", channel, ...more },
      }),
    );
  const of = (topic: string): readonly Body[] =>
    driven.flatMap(({ stage, driver }) =>
      (Object.entries(stage.writes) as [string, AnyStage["reads"]][])
        .filter(([, { name }]) => name === topic)
        .flatMap(([name]) => driver.outputs(name).map(({ body }) => body as Body)),
    );
  const decided = (): Decision[] =>
    of("clinical.decisions").filter((body): body is Decision => body.kind === "decision");
  return { say, send, tick, of, decided };
};
