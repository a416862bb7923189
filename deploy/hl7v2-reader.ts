/** HAPI's HL7 v2 parser and its MLLP server, in a Java process: proves that a parser that we did not write reads what we send. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { OperatingError } from "../streams/core/failure.ts";
import { builtFolder } from "./compile.ts";
import { readStackConfig, type StackConfig } from "./config.ts";
import { softwareFolder } from "./fetch.ts";
import { provideSoftware } from "./stack.ts";
import { classPath, java } from "./servers/java.ts";

export interface Hl7v2Task {
  /** Segments, each ended by CR. */
  readonly message: string;
  /** HAPI's Terser paths, such as `/.OBX(1)-5-1`: what is asked of it. */
  readonly paths: readonly string[];
}

const readingShape = z.union([
  z.strictObject({ error: z.string() }),
  z.strictObject({ values: z.array(z.string().nullable()) }),
]);
/** Why the parser refused it, or the values at the paths, unescaped. */
export type Hl7v2Reading = z.infer<typeof readingShape>;

/** One reading for each task, in their order; messages are read with the structure of ORU_R01 v2.6. Codes: `hl7v2-reader-failed`. */
export const readHl7v2 = async (tasks: readonly Hl7v2Task[], config = readStackConfig()): Promise<Hl7v2Reading[]> => {
  const child = await startReader(config, []);
  child.stdin.on("error", () => undefined); // it ended early: too few lines say so
  child.stdin.end(tasks.map((task) => `${JSON.stringify(task)}\n`).join(""));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  if (lines.length !== tasks.length)
    throw new OperatingError("hl7v2-reader-failed", `it answered ${lines.length} of ${tasks.length}`, { retry: false });
  return lines.map((line) => readingShape.parse(JSON.parse(line)));
};

const heardShape = z.union([z.strictObject({ message: z.string() }), z.strictObject({ error: z.string() })]);
/** What came over MLLP, as HAPI encodes it again, or why it could not be read. */
export type Hl7v2Heard = z.infer<typeof heardShape>;

export interface Hl7v2Server {
  readonly heard: readonly Hl7v2Heard[];
  close(): Promise<void>;
}

/** HAPI's MLLP server; it acknowledges by itself. Resolves once it listens. Codes: `hl7v2-reader-failed`. */
export const serveHl7v2 = async (port: number, config = readStackConfig()): Promise<Hl7v2Server> => {
  const child = await startReader(config, [String(port)]);
  const heard: Hl7v2Heard[] = [];
  const listening = Promise.withResolvers<void>();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void ended.then(() =>
    listening.reject(new OperatingError("hl7v2-reader-failed", "it ended before it listened", { retry: false })),
  );
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === "listening") listening.resolve();
    else heard.push(heardShape.parse(JSON.parse(line)));
  });
  await listening.promise;
  return {
    heard,
    close: async () => {
      child.kill();
      await ended;
    },
  };
};

const startReader = async (config: StackConfig, args: readonly string[]): Promise<ChildProcessWithoutNullStreams> => {
  await provideSoftware(config, ["validator"], (line) => console.error(line));
  const libraries = classPath(builtFolder(config, "validator"), softwareFolder(config, "validator"));
  const logging = `-Dlogback.configurationFile=${join(import.meta.dirname, "servers", "validator", "logback.xml")}`;
  const child = spawn("java", [
    ...java(256),
    "-XX:TieredStopAtLevel=1",
    logging,
    "-cp",
    libraries,
    "ReadHl7v2",
    ...args,
  ]);
  child.stderr.pipe(process.stderr, { end: false });
  return child;
};
