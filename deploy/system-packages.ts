/** What comes from the operating system's packages: installed here where we may, else the command to do it is named. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { OperatingError } from "../streams/core/failure.ts";

/** Takes progress, a line at a time. */
export type OnLine = (line: string) => void;

/** Program to Debian package. */
const packages = {
  mosquitto: "mosquitto",
  java: "default-jdk-headless",
  javac: "default-jdk-headless",
  mvn: "maven",
  chromium: "chromium",
  prometheus: "prometheus",
  promtool: "prometheus",
  "prometheus-alertmanager": "prometheus-alertmanager",
  amtool: "prometheus-alertmanager",
} as const;
export type SystemProgram = keyof typeof packages;

/** Where the program is; undefined when it isn't. Servers are often outside a plain user's PATH. */
export const programPath = (name: string): string | undefined =>
  [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]
    .map((folder) => join(folder, name))
    .find(isExecutable);

/** Codes: `package-missing`, whose message is the command that installs it. */
export const provideSystemPrograms = async (names: readonly SystemProgram[], onLine: OnLine): Promise<void> => {
  const missing = names.filter((name) => programPath(name) === undefined);
  if (missing.length === 0) return;
  const wanted = [...new Set(missing.map((name) => packages[name]))];
  const command = `apt-get install -y --no-install-recommends ${wanted.join(" ")}`;
  if (process.getuid?.() !== 0 || programPath("apt-get") === undefined)
    throw packageMissing(missing, `sudo apt-get update && sudo ${command}`);
  onLine(`installing ${wanted.join(", ")} with apt-get`);
  await run("apt-get", ["update", "-qq"]);
  const code = await run("apt-get", ["-qq", ...command.split(" ").slice(1)]);
  if (code !== 0 || missing.some((name) => programPath(name) === undefined)) throw packageMissing(missing, command);
};

const packageMissing = (names: readonly string[], command: string): OperatingError =>
  new OperatingError("package-missing", `not installed: ${names.join(", ")}. This installs them:\n  ${command}`, {
    retry: false,
  });

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run
  }
};

/** RUNLEVEL=1 keeps the packages from starting services of their own, which would take the ports. */
const run = (file: string, args: readonly string[]): Promise<number | null> =>
  new Promise((done, fail) => {
    const child = spawn(file, args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    });
    child.once("error", fail);
    child.once("close", done);
  });
