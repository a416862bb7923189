/**
 * The alert circuit as a world: its four stages over what two simulated beds send, an escalation policy, and people who accept, reject and
 * reset the pages that come of it, ones that are not there among them.
 */
import { logTime } from "../../streams/core/time.ts";
import { partitionOf } from "../../streams/core/hash.ts";
import { loadAdapters } from "../../streams/io/device-adapters.ts";
import type { LogRecord } from "../../streams/log/log.ts";
import type { Answer, Page, Policy } from "../../schemas/records/alert.ts";
import { alarms, notifications, raw } from "../../schemas/topics.ts";
import { circuitTopology } from "../../topologies/circuit.ts";
import { plainFold, type Told } from "./plain-fold.ts";
import { type Made, make, worldOf } from "./real-ward.ts";
import type { World } from "./world.ts";

const everyPriority = (chain: string): Policy["units"][number]["schedules"] => [
  { priorities: ["high", "medium", "low"], fromMinute: 0, toMinute: 0, chain },
];
const unitOf = (unit: string): Policy["units"][number] => ({
  unit,
  utcOffsetMinutes: 60,
  offsets: [],
  schedules: everyPriority("bedside"),
  lastResort: { to: ["resort"], repeatMs: 20_000 },
  remindAcceptedMs: 30_000,
  assignments: [],
});
const recipient = (id: string): Policy["recipients"][number] => ({
  id,
  role: "nurse",
  inside: id !== "resort",
  test: false,
  addresses: [{ notifier: "pager", to: id }],
});
const policy: Policy = {
  kind: "policy",
  version: 1,
  effectiveFrom: logTime(0),
  recipients: ["nurse", "charge", "resort"].map(recipient),
  chains: [
    {
      name: "bedside",
      steps: ["nurse", "charge"].map((id) => ({ to: [id], acceptWithinMs: 15_000 })),
      continuesWith: null,
    },
  ],
  units: [unitOf("*"), unitOf("platform")],
};

/** What the stages make of the input by the plain loop, one after the other: people answer what is there. */
const pagesOf = ({ topology, wire, records }: Made): readonly Page[] => {
  const logs = new Map<string, LogRecord[]>();
  for (const [topic, partition, all] of records) logs.set(`${topic.name}/${partition}`, [...all]);
  const append = (
    { topic, partition, key, ...told }: Told,
    from: { readonly writer: string; readonly topic: string; readonly partition: number },
  ): void => {
    const log = logs.getOrInsertComputed(`${topic}/${partition}`, () => []);
    const position = { ...from, offset: told.offset, n: told.n };
    const value = wire.encode(topology.topic(topic), {
      position,
      logTime: logTime(told.logTime),
      body: told.body,
    });
    log.push({ offset: log.length, key, value, stampMs: told.logTime });
  };
  for (const stage of topology.stages)
    for (let partition = 0; partition < stage.reads.partitions; partition++) {
      const input = logs.get(`${stage.reads.name}/${partition}`) ?? [];
      for (const told of plainFold(stage, partition, topology.upstreams(stage.reads.name), input, wire))
        append(told, { writer: stage.name, topic: stage.reads.name, partition });
    }
  return (logs.get(`${notifications.name}/0`) ?? []).flatMap(({ value }) => {
    const decoded = wire.decode(notifications, value);
    return decoded.ok && decoded.value.body.kind === "page" ? [decoded.value.body] : [];
  });
};

/** Every third page is accepted, every third rejected and then accepted, the others answered by somebody whom nobody knows. */
const answersTo = (pages: readonly Page[]): { readonly unit: string; readonly answer: Answer }[] => {
  const first = [...new Map(pages.map((page) => [page.identity, page])).values()];
  const say = (page: Page, who: string, what: Answer["what"]): { unit: string; answer: Answer } => ({
    unit: page.unit,
    answer: {
      kind: "answer",
      id: `${page.identity}/${who}/${what}`,
      page: page.identity,
      who,
      what,
      at: 0,
      via: "test",
    },
  });
  return first.flatMap((page, i) => {
    if (i % 3 === 0) return [say(page, "nurse", "accept")];
    if (i % 3 === 1) return [say(page, "nurse", "reject"), say(page, "charge", "accept"), say(page, "charge", "reset")];
    return [say(page, "a stranger", "accept")];
  });
};

const makeCircuit = async (): Promise<Made> => {
  const made = await make(circuitTopology(await loadAdapters()), [raw]);
  const { wire, topology } = made;
  const stampMs = Math.min(...made.records.flatMap(([, , all]) => all.map((record) => record.stampMs)));
  const encoded = (body: Policy | Answer): Uint8Array =>
    wire.encode(alarms, { position: null, logTime: logTime(stampMs), body });
  const policies = Array.from({ length: alarms.partitions }, (_, partition): Made["records"][number] => [
    alarms,
    partition,
    [{ offset: 0, key: "", value: encoded(policy), stampMs }],
  ]);
  const answers = answersTo(pagesOf({ topology, wire, records: [...policies, ...made.records] }));
  const withAnswers = policies.map(([topic, partition, first]): Made["records"][number] => [
    topic,
    partition,
    [
      ...first,
      ...answers
        .filter(({ unit }) => partitionOf(unit, topic.partitions) === partition)
        .map(({ unit, answer }, i) => ({ offset: i + 1, key: unit, value: encoded(answer), stampMs })),
    ],
  ]);
  return { topology, wire, records: [...made.records, ...withAnswers] };
};

let made: Promise<Made> | undefined;

export const circuitWard = async (): Promise<World> => {
  made ??= makeCircuit();
  return worldOf(await made);
};
