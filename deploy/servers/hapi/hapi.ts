/** HAPI FHIR, the EHR of the full stack: R4, every write validated, kept in a file. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { host, type StackConfig } from "../../config.ts";
import type { ServerSpec } from "../../server.ts";
import { answers } from "../http-probe.ts";
import { classPath, java } from "../java.ts";

const logging = `<!-- Written by deploy/servers/hapi/hapi.ts at each start: what it is starting with, and what goes wrong. -->
<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{ISO8601} %-5level %logger{30} %msg%n</pattern></encoder>
  </appender>
  <root level="warn"><appender-ref ref="out" /></root>
  <logger name="org.eclipse.jetty.server.Server" level="info" />
</configuration>
`;

const url = (ports: StackConfig["ports"]): string => `http://${host}:${ports.hapi}/fhir`;

export const hapi: ServerSpec = {
  name: "hapi",
  software: "hapi",
  ports: (ports) => [ports.hapi],
  url,
  prepare: async ({ folder }) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "logback.xml"), logging);
  },
  command: ({ folder, software, built, ports }) => ({
    file: "java",
    args: [
      // With 512 MB it mostly collects garbage. C1 alone: ready after 16 CPU seconds rather than 30, and the first 250 validated
      // writes take 10 rather than 14; only after some 2,000 writes C2 would have paid (7 and falling for the fourth 250).
      ...java(768),
      "-XX:TieredStopAtLevel=1",
      `-Dlogback.configurationFile=${join(folder, "logback.xml")}`,
      "-cp",
      classPath(built, software),
      "FhirServer",
      host,
      String(ports.hapi),
      join(folder, "fhir"),
    ],
  }),
  healthy: (ports, limitMs) =>
    answers(`${url(ports)}/metadata?_elements=fhirVersion`, limitMs, (body) => body.includes("CapabilityStatement")),
  startMs_max: 240_000,
  stopMs_max: 20_000,
};
