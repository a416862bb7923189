/**
 * The alert circuit: takes devices' messages by a way of its own into a log of its own, runs the same stages as the telemetry plane over it, and
 * tells people. Nothing else of the platform has to be there (docs/design.md, "The alert circuit").
 */
import { constants, setPriority } from "node:os";
import { readAlertConfig } from "../alert-config.ts";
import { type Circuit, openCircuit } from "../alert-compose.ts";
import { runStage } from "../log/stage-runner.ts";
import { openAnswers } from "./alert/answers.ts";
import { serveApi } from "./alert/api.ts";
import { openDoor } from "./alert/door.ts";
import { type Ground, openGround, runnerOptions } from "./alert/ground.ts";
import { matchEpisodes, type MatchingOptions } from "./alert/matching.ts";
import { auditor, keepAlive, statusOf } from "./alert/standing.ts";
import { openTelling } from "./alert/telling.ts";
import { followTicks } from "./alert/ticks.ts";
import { apiToken } from "./alert/token.ts";
import { type KeptWard, openWard } from "./alert/ward.ts";
import { closeAndEnd, interrupted } from "./ending.ts";
import { closeAll, followAll, type Running } from "./running.ts";

/** On a machine that it shares it goes before the others: a page does not wait for a chart. Not everybody may ask for that. */
const goFirst = (): void => {
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
  } catch {
    // the system says no, and the circuit runs like everybody else
  }
};

/** Resolves after SIGINT or SIGTERM and a clean close; rejects when it can't start or can't go on. */
export const runAlert = async (configFile: string): Promise<void> => {
  const closing: (() => Promise<void>)[] = [];
  goFirst();
  try {
    const circuit = await openCircuit(await readAlertConfig(configFile));
    closing.push(circuit.close);
    const running = await startCircuit(circuit);
    closing.push(running.close);
    const told = interrupted();
    process.stdout.write(`afferent alert: ${running.where}\n`);
    await Promise.race([running.done, told]);
  } finally {
    await closeAndEnd(closing);
  }
};

/** More of them at once than there are parts are not in force. */
const modesShown = 64;

/** Codes: `ward-invalid` at a cold start without a good ward directory, and what its parts have. */
export const startCircuit = async (circuit: Circuit): Promise<Running> => {
  const closing: (() => Promise<unknown>)[] = [];
  const opened = <T extends { close(): Promise<void> }>(part: T): T => {
    closing.push(() => part.close());
    return part;
  };
  try {
    const ground = opened(await openGround(circuit));
    const ward = await openWardOf(ground);
    const ticks = opened(await followTicks(circuit.log, circuit.wire, ground.onError));
    const telling = opened(await openTelling(ground, ticks, ward.policy));
    const stages = opened(await runCircuitStages(ground));
    const { logNow, metrics, words, hops, degradation } = ground;
    const { pages, outbox, nuisance, dispatcher, ways } = telling;
    const answers = openAnswers({
      pages,
      words,
      now: logNow,
      isKnown: (who) => ward.policy().recipients.some(({ id, test }) => id === who && !test),
      unitOf: ward.unitOf,
      onAnswer: (via, outcome) => metrics.answers.inc({ via, outcome }),
    });
    const door = opened(await openDoor(ground, answers));
    const following = opened(followWard(ward));
    if (circuit.config.kafka !== undefined) opened(matchWith(circuit.config.kafka, ground, ward));
    const audit = auditor({ outbox, pages, dispatcher, ways, ticks, door: door.intake, logNow, policy: ward.policy });
    const api = opened(
      await serveApi({
        ...circuit.config.api,
        token: await apiToken(circuit.config.data),
        answerSecret: circuit.config.api.answerSecret,
        now: logNow,
        pages: () => pages.open(),
        modes: () => pages.lastModes(modesShown),
        answers,
        audit,
        status: () => ({
          ...statusOf({ pages, nuisance, outbox, hops, degradation, audit, now: logNow() }),
          modeEvents: pages.lastModes(modesShown),
        }),
        metrics: () => circuit.metrics.metrics(),
        onRefused: (reason) => metrics.answers.inc({ via: "webhook", outcome: reason }),
      }),
    );
    const { config, say } = circuit;
    const { policy } = ward;
    closing.push(keepAlive({ config, audit, pages, outbox, metrics, hops, ways, degradation, policy, say }));
    return {
      where: `${door.intake.where}, api ${api.url}`,
      done: Promise.race([stages.done, telling.done, door.done, following.done]),
      close: () => closeAll(closing),
    };
  } catch (error) {
    await closeAll(closing).catch(() => undefined); // what it could not start for is what counts
    throw error;
  }
};

const runCircuitStages = async (ground: Ground): Promise<Running> => {
  const { topology } = ground.circuit;
  const running = runnerOptions(ground);
  return followAll(
    topology.stages.map(({ name }) => name),
    await Promise.all(topology.stages.map((stage) => runStage(stage, topology, running))),
  );
};

/** When the demo ward approved its examples; before anything that it measures. */
const demoApprovedAt = Date.UTC(2026, 0, 1);

const openWardOf = ({ circuit, source, scale, logNow, metrics, hops, onError }: Ground): Promise<KeptWard> => {
  const { config, notifiers, say } = circuit;
  return openWard({
    folder: config.ward,
    source,
    scale,
    now: logNow,
    notifiers: new Set(notifiers.keys()),
    allowPlainRules: config.allowPlainRules,
    ...(config.demoApproval && { demoApprovedAt }),
    onRefused: (problem) => {
      metrics.refused.set(problem === null ? 0 : 1);
      if (problem === null) hops.up("configuration", "the ward directory is in force");
      else hops.down("configuration", problem.detail);
    },
    onError,
    onAnnounced: (what) => say.info(what, "the ward directory is in force"),
  });
};

/** Away for less is a broker of Kafka's that changed its leader. */
const kafkaGraceMs = 10_000;

const matchWith = (kafka: MatchingOptions["kafka"], { words, hops }: Ground, { unitOf }: KeptWard) =>
  matchEpisodes({
    kafka,
    words,
    unitOf,
    onStanding: (up, detail) => (up ? hops.up("kafka", detail) : hops.down("kafka", detail, kafkaGraceMs)),
  });

const followWard = (ward: KeptWard): { readonly done: Promise<void>; close(): Promise<void> } => {
  const stop = new AbortController();
  const done = ward.follow(stop.signal);
  return {
    done,
    close: async () => {
      stop.abort();
      await done;
    },
  };
};
