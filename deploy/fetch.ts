/**
 * Brings the servers' software to this machine: once, by Maven, into one folder per server that is named after what its
 * pom says. A folder that is there is whole (it is renamed into place last), so that a second start asks nobody.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { OperatingError } from "../streams/core/failure.ts";
import type { StackConfig } from "./config.ts";
import { withLock } from "./lock.ts";
import type { SoftwareName } from "./server.ts";
import { type OnLine, provideSystemPrograms } from "./system-packages.ts";

export const serversFolder = join(dirname(fileURLToPath(import.meta.url)), "servers");
const pom = join(serversFolder, "pom.xml");

/** Where a server's libraries are, or will be. */
export const softwareFolder = (config: StackConfig, name: SoftwareName): string => {
  const hash = createHash("sha256")
    .update(readFileSync(pom))
    .update(readFileSync(join(serversFolder, name, "pom.xml")));
  return join(config.software, `${name}-${hash.digest("hex").slice(0, 12)}`);
};

/** Downloads what isn't there. Codes: `download-failed`, `package-missing`. */
export const fetchSoftware = async (
  config: StackConfig,
  names: readonly SoftwareName[],
  onLine: OnLine,
): Promise<void> => {
  if (missing(config, names).length === 0) return;
  await provideSystemPrograms(["java", "mvn"], onLine);
  await mkdir(config.software, { recursive: true });
  await withLock(join(config.software, "lock"), onLine, async () => {
    const wanted = missing(config, names); // somebody else may have fetched them while we waited
    if (wanted.length === 0) return;
    const incoming = join(config.software, "incoming");
    await rm(incoming, { recursive: true, force: true });
    await runMaven(wanted, incoming, onLine);
    for (const name of wanted) await place(join(incoming, name), softwareFolder(config, name));
    await rm(incoming, { recursive: true, force: true });
  });
};

const missing = (config: StackConfig, names: readonly SoftwareName[]): SoftwareName[] =>
  names.filter((name) => !existsSync(softwareFolder(config, name)));

const place = async (from: string, to: string): Promise<void> => {
  if ((await readdir(from)).length === 0)
    throw new OperatingError("download-failed", `download of ${to}: Maven reported success and brought nothing`, {
      retry: true,
    });
  await rename(from, to);
};

const runMaven = (names: readonly SoftwareName[], folder: string, onLine: OnLine): Promise<void> =>
  new Promise((done, fail) => {
    onLine(`downloading ${names.join(", ")} with Maven (once; about 650 MB for all)`);
    const maven = spawn(
      "mvn",
      ["-B", "-f", pom, "-pl", names.join(","), `-Dstack.out=${folder}`, "-Dstyle.color=never", "process-resources"],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const progress = progressOf(onLine);
    for (const output of [maven.stdout, maven.stderr]) createInterface({ input: output }).on("line", progress.line);
    maven.once("error", fail);
    maven.once("close", (code) => {
      progress.end();
      if (code === 0) return done();
      const message = ["Maven could not bring the servers:", ...progress.errors].join("\n  ");
      fail(new OperatingError("download-failed", message, { retry: true }));
    });
  });

/** Counts what Maven says that it downloaded and reports it every other second; keeps its errors. */
const progressOf = (onLine: OnLine): { line: OnLine; end: () => void; errors: string[] } => {
  let files = 0;
  let megabytes = 0;
  let latest = "";
  const errors: string[] = [];
  const timer = setInterval(() => {
    if (files > 0) onLine(`  ${files} files, ${megabytes.toFixed(0)} MB so far; last ${latest}`);
  }, 2_000);
  return {
    errors,
    line: (line) => {
      if (line.startsWith("[ERROR]") && errors.length < 10) errors.push(line.slice(8));
      const downloaded = /^\[INFO\] Downloaded from .*\/([^/]+) \(([\d.]+) (B|kB|MB)/.exec(line);
      if (downloaded === null) return;
      files += 1;
      megabytes += Number(downloaded[2]) * { B: 1e-6, kB: 1e-3, MB: 1 }[downloaded[3] as "B" | "kB" | "MB"];
      latest = downloaded[1] ?? "";
    },
    end: () => clearInterval(timer),
  };
};
