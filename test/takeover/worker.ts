/** One worker of the counting stage, as a process of its own: `node worker.ts BROKER SCHEMAS`. Prints a line when it has joined. */
import { kafkaLog } from "../../streams/log/kafka.ts";
import { runStage } from "../../streams/log/stage-runner.ts";
import { counting, countingTopology, openCountingWire } from "./counting.ts";

const [broker = "", schemas = ""] = process.argv.slice(2);
const log = kafkaLog({ brokers: [broker], clientId: `takeover-${process.pid}` });
const subscription = await runStage(counting, countingTopology, {
  log,
  wire: await openCountingWire(schemas),
  lingerMs: 5,
  onError: (_stage, partition, error) => console.error(`partition ${partition}: ${error}`),
});
process.stdout.write("joined\n");
await subscription.done;
