/** Kafka Streams as a child of the bench: built once by Maven (kafka-streams/target), run in a JVM of its own. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { vitals, windows } from "../../schemas/topics.ts";

const folder = join(import.meta.dirname, "kafka-streams");
const target = join(folder, "target");
const built = join(target, "built");
const run = promisify(execFile);

export type Store = "memory" | "rocksdb";
export type Guarantee = "at_least_once" | "exactly_once_v2";

export interface StreamsRun {
  readonly broker: string;
  readonly output: string;
  /** Names its group, its state and its transactions. */
  readonly application: string;
  readonly store: Store;
  readonly guarantee: Guarantee;
  /** The upstream partitions whose ticks it waits for. */
  readonly upstreams: number;
  /** The id under which the registry knows the windows' schema. */
  readonly windowsSchemaId: number;
  /** A folder for its state and the schemas that it is given. */
  readonly folder: string;
}

/** What the program prints. */
export interface StreamsCost {
  readonly entries: number;
  /** From the first record decoded until it had committed the last and closed. */
  readonly cpuS: number;
  readonly secondHalfCpuS: number;
  readonly wallS: number;
  /** Before the first record: the JVM, the libraries, joining. */
  readonly startCpuS: number;
  readonly windows: number;
  readonly refused: number;
}

/** Compiles the program where its sources are newer than what was built. */
export const buildStreamsProgram = async (): Promise<void> => {
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => !file.startsWith("target") && /\.(java|xml)$/.test(file))
    .map((file) => statSync(join(folder, file)).mtimeMs);
  if (existsSync(built) && statSync(built).mtimeMs > Math.max(...sources)) return;
  await run("mvn", ["-B", "-q", "-f", join(folder, "pom.xml"), "-Dstyle.color=never", "clean", "process-classes"]);
  writeFileSync(built, "");
};

export const runStreams = async (options: StreamsRun): Promise<StreamsCost> => {
  const schemas = [vitals, windows].map(({ name, codec }) => {
    const file = join(options.folder, `${name}.avsc`);
    writeFileSync(file, JSON.stringify(codec.schema));
    return file;
  });
  const { stdout } = await run("java", [
    // the collector that costs the least CPU on two cores; with the default one it took more
    "-XX:+UseSerialGC",
    "-Xmx1g",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "-cp",
    `${join(target, "classes")}:${join(target, "libraries", "*")}`,
    "bench.Main",
    options.broker,
    vitals.name,
    options.output,
    options.application,
    join(options.folder, options.application),
    options.store,
    options.guarantee,
    String(options.upstreams),
    ...schemas,
    String(options.windowsSchemaId),
  ]);
  return JSON.parse(stdout) as StreamsCost;
};
