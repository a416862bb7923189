/**
 * From MQTT to the raw log, in messages per CPU-second of the process that carries them: the platform's ingest, and a bare pipe on the same
 * broker and Kafka. Both stand ready before the load comes: start-up is counted for neither.
 */
import { join } from "node:path";
import { freePorts } from "../../deploy/ports.ts";
import { raw } from "../../schemas/topics.ts";
import { type BenchStack, roleConfig } from "./bench-stack.ts";
import { type Child, cpuSeconds, startChild } from "./process-cpu.ts";
import { metric, until } from "./watch.ts";

export interface Load {
  readonly messages: number;
  readonly devices: number;
}

const here = import.meta.dirname;
const main = join(here, "../../streams/main.ts");

export const barePipe = async (stack: BenchStack, load: Load): Promise<number> => {
  const topic = "bench.bare";
  await stack.createTopic(topic, raw.partitions);
  const pipe = startChild(join(here, "bare-pipe.ts"), stack.mqttUrl, stack.broker, topic);
  await pipe.says("ready");
  return await underLoad(pipe, stack, load, async () => (await stack.taken(topic)) >= load.messages);
};

export const ingest = async (stack: BenchStack, load: Load): Promise<number> => {
  const nobody = { version: 1, devices: [], beds: [], associations: [], patients: [], consents: [] };
  const { file } = roleConfig(stack, "ingest", nobody);
  const port = (await freePorts()).hapi;
  const role = startChild(main, "ingest", "--config", file, "--metrics-port", String(port));
  await role.says("afferent ingest");
  const received = () => metric(port, "afferent_received_messages_total");
  const before = await received();
  return await underLoad(role, stack, load, async () => (await received()) - before >= load.messages);
};

/** Messages per CPU-second that a process spends while the broker takes the load and it takes the load from the broker. */
const underLoad = async (
  child: Child,
  stack: BenchStack,
  { messages, devices }: Load,
  done: () => Promise<boolean>,
): Promise<number> => {
  const before = cpuSeconds(child.pid);
  const load = startChild(join(here, "load.ts"), stack.mqttUrl, String(messages), String(devices));
  if ((await load.ended) !== 0) throw new Error("the load could not be sent");
  await until(done, "taking the load");
  const spent = cpuSeconds(child.pid) - before;
  await child.stop();
  return messages / spent;
};
