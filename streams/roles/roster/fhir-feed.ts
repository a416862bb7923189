/**
 * Reads what changed at a FHIR server, type by type, from where it had come to. A resource that can't be used is counted and passed by; a server that
 * hangs, drips or gives rubbish leaves the place where it was, and is asked again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fhirEvent, type FhirNaming } from "../../../topologies/roster/fhir.ts";
import type { RosterEvent } from "../../../topologies/roster/events.ts";
import { utcInstant } from "../../../schemas/fhir/instant.ts";
import type { Authorization } from "../../io/authorization/authorization.ts";
import { searchFhir } from "../../io/fhir/search.ts";
import type { RosterService } from "./service.ts";
import type { RosterStore } from "./store.ts";

export interface FeedOptions {
  readonly baseUrl: string;
  readonly everyMs: number;
  readonly timeoutMs?: number;
  readonly authorization?: Authorization | undefined;
  readonly naming: FhirNaming;
  readonly service: RosterService;
  readonly store: RosterStore;
  readonly onResource: (outcome: string, type: string) => void;
  /** A round that was read to its end. */
  readonly onRound: () => void;
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
}

type ReadType = "Patient" | "Device" | "Encounter";

/** Patients first: encounters refer to them. */
const typesOf = ({ deviceSystem }: FhirNaming): readonly ReadType[] =>
  deviceSystem === null ? ["Patient", "Encounter"] : ["Patient", "Device", "Encounter"];

/** What is written while it is read may bear an earlier time than what was read already. */
const overlapMs = 60_000;
const pageSize = 200;

/** Until aborted. */
export const followFhir = async (options: FeedOptions, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    try {
      for (const type of typesOf(options.naming)) await readChanges(type, options, signal);
      options.onRound();
    } catch (error) {
      if (!signal.aborted) options.onError(error);
    }
    await sleep(options.everyMs, undefined, { signal }).catch(() => undefined);
  }
};

/**
 * One type from its place on; the place moves once all was applied, and what is read again changes nothing. It never moves past our own clock at the
 * beginning: a resource that bears a later time would hide what is written after it. Codes: those of searchFhir.
 */
export const readChanges = async (
  type: ReadType,
  { baseUrl, naming, service, store, timeoutMs = 15_000, authorization, onResource, now }: FeedOptions,
  signal: AbortSignal,
): Promise<void> => {
  const cursor = `fhir/${naming.destination}/${type}`;
  const begunMs = now();
  const kept = Number(store.meta(cursor) ?? 0);
  const from = Math.min(kept, begunMs);
  const since = from === 0 ? "" : `&_lastUpdated=ge${utcInstant(Math.max(0, from - overlapMs))}`;
  const search = `${type}?_sort=_lastUpdated&_count=${pageSize}${since}`;
  const cause = `FHIR ${naming.destination} ${type}`;
  let newest = from;
  let page: RosterEvent[] = [];
  for await (const resource of searchFhir(search, { baseUrl, timeoutMs, authorization, signal })) {
    const event = fhirEvent(resource, naming);
    onResource(event.ok ? "applied" : event.problem.reason, type);
    if (!event.ok) continue;
    newest = Math.max(newest, Math.min(event.value.recordedMs, begunMs));
    page.push(event.value);
    if (page.length < pageSize) continue;
    service.applyAll(page, cause);
    page = [];
  }
  service.applyAll(page, cause, () => {
    if (newest !== kept) store.setMeta(cursor, String(newest));
  });
};
