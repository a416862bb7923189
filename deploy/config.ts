/**
 * Where the full stack listens and keeps its data: one configuration for `make up`, the tests and whoever connects.
 * Later wins: the defaults below, a JSON file named by AFFERENT_STACK, environment variables (AFFERENT_STACK_DATA,
 * AFFERENT_STACK_SOFTWARE, AFFERENT_PORT_KAFKA and so on: the port's name in capitals, words joined by `_`).
 */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { OperatingError } from "../streams/core/failure.ts";

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every server listens here and nowhere else, until the security issue brings TLS and credentials. */
export const host = "127.0.0.1";

/** The ports, with each one's customary number as the default. */
const defaultPorts = {
  /** MQTT, plain. */
  mosquitto: 1883,
  /** Kafka clients. */
  kafka: 9092,
  /** Kafka's controller, which only the broker talks to. */
  kafkaController: 9093,
  /** QuestDB's REST and ILP over HTTP. */
  questdbHttp: 9000,
  /** QuestDB's PostgreSQL protocol. */
  questdbPg: 8812,
  /** Apicurio, Confluent's API below /apis/ccompat/v7. */
  apicurio: 8081,
  /** HAPI FHIR, below /fhir. */
  hapi: 8090,
  prometheus: 9090,
  /** Not its customary 9093, which is Kafka's controller here. */
  alertmanager: 9095,
  /** Of Afferent's own roster service: HL7 v2 ADT by MLLP, plain. */
  adt: 2575,
};

export type PortName = keyof typeof defaultPorts;
export const portNames = Object.keys(defaultPorts) as PortName[];

const port = z.int().min(1).max(65535);
const portShape = z.strictObject(
  Object.fromEntries(portNames.map((name) => [name, port])) as Record<PortName, typeof port>,
);
const shape = z.strictObject({
  /** What the servers write: a folder each, with their logs, and the list of what runs. */
  data: z.string().min(1),
  /** What is downloaded once and used by every stack: the servers themselves. */
  software: z.string().min(1),
  ports: portShape,
  /** The port that Kafka tells its clients to come to, where a proxy stands in front of it (test/chaos); left out: its own. */
  kafkaAdvertised: port.optional(),
});
const partShape = shape.partial().extend({ ports: portShape.partial().optional() });

export type StackConfig = z.infer<typeof shape>;

export const defaultConfig: StackConfig = {
  data: join(projectFolder, ".afferent", "stack"),
  software: join(projectFolder, ".stack"),
  ports: defaultPorts,
};

/** AFFERENT_PORT_QUESTDB_HTTP for questdbHttp. */
export const portVariable = (name: PortName): string =>
  `AFFERENT_PORT_${name.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`;

/** Reads the configuration. Codes: `stack-config-invalid`, with every problem and its place. */
export const readStackConfig = (environment: NodeJS.ProcessEnv = process.env): StackConfig => {
  const file = environment["AFFERENT_STACK"];
  const fromFile = file === undefined ? {} : partFromFile(file);
  return checked(
    {
      data: resolve(environment["AFFERENT_STACK_DATA"] ?? fromFile.data ?? defaultConfig.data),
      software: resolve(environment["AFFERENT_STACK_SOFTWARE"] ?? fromFile.software ?? defaultConfig.software),
      ports: { ...defaultConfig.ports, ...fromFile.ports, ...portsFrom(environment) },
    },
    file ?? "from the environment",
  );
};

const portsFrom = (environment: NodeJS.ProcessEnv): Record<string, number> =>
  Object.fromEntries(
    portNames.flatMap((name) => {
      const text = environment[portVariable(name)];
      return text === undefined ? [] : [[name, Number(text)]];
    }),
  );

const partFromFile = (file: string): Partial<Omit<StackConfig, "ports">> & { ports?: object | undefined } => {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new OperatingError("stack-config-invalid", `stack configuration ${file}: ${String(cause)}`, {
      retry: false,
      cause,
    });
  }
  const parsed = partShape.safeParse(value);
  if (!parsed.success) throw invalid(file, parsed.error);
  return parsed.data as Partial<Omit<StackConfig, "ports">> & { ports?: object };
};

const checked = (value: unknown, source: string): StackConfig => {
  const parsed = shape.safeParse(value);
  if (!parsed.success) throw invalid(source, parsed.error);
  const taken = new Map<number, string>();
  for (const name of portNames) {
    const number = parsed.data.ports[name];
    const other = taken.get(number);
    if (other !== undefined)
      throw new OperatingError(
        "stack-config-invalid",
        `stack configuration ${source}: ports.${name} and ports.${other} are both ${number}`,
        { retry: false },
      );
    taken.set(number, name);
  }
  return parsed.data;
};

const invalid = (source: string, error: z.ZodError): OperatingError =>
  new OperatingError(
    "stack-config-invalid",
    [
      `stack configuration ${source}:`,
      ...error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`),
    ].join("\n  "),
    { retry: false },
  );
