/** Asks for consent once more immediately before each write, of the newest that the log holds. */
import { disclosedBy, type Hop } from "../../schemas/fhir/consent-question.ts";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Zones } from "../../schemas/fhir/moment.ts";
import type { FhirConsent, Intent } from "../../schemas/records.ts";
import { consented } from "../../topologies/gates/consented.ts";
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

/** Rejects with the table's codes: then nothing is written, and it is asked again. */
export const consentAtWriting =
  ({ table, now, hops, zones, source }: ConsentAtWriting) =>
  async (intent: Intent): Promise<{ passed: boolean; reason: string; detail: string }> => {
    // clinical.md 10: taking back discloses nothing
    if (intent.action === "retract")
      return { passed: true, reason: "passed", detail: "a retraction discloses nothing" };
    const known = await table.of(intent.patientKey);
    const at = await now();
    const hop = hops.find(({ name }) => name === intent.destination) ?? { name: intent.destination };
    const question = { ...disclosedBy(JSON.parse(intent.resource)), hop, now: at };
    return consented(known, question, {
      zones,
      blind: blindness(known, source, at),
      isStale: (record) => isStale(record, known, source, at),
    });
  };
