/** Draws the topology as Mermaid from the code, so that the picture can't grow old. */
import { describeTopology } from "../compose.ts";
import type { AnyTopic } from "../core/stage.ts";
import type { Topology } from "../core/topology.ts";

const id = (name: string): string => name.replaceAll(/[^a-zA-Z]/g, "_");

/** Stages as boxes, topics as cylinders with their key and partitions. */
export const mermaid = (topology: Topology): string =>
  [
    "flowchart LR",
    ...topology.topics.map((t) => `  ${id(t.name)}[("${t.name}<br/>${t.partitions} x ${t.key}")]`),
    ...topology.stages.flatMap((s) => [
      `  ${id(`stage.${s.name}`)}["${s.name} v${s.version}"]`,
      `  ${id(s.reads.name)} --> ${id(`stage.${s.name}`)}`,
      ...Object.values<AnyTopic>(s.writes).map((t) => `  ${id(`stage.${s.name}`)} --> ${id(t.name)}`),
    ]),
  ].join("\n");

export const graph = async (): Promise<void> => {
  process.stdout.write(`${mermaid(await describeTopology({ destinations: [], demoApproval: false }))}\n`);
};
