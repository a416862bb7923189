/**
 * Offers each episode to the clinical plane, under the key of the patient whose link to the device was in force at its start, and again
 * when the link turns out otherwise: to him whose it is not any more, and to him whose it is (clinical.md 8, 10). An episode without a link
 * is offered under `unassociated/<device>`, so that the gates refuse it on record.
 */
import { type Out, stage, type State } from "../streams/core/stage.ts";
import { type LogTime, logTime } from "../streams/core/time.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { episodes, events, type EpisodesBody, telemetryQuarantine } from "../schemas/topics.ts";
import { type Links, noLinks, pruned, withLink } from "./candidates/links.ts";
import { linksOfVersion1, type News, offer, type Offered, offeredCell } from "./candidates/offered.ts";
import { correctableMs } from "./correctable.ts";

const writes = { events, quarantine: telemetryQuarantine };
type Cell = Links | Offered;
type Offering = State<Cell>;
type EventsOut = Out<typeof writes>;

const linksCell = "links";
const linksOf = (state: Offering): Links => (state.get(linksCell) as Links | undefined) ?? noLinks;

export const candidates = stage<EpisodesBody, typeof writes, Cell, null>("candidates", {
  // 2: remembers what it offered, and offers it anew when a link turns out otherwise
  version: 2,
  migrate: { cells: (_from, _key, cells) => ({ [linksCell]: linksOfVersion1(cells) }) },
  reads: episodes,
  writes,
  quarantine: "quarantine",
  step(state, { body, logTime: now }, out) {
    if (body.kind === "association") relink(state, body, now, out);
    else if (body.kind === "episode") offerOne(state, body, { episode: body }, now, out);
  },
  due: (state, now, key) => forget(state, now, key),
});

const offerOne = (state: Offering, episode: Episode, news: News, now: LogTime, out: EventsOut): void => {
  const cell = offeredCell(episode.identity);
  const known = state.get(cell) as Offered | undefined;
  const { offered, candidates: said } = offer(linksOf(state), episode, known, news, now);
  for (const candidate of said) out.emit("events", candidate.patientKey, candidate);
  if (said.length === 0) return;
  state.set(cell, offered);
  lookNoLaterThan(state, now + correctableMs);
};

/** A revision that is not newer offers nothing; a newer one, each episode of the device for which it makes a difference. */
const relink = (state: Offering, association: Association, now: LogTime, out: EventsOut): void => {
  const links = linksOf(state);
  const next = withLink(links, association, now);
  if (next === links) return;
  state.set(linksCell, next);
  lookNoLaterThan(state, now + correctableMs);
  for (const { episode } of offeredOf(state))
    if (episode.device === association.device) offerOne(state, episode, { link: association }, now, out);
};

/** In the order of their identities. */
const offeredOf = (state: Offering): readonly Offered[] =>
  [...state.cells()].flatMap(([, cell]) => (cell.kind === "offered" ? [cell] : []));

const lookNoLaterThan = (state: Offering, at: number): void => {
  if (state.dueAt === null || at < state.dueAt) state.dueAt = logTime(at);
};

/** An episode that is open is remembered until it ends, however long that takes. */
const forgottenAt = ({ episode, heardAt }: Offered): number | null =>
  episode.phase === "end" ? heardAt + correctableMs : null;

const forget = (state: Offering, now: LogTime, key: string): void => {
  state.dueAt = null;
  const times = offeredOf(state).map((offered) => {
    const at = forgottenAt(offered);
    if (at !== null && at <= now) state.delete(offeredCell(offered.episode.identity));
    return at;
  });
  const held = times.some((at) => at === null || at > now);
  const { links, next } = pruned(linksOf(state), key, held, now);
  if (links.all.length > 0) state.set(linksCell, links);
  else state.delete(linksCell);
  for (const at of [next, ...times]) if (at !== null && at > now) lookNoLaterThan(state, at);
};
