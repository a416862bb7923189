/** Proves that FHIR resources are valid, without a server: HAPI's validator over base R4 and the core profiles, in one Java process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { OperatingError } from "../streams/core/failure.ts";
import { builtFolder } from "./compile.ts";
import { readStackConfig, type StackConfig } from "./config.ts";
import { softwareFolder } from "./fetch.ts";
import { provideSoftware } from "./stack.ts";
import { classPath, java } from "./servers/java.ts";

const issueShape = z.object({
  severity: z.enum(["information", "warning", "error", "fatal"]),
  /** FHIRPath of the element, such as `Observation.value.ofType(Quantity)`. */
  location: z.string().nullable(),
  message: z.string(),
});
export type Issue = z.infer<typeof issueShape>;

export interface ValidateOptions {
  /** Profiles that each resource must meet beside those in its meta.profile. */
  readonly profiles?: readonly string[];
  readonly config?: StackConfig;
}

/**
 * The issues of each resource, in their order. The first resource costs some seconds, the others some tens of milliseconds: give
 * all at once. Profiles beyond FHIR's own core are unknown to it and reported as such. Codes: `validator-failed`, and those of
 * downloading.
 */
export const validateFhir = async (
  resources: readonly object[],
  { profiles = [], config = readStackConfig() }: ValidateOptions = {},
): Promise<Issue[][]> => {
  await provideSoftware(config, ["validator"], (line) => console.error(line));
  const lines = await runValidator(
    config,
    resources.map((resource) => JSON.stringify({ profiles, resource })),
  );
  return lines.map((line) => z.array(issueShape).parse(JSON.parse(line)));
};

/** Only what makes a resource invalid. */
export const errorsOf = (issues: readonly Issue[]): Issue[] =>
  issues.filter(({ severity }) => severity === "error" || severity === "fatal");

const runValidator = (config: StackConfig, tasks: readonly string[]): Promise<string[]> =>
  new Promise((done, fail) => {
    const libraries = classPath(builtFolder(config, "validator"), softwareFolder(config, "validator"));
    const logging = `-Dlogback.configurationFile=${join(import.meta.dirname, "servers", "validator", "logback.xml")}`;
    const child = spawn("java", [...java(768), "-XX:TieredStopAtLevel=1", logging, "-cp", libraries, "Validate"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const answers: string[] = [];
    let complaints = "";
    createInterface({ input: child.stdout }).on("line", (line) => answers.push(line));
    child.stderr.on("data", (part) => {
      complaints += String(part);
    });
    const failed = (why: string): void =>
      fail(new OperatingError("validator-failed", `the FHIR validator ${why}\n${complaints}`, { retry: false }));
    child.once("error", (error) => failed(error.message));
    child.once("close", (code) => {
      if (code === 0 && answers.length === tasks.length) done(answers);
      else failed(`ended with ${code} after ${answers.length} of ${tasks.length} answers`);
    });
    child.stdin.on("error", () => undefined); // it ended early: "close" says why
    child.stdin.end(tasks.map((task) => `${task}\n`).join(""));
  });
