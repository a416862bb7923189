/** The command line's view of what destinations refused for good: listed, sent again or dropped by a named person. */
import type { Delivery, Intent } from "../../schemas/records/clinical.ts";
import { deliveries, outbox } from "../../schemas/topics.ts";
import { openPlatform, type Platform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import type { Body, Envelope, Topic } from "../core/topic.ts";
import { resourceKey } from "../io/outbox/standing.ts";
import { heldRecords } from "../log/held-records.ts";
import { recordAct } from "../log/stage-acts.ts";
import { type Parked, parkedIn, type Told } from "./parked/fold.ts";

type Ports = Pick<Platform, "log" | "wire">;

export interface Person {
  /** A person's name. */
  readonly as: string;
  readonly because: string;
}

/** Everything that a partition holds now. Codes: `log-unavailable`, and the reason for which a record can't be read: nothing is guessed. */
async function* recordsOf<B extends Body>(
  ports: Ports,
  topic: Topic<B>,
  partition: number,
): AsyncGenerator<{ readonly stampMs: number; readonly envelope: Envelope<B> }> {
  for await (const { decoded, stampMs } of heldRecords(ports, topic, partition)) {
    if (!decoded.ok) throw new OperatingError(decoded.problem.reason, decoded.problem.detail, { retry: false });
    yield { stampMs, envelope: decoded.value as Envelope<B> };
  }
}

/** What is parked now, oldest first. */
export const parkedNow = async (ports: Ports): Promise<readonly Parked[]> => {
  const told: Told[] = [];
  for (let partition = 0; partition < deliveries.partitions; partition++)
    for await (const { stampMs, envelope } of recordsOf(ports, deliveries, partition))
      if (envelope.body.kind === "delivery") told.push({ delivery: envelope.body, atMs: stampMs });
  return parkedIn(told);
};

const oneOf = async (ports: Ports, id: string): Promise<Parked> => {
  const found = (await parkedNow(ports)).filter((one) => id !== "" && one.id.startsWith(id));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  throw new OperatingError(
    "parked-unknown",
    found.length === 0 ? `nothing is parked under ${id}` : `${id} is the beginning of ${found.length} parked ones`,
    { retry: false },
  );
};

/** The newest intent for a parked delivery's resource, as the outbox has it. */
const newestIntent = async (ports: Ports, delivery: Delivery): Promise<Envelope<Intent> | undefined> => {
  const key = resourceKey(delivery);
  let newest: Envelope<Intent> | undefined;
  for await (const { envelope } of recordsOf(ports, outbox, partitionOf(delivery.patientKey, outbox.partitions))) {
    const { body } = envelope;
    if (body.kind !== "intent" || resourceKey(body) !== key) continue;
    if (newest === undefined || body.revision >= newest.body.revision) newest = { ...envelope, body };
  }
  return newest;
};

const append = async <B extends Body>({ log, wire }: Ports, topic: Topic<B>, key: string, envelope: Envelope<B>) => {
  const appender = await log.appender("parked");
  try {
    const partition = partitionOf(key, topic.partitions);
    await appender.append([{ topic: topic.name, partition, key, value: wire.encode(topic, envelope) }]);
  } finally {
    await appender.close();
  }
};

const actOf = (kind: "retry" | "drop", { delivery }: Parked, { as, because }: Person) => ({
  kind,
  stage: delivery.destination,
  version: delivery.revision,
  about: `${delivery.resourceType}/${delivery.resourceId}`,
  by: as,
  reason: because,
  at: new Date().toISOString(),
});

/**
 * Puts the intent into the outbox once more; consent and standing are asked anew when its turn comes. Only the newest of a resource: an older one
 * behind a later revision, or behind its retraction, would bring back what was replaced. Codes: `parked-unknown`, `parked-superseded`,
 * `act-unnamed`.
 */
export const retryParked = async (ports: Ports, id: string, person: Person): Promise<Parked> => {
  const parked = await oneOf(ports, id);
  const found = await newestIntent(ports, parked.delivery);
  if (parked.superseded || found === undefined || found.body.revision !== parked.delivery.revision)
    throw new OperatingError(
      "parked-superseded",
      `${parked.id}: revision ${parked.delivery.revision} has a later one behind it; it can only be dropped`,
      { retry: false },
    );
  await recordAct(ports.log, actOf("retry", parked, person));
  const body: Intent = { ...found.body, resentBy: person.as };
  await append(ports, outbox, body.patientKey, { position: null, logTime: found.logTime, body });
  return parked;
};

/** Says into the deliveries that nobody waits for it any more. Codes: `parked-unknown`, `act-unnamed`. */
export const dropParked = async (ports: Ports, id: string, person: Person): Promise<Parked> => {
  const parked = await oneOf(ports, id);
  await recordAct(ports.log, actOf("drop", parked, person));
  const body: Delivery = {
    ...parked.delivery,
    outcome: "dropped",
    detail: person.because,
    versionId: null,
    by: person.as,
    audit: null,
  };
  await append(ports, deliveries, body.patientKey, { position: null, logTime: null, body });
  return parked;
};

const lineOf = ({ id, delivery, atMs, superseded }: Parked): string =>
  [
    id,
    new Date(atMs).toISOString(),
    delivery.destination,
    `${delivery.resourceType}/${delivery.resourceId} revision ${delivery.revision}${superseded ? " (superseded)" : ""}`,
    delivery.detail,
  ].join("  ");

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const withPorts = async (config: string, does: (ports: Ports) => Promise<void>): Promise<void> => {
  const platform = await openPlatform(await readConfig(config), "parked");
  try {
    await does(platform);
  } finally {
    await platform.close();
  }
};

export const list = (options: { config: string; json?: boolean }): Promise<void> =>
  withPorts(options.config, async (ports) => {
    const parked = await parkedNow(ports);
    for (const one of parked) say(options.json === true ? JSON.stringify(one) : lineOf(one));
    if (parked.length === 0 && options.json !== true) say("nothing is parked");
  });

type Options = Person & { readonly config: string };

export const retry = (id: string, options: Options): Promise<void> =>
  withPorts(options.config, async (ports) => {
    const { delivery } = await retryParked(ports, id, options);
    say(`sent again to ${delivery.destination}: ${delivery.resourceType}/${delivery.resourceId}`);
  });

export const drop = (id: string, options: Options): Promise<void> =>
  withPorts(options.config, async (ports) => {
    const { delivery } = await dropParked(ports, id, options);
    say(`dropped, was for ${delivery.destination}: ${delivery.resourceType}/${delivery.resourceId}`);
  });
