/** The one checked configuration (law 8). Read once, by the composition root; nothing else reads files of settings or the environment. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { OperatingError } from "./core/failure.ts";
import { destinationShape } from "./destination-kinds.ts";
import { consentSourceShape, consentsShape, legalBasisProblem } from "./io/consent/config.ts";
import { rosterServiceShape } from "./roster-config.ts";

const port = z.int().min(0).max(65535);

const shape = z.strictObject({
  /** Shown on the board. */
  ward: z.string().min(1),
  /** A production configuration refuses scaled time, plain rules and demo approvals. */
  production: z.boolean(),
  /** Folder of everything that this process keeps on disk. */
  data: z.string().min(1),
  log: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("sqlite"),
      /** Per partition; clinical topics keep all. */ keepRecords: z.int().positive().optional(),
    }),
    z.strictObject({
      kind: z.literal("kafka"),
      brokers: z.array(z.string()).min(1),
      /** How long what can be derived again is kept; a week unless told otherwise. Raw and clinical topics are kept for ever. */
      keepDerivedHours: z.number().positive().optional(),
    }),
  ]),
  registry: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("local") }),
    z.strictObject({ kind: z.literal("confluent"), url: z.url() }),
  ]),
  intake: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("listener"),
      host: z.string(),
      port,
      /** Where the alert circuit takes what this listener takes: `http://127.0.0.1:7070`. Without it nobody is paged. */
      alertTap: z.url().optional(),
      /** Of the user `platform`, who alone may publish below `afferent-platform/` (the watch's heartbeats); without one nobody may. */
      platformPassword: z.string().min(12).optional(),
      /** False: while the raw log is away nothing is acknowledged. Else a spool beside the data takes vitals meanwhile; only for Kafka. */
      spool: z.boolean().optional(),
    }),
    z.strictObject({
      kind: z.literal("subscriber"),
      url: z.string(),
      protocolVersion: z.union([z.literal(4), z.literal(5)]),
      clientId: z.string().min(1),
      /**
       * MQTT filters of everything that is taken. Ours is the platform's root; where the broker serves nobody else, `#` also takes what
       * a device publishes beside it (law 1), which would be other systems' data at a broker that is shared.
       */
      topics: z.array(z.string().min(1)).min(1).default(["afferent/#"]),
    }),
  ]),
  series: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("sqlite"), keepHours: z.number().positive() }),
    z.strictObject({ kind: z.literal("questdb"), url: z.url() }),
  ]),
  /** By their kind (destination-kinds.ts); one without a kind is a FHIR server. */
  destinations: z.array(destinationShape).min(1),
  /** Where FHIR Consents are read from; without one the roster's consents are all there are. */
  consentSource: consentSourceShape.optional(),
  consents: consentsShape.optional(),
  roster: z.string().min(1),
  /** ADT, a FHIR server and people beside the roster file: `afferent roster`. Without it the file is all there is. */
  rosterService: rosterServiceShape.optional(),
  /** Files of rules, in force together. */
  rules: z.array(z.string()).min(1),
  /** File of the precedence policy: of several sources of one quantity, which one is charted. Without one each is (the gate is not asked). */
  precedence: z.string().min(1).optional(),
  /** File of the score policy: NEWS2 and dialysis sessions as reports, over the precedence policy's quantities. */
  scores: z.string().min(1).optional(),
  /** Marks every rule as approved by the demo ward. */
  demoApproval: z.boolean(),
  /** Accepts limits without delay: the test profile. */
  allowPlainRules: z.boolean(),
  board: z.strictObject({
    host: z.string(),
    port,
    /** The alert circuit's own interface (its `api`), whose open alarms are shown: `http://127.0.0.1:7071`. */
    alertApi: z.url().optional(),
  }),
  /** How many times faster than real the ward's time runs. */
  speed: z.number().positive(),
  /** A short batch waits this long for company. */
  lingerMs: z.int().min(0),
});

export type Config = z.infer<typeof shape>;

/** A listener before Kafka has a spool unless told otherwise; an embedded raw log is as near as a spool would be. */
export const hasSpool = ({ intake, log }: Pick<Config, "intake" | "log">): boolean =>
  intake.kind === "listener" && log.kind === "kafka" && intake.spool !== false;

/** Checks a configuration as a whole. Codes: `config-invalid`, with every problem and its place. */
export const checkConfig = (value: unknown, source: string): Config => {
  const parsed = shape.safeParse(value);
  const problems = parsed.success
    ? [...productionProblems(parsed.data), ...legalBasisProblems(parsed.data), ...rosterProblems(parsed.data)]
    : parsed.error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`);
  if (problems.length > 0 || !parsed.success)
    throw new OperatingError("config-invalid", [`configuration ${source}:`, ...problems].join("\n  "), {
      retry: false,
    });
  return parsed.data;
};

const productionProblems = (config: Config): string[] =>
  !config.production
    ? []
    : [
        ...(config.speed === 1 ? [] : ["speed: production runs in real time only"]),
        ...(config.allowPlainRules ? ["allowPlainRules: limits without delay are for tests"] : []),
        ...(config.demoApproval ? ["demoApproval: a person approves rules in production"] : []),
      ];

const legalBasisProblems = ({ destinations }: Config): string[] =>
  destinations.flatMap((destination, i) => {
    const problem = legalBasisProblem(destination);
    return problem === null ? [] : [`destinations.${i}.${problem}`];
  });

/** ADT and people tell of real time: in another one their links would begin and end at times that no measurement has. */
const rosterProblems = ({ speed, rosterService }: Config): string[] =>
  rosterService === undefined || speed === 1 ? [] : ["rosterService: ADT tells of real time, so speed must be 1"];

/** Reads and checks a configuration file. Codes: `config-unreadable`, `config-invalid`. */
export const readConfig = async (file: string): Promise<Config> => {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("config-unreadable", `configuration ${file}: can't be read`, { retry: false, cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new OperatingError("config-invalid", `configuration ${file}: is not JSON: ${String(cause)}`, {
      retry: false,
      cause,
    });
  }
  return checkConfig(value, file);
};
