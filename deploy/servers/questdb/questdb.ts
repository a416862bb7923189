/** QuestDB, the time-series store. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readdirSync } from "node:fs";
import { host, type StackConfig } from "../../config.ts";
import type { Place, ServerSpec } from "../../server.ts";
import { answers } from "../http-probe.ts";
import { java } from "../java.ts";

export const questdbSettings = ({
  ports,
}: Place): string => `# Written by deploy/servers/questdb/questdb.ts at each start.
# Queries, and ILP over HTTP, whose answer says whether rows were committed; ILP over TCP has no answer.
http.bind.to=${host}:${ports.questdbHttp}
line.tcp.enabled=false
line.udp.enabled=false
pg.net.bind.to=${host}:${ports.questdbPg}
# A second health port with nothing behind it that /exec does not say better.
http.min.enabled=false
metrics.enabled=true
telemetry.enabled=false
# Tables are declared with their deduplication keys; a table or column made up by a writer would have none.
line.auto.create.new.tables=false
line.auto.create.new.columns=false
# The default, nosync, answers while rows are in the page cache only: our progress is recorded after the answer, so what a power
# loss took then would not be written again.
cairo.commit.mode=sync
`;

const logging = `# Every query is an INFO line: errors and what QuestDB wants an operator to read are enough.
writers=stdout
w.stdout.class=io.questdb.log.LogConsoleWriter
w.stdout.level=ERROR,CRITICAL,ADVISORY
`;

const prepare = async ({ folder, ...place }: Place): Promise<void> => {
  await mkdir(join(folder, "conf"), { recursive: true });
  await writeFile(join(folder, "conf", "server.conf"), questdbSettings({ folder, ...place }));
  await writeFile(join(folder, "conf", "log.conf"), logging);
};

const baseUrl = (ports: StackConfig["ports"]): string => `http://${host}:${ports.questdbHttp}`;

export const questdb: ServerSpec = {
  name: "questdb",
  software: "questdb",
  ports: (ports) => [ports.questdbHttp, ports.questdbPg],
  url: baseUrl,
  prepare,
  command: ({ folder, software }) => ({
    file: "java",
    args: [
      ...java(384),
      "-p",
      readdirSync(software)
        .map((jar) => join(software, jar))
        .join(":"),
      "--add-exports",
      "java.base/jdk.internal.math=io.questdb",
      "-m",
      "io.questdb/io.questdb.ServerMain",
      "-d",
      folder,
    ],
  }),
  healthy: (ports, limitMs) =>
    answers(`${baseUrl(ports)}/exec?query=select%201`, limitMs, (body) => body.includes('"dataset":[[1]]')),
  startMs_max: 60_000,
  stopMs_max: 15_000,
};
