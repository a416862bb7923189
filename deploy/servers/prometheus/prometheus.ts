/** Prometheus with the project's rules (deploy/prometheus): the third eye. Here it runs beside what it looks at; in earnest, on another machine. */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { host, type StackConfig } from "../../config.ts";
import type { Place, ServerSpec } from "../../server.ts";
import { programPath } from "../../system-packages.ts";
import { answers } from "../http-probe.ts";

const shipped = join(import.meta.dirname, "..", "..", "prometheus");
const url = (ports: StackConfig["ports"]): string => `http://${host}:${ports.prometheus}`;

/** Where whoever starts a role writes what is to be scraped; read again within 30 s of a change. */
export const targetsFolder = (data: string): string => join(data, "prometheus", "targets");

const prepare = async ({ folder, ports }: Place): Promise<void> => {
  for (const name of ["targets", "alertmanagers"]) await mkdir(join(folder, name), { recursive: true });
  for (const name of ["prometheus.yml", "afferent.rules.yml"]) await copyFile(join(shipped, name), join(folder, name));
  const alertmanagers = [{ targets: [`${host}:${ports.alertmanager}`] }];
  await writeFile(join(folder, "alertmanagers", "stack.json"), JSON.stringify(alertmanagers));
};

export const prometheus: ServerSpec = {
  name: "prometheus",
  systemPackage: "prometheus",
  ports: (ports) => [ports.prometheus],
  url,
  prepare,
  command: ({ folder, ports }) => ({
    file: programPath("prometheus") ?? "prometheus",
    args: [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      "--storage.tsdb.retention.time=7d",
      `--web.listen-address=${host}:${ports.prometheus}`,
      "--log.level=warn",
    ],
  }),
  healthy: (ports, limitMs) =>
    answers(`${url(ports)}/api/v1/rules`, limitMs, (body) => body.includes('"name":"HeartbeatMissed"')),
  startMs_max: 20_000,
  stopMs_max: 10_000,
};
