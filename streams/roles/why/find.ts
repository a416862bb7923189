/** Which event is meant: by its identity, by the id under which a destination keeps its resource, or by a device and a time. */
import { OperatingError } from "../../core/failure.ts";
import type { Episode } from "../../../schemas/records/telemetry.ts";
import { decisions, episodes, outbox } from "../../../schemas/topics.ts";
import type { Ledger, Page } from "./ledger.ts";

/** An id's beginning must be at least so long: shorter ones are typing errors. */
const idShortest = 6;

/** An event that the log knows. */
export interface KnownEvent {
  readonly identity: string;
  /** When it began, by its device's corrected clock (ms); null: only resources are known of it. */
  readonly start: number | null;
}

/** The one event whose identity or resource id begins so. An id says nothing of when, so all is read. Codes: `event-unknown`, `event-ambiguous`. */
export const eventCalled = async (ledger: Ledger, asked: string): Promise<KnownEvent> => {
  const id = asked.slice(asked.lastIndexOf("/") + 1);
  if (id.length < idShortest) throw refused("event-unknown", `an id has ${idShortest} characters or more`);
  const written = identities(await ledger.those(outbox, (body) => body.kind === "intent" && namesResource(body, id)));
  const isCalledSo = ({ identity }: { readonly identity: string }) => identity.startsWith(id) || written.has(identity);
  const judged = await ledger.those(decisions, (body) => body.kind === "decision" && isCalledSo(body));
  const told =
    judged.length > 0 || written.size > 0
      ? []
      : await ledger.those(episodes, (body) => body.kind === "episode" && isCalledSo(body));
  const found = new Set([...written, ...identities([...judged, ...told])]);
  const [first, ...others] = found;
  if (first === undefined) throw refused("event-unknown", `no event and no resource is called ${id}`);
  if (others.length > 0) throw refused("event-ambiguous", `${id} begins ${found.size} identities: give more of it`);
  const starts = [...judged, ...told].flatMap(({ body }) =>
    body.kind === "decision" ? [body.episodeStart] : body.kind === "episode" ? [body.start] : [],
  );
  return { identity: first, start: starts.length === 0 ? null : Math.min(...starts) };
};

const namesResource = (intent: { readonly resourceId: string; readonly beside: readonly string[] }, id: string) =>
  intent.resourceId.startsWith(id) || intent.beside.some((resource) => resource.includes(`"id":"${id}`));

const identities = (pages: readonly Page<{ readonly kind: string }>[]): ReadonlySet<string> =>
  new Set(
    pages.map(({ body }) => (body as { identity?: string }).identity ?? "").filter((identity) => identity !== ""),
  );

/** The event of a device that went on at a time (the one that began last); undefined: none did. */
export const eventAt = async (ledger: Ledger, device: string, atMs: number): Promise<KnownEvent | undefined> => {
  const of = await ledger.those(episodes, (body) => body.kind === "episode" && body.device === device);
  const newest = new Map<string, Episode>();
  for (const { body } of of) if (body.kind === "episode") newest.set(body.identity, body);
  const going = [...newest.values()].filter(({ start, end }) => start <= atMs && (end === null || atMs <= end));
  return going.toSorted((a, b) => a.start - b.start).at(-1);
};

const refused = (code: string, detail: string): OperatingError =>
  new OperatingError(code, `why: ${detail}`, { retry: false });
