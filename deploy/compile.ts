/** Compiles the Java files beside a server's pom against its libraries: once for each text of them. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { OperatingError } from "../streams/core/failure.ts";
import type { StackConfig } from "./config.ts";
import { serversFolder, softwareFolder } from "./fetch.ts";
import type { SoftwareName } from "./server.ts";
import { type OnLine, provideSystemPrograms } from "./system-packages.ts";

const sourcesOf = (name: SoftwareName): string[] =>
  readdirSync(join(serversFolder, name))
    .filter((file) => file.endsWith(".java"))
    .sort()
    .map((file) => join(serversFolder, name, file));

/** The folder whose only file, `<name>.jar`, holds the compiled classes, or will. */
export const builtFolder = (config: StackConfig, name: SoftwareName): string => {
  const hash = createHash("sha256").update(softwareFolder(config, name));
  for (const source of sourcesOf(name)) hash.update(readFileSync(source));
  return join(config.software, `${name}-jar-${hash.digest("hex").slice(0, 12)}`);
};

/** Codes: `compile-failed`, with the tool's words, `package-missing`. */
export const compileSources = async (config: StackConfig, name: SoftwareName, onLine: OnLine): Promise<void> => {
  const sources = sourcesOf(name);
  const folder = builtFolder(config, name);
  if (sources.length === 0 || existsSync(folder)) return;
  await provideSystemPrograms(["javac"], onLine);
  onLine(`compiling ${name} (once)`);
  const incoming = `${folder}.${process.pid}`;
  const classes = join(incoming, "classes");
  await mkdir(classes, { recursive: true });
  await run("javac", ["-proc:none", "-cp", join(softwareFolder(config, name), "*"), "-d", classes, ...sources]);
  await run("jar", ["--create", "--file", join(incoming, `${name}.jar`), "-C", classes, "."]);
  await rm(classes, { recursive: true });
  await rename(incoming, folder).catch(() => rm(incoming, { recursive: true })); // another process was first
};

const run = (tool: "javac" | "jar", args: readonly string[]): Promise<unknown> =>
  promisify(execFile)(tool, args).catch((cause: { stderr?: string }) => {
    const why = `${tool} failed: ${cause.stderr ?? String(cause)}`;
    throw new OperatingError("compile-failed", why, { retry: false, cause });
  });
