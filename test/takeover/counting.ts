/** A stage with as many keys as one likes: counts each key's entries and says the count. For takeovers under load. */
import { body, envelope, int, string } from "../../schemas/avro.ts";
import { tick } from "../../schemas/records/broadcast.ts";
import { quarantined } from "../../schemas/records/quarantine.ts";
import { stage } from "../../streams/core/stage.ts";
import { topic } from "../../streams/core/topic.ts";
import { topology } from "../../streams/core/topology.ts";
import { localRegistry } from "../../streams/io/registry/local.ts";
import { openWire } from "../../streams/io/registry/wire.ts";

const seen = body("seen", { key: string, n: int });
export const counted = topic("takeover.in", {
  partitions: 2,
  key: "key",
  raw: true,
  codec: envelope("TakeoverInput", [seen, tick]),
});
export const counts = topic("takeover.out", {
  partitions: 2,
  key: "key",
  codec: envelope("TakeoverOutput", [seen, tick]),
});
const refused = topic("takeover.refused", {
  partitions: 1,
  key: "key",
  codec: envelope("TakeoverRefused", [quarantined, tick]),
});

export const counting = stage("takeover", {
  version: 1,
  reads: counted,
  writes: { counts, refused },
  quarantine: "refused",
  step(state, { key, body: entry }, out) {
    if (entry.kind !== "seen") return;
    const n = ((state.get("n") as number | undefined) ?? 0) + 1;
    state.set("n", n);
    out.emit("counts", key, { kind: "seen", key, n });
  },
});
export const countingTopology = topology([counting]);

/** `schemas`: a file that every process of the test shares. */
export const openCountingWire = (schemas: string) => openWire(localRegistry(schemas), countingTopology.topics);
