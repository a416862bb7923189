/** Apicurio, the schema registry: its Confluent API, kept in a file, refusing what older readers could not read. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { OperatingError } from "../../../streams/core/failure.ts";
import { host, type StackConfig } from "../../config.ts";
import type { ServerSpec } from "../../server.ts";
import { answers } from "../http-probe.ts";
import { java } from "../java.ts";

const compatibility = "BACKWARD_TRANSITIVE";

const url = (ports: StackConfig["ports"]): string => `http://${host}:${ports.apicurio}/apis/ccompat/v7`;

/** Apicurio starts with NONE, under which every change is taken. Code: `registry-unruled`. */
const requireCompatibility = async (ports: StackConfig["ports"]): Promise<void> => {
  const response = await fetch(`${url(ports)}/config`, {
    method: "PUT",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ compatibility }),
  });
  if (!response.ok)
    throw new OperatingError(
      "registry-unruled",
      `apicurio does not take ${compatibility}: ${response.status} ${await response.text()}`,
      { retry: true },
    );
};

export const apicurio: ServerSpec = {
  name: "apicurio",
  software: "apicurio",
  ports: (ports) => [ports.apicurio],
  url,
  prepare: async ({ folder }) => {
    await mkdir(folder, { recursive: true });
  },
  command: ({ folder, software, ports }) => ({
    file: "java",
    args: [...java(256), "-jar", join(software, "apicurio-registry-app-2.6.13.Final-runner.jar")],
    environment: {
      QUARKUS_HTTP_HOST: host,
      QUARKUS_HTTP_PORT: String(ports.apicurio),
      // In memory by default: a restart would give the schemas other ids, and nothing written before could be decoded.
      // WRITE_DELAY=0: on disk before the answer, not half a second later.
      REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(folder, "registry")};WRITE_DELAY=0`,
    },
  }),
  healthy: (ports, limitMs) => answers(`${url(ports)}/subjects`, limitMs, (body) => body.startsWith("[")),
  afterStart: requireCompatibility,
  startMs_max: 60_000,
  stopMs_max: 15_000,
};
