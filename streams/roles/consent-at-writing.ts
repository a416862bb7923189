/** Asks for consent once more immediately before each write, of the newest that the log holds. */
import { disclosuresOf, type Hop } from "../../schemas/fhir/consent-question.ts";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Zones } from "../../schemas/fhir/moment.ts";
import type { Intent } from "../../schemas/records/clinical.ts";
import type { FhirConsent, Withheld } from "../../schemas/records/consent.ts";
import { events } from "../../schemas/topics.ts";
import { consentedAll } from "../../topologies/gates/consented-all.ts";
import { partitionOf } from "../core/hash.ts";
import { logTime } from "../core/time.ts";
import type { Wire } from "../core/wire.ts";
import { parsedIntent } from "../io/outbox/parsed.ts";
import type { Log } from "../log/log.ts";
import type { ConsentTable, KnownConsents } from "./consent-table.ts";

export interface ConsentAtWriting {
  readonly table: Pick<ConsentTable, "of">;
  /** In the ward's time, as the log has it. */
  readonly now: () => number | Promise<number>;
  /** Each destination as its configuration has it; of one that is not among them only the name is known. */
  readonly hops: readonly Hop[];
  readonly zones?: Zones | undefined;
  /** The source that is read, and for how long it is believed after it was last heard. Others are not read by anybody. */
  readonly source?: { readonly name: string; readonly freshForMs: number } | undefined;
  /** Told of what may be written yet, should a consent become known; resolves when that is durable. */
  readonly onWithheld?: ((withheld: Withheld) => Promise<void>) | undefined;
}

/** What a source said counts until it was not heard for its time; one that nobody reads any more vouches for nothing. */
const isStale = (
  { source, readAt }: FhirConsent,
  { heard }: KnownConsents,
  read: ConsentAtWriting["source"],
  at: number,
): boolean => read?.name !== source || at - Math.max(readAt, heard.get(source) ?? 0) > read.freshForMs;

/** Where no denial is enough, a source that is not heard may hold one. */
const blindness = ({ heard }: KnownConsents, read: ConsentAtWriting["source"], at: number): string | null => {
  if (read === undefined) return null;
  const last = heard.get(read.name);
  if (last !== undefined && at - last <= read.freshForMs) return null;
  return `${read.name} was ${last === undefined ? "never heard" : `last heard at ${utcInstant(last)}`}`;
};

const withheldOf = ({ identity, revision, patientKey, destination }: Intent, reason: string): Withheld => ({
  kind: "withheld",
  identity,
  revision,
  patientKey,
  destination,
  reason,
});

/** Says to the gates what was withheld; durable when it resolves. */
export const tellingWithheld = async (
  log: Log,
  wire: Wire,
  now: ConsentAtWriting["now"],
): Promise<(withheld: Withheld) => Promise<void>> => {
  const appender = await log.appender("consent-withheld");
  return async (body) =>
    appender.append([
      {
        topic: events.name,
        partition: partitionOf(body.patientKey, events.partitions),
        key: body.patientKey,
        value: wire.encode(events, { position: null, logTime: logTime(Math.round(await now())), body }),
      },
    ]);
};

/** Of the resource and of each Observation beside it. Rejects with the table's codes: then nothing is written, and it is asked again. */
export const consentAtWriting =
  ({ table, now, hops, zones, source, onWithheld }: ConsentAtWriting) =>
  async (intent: Intent): Promise<{ passed: boolean; reason: string; detail: string }> => {
    // clinical.md 10: taking back discloses nothing
    if (intent.action === "retract")
      return { passed: true, reason: "passed", detail: "a retraction discloses nothing" };
    const known = await table.of(intent.patientKey);
    const at = await now();
    const hop = hops.find(({ name }) => name === intent.destination) ?? { name: intent.destination };
    const { resource, beside } = parsedIntent(intent);
    if (resource === undefined || beside.includes(undefined)) throw new SyntaxError("a resource that is no JSON");
    const disclosed = disclosuresOf(resource, beside);
    const answer = consentedAll(
      known,
      disclosed,
      { hop, now: at },
      {
        zones,
        blind: blindness(known, source, at),
        isStale: (record) => isStale(record, known, source, at),
      },
    );
    if (!answer.passed && answer.reason !== "consent-denied") await onWithheld?.(withheldOf(intent, answer.reason));
    return answer;
  };
