/** Alertmanager with the project's routes (deploy/prometheus/alertmanager.yml), whose addresses lead nowhere until somebody sets them. */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { host, type StackConfig } from "../../config.ts";
import type { ServerSpec } from "../../server.ts";
import { programPath } from "../../system-packages.ts";
import { answers } from "../http-probe.ts";

const shipped = join(import.meta.dirname, "..", "..", "prometheus", "alertmanager.yml");
const url = (ports: StackConfig["ports"]): string => `http://${host}:${ports.alertmanager}`;

export const alertmanager: ServerSpec = {
  name: "alertmanager",
  systemPackage: "prometheus-alertmanager",
  ports: (ports) => [ports.alertmanager],
  url,
  prepare: async ({ folder }) => {
    await mkdir(folder, { recursive: true });
    await copyFile(shipped, join(folder, "alertmanager.yml"));
  },
  command: ({ folder, ports }) => ({
    file: programPath("prometheus-alertmanager") ?? "prometheus-alertmanager",
    args: [
      `--config.file=${join(folder, "alertmanager.yml")}`,
      `--storage.path=${join(folder, "data")}`,
      `--web.listen-address=${host}:${ports.alertmanager}`,
      "--cluster.listen-address=", // alone: no gossip port
      "--log.level=warn",
    ],
  }),
  healthy: (ports, limitMs) =>
    answers(`${url(ports)}/api/v2/receivers`, limitMs, (body) => body.includes('"name":"on-call"')),
  startMs_max: 20_000,
  stopMs_max: 10_000,
};
