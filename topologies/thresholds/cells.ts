/** The cells that `thresholds` keeps of a subject. */
import type { State } from "../../streams/core/stage.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import type { Backlog } from "./backlog.ts";
import type { Judged } from "./judged.ts";
import type { Series } from "./rewind.ts";
import type { Population } from "./rules-in-force.ts";

/** That a device left, as told at a log time. */
export interface Left {
  readonly at: number;
  readonly loggedAt: number;
}
/** Each open episode's start has a cell of its own, written once. */
export type Cell = Series | Episode | Population | Left | Backlog | Judged;
export type Judging = State<Cell>;

interface Source {
  readonly metric: string;
  readonly device: string;
  readonly channel: string;
}

export const seriesName = ({ metric, device, channel }: Source): string => `${metric}/${device}/${channel}`;
export const seriesCell = (name: string): string => `series/${name}`;
export const episodeCell = (ruleId: string, name: string): string => `episode/${ruleId}/${name}`;
/** Of what is judged beside the live samples: both may be open of one rule. */
export const lateEpisodeCell = (ruleId: string, name: string): string => `late/${ruleId}/${name}`;
export const backlogCell = (name: string): string => `backlog/${name}`;
export const judgedCell = (name: string): string => `judged/${name}`;
export const populationCell = (device: string): string => `population/${device}`;
export const leftCell = (device: string): string => `left/${device}`;

/** Every series of the subject, in the order of names. */
export const seriesOf = (state: Judging): (Source & { readonly cell: string; readonly series: Series })[] =>
  [...state.cells()].flatMap(([cell, value]) => {
    const [kind, metric, device, ...channel] = cell.split("/");
    return kind === "series" && metric !== undefined && device !== undefined
      ? [{ cell, metric, device, channel: channel.join("/"), series: value as Series }]
      : [];
  });

/** Asks to be called at `at` if not sooner: an appointment that comes too soon only looks again, and moving it with every sample would cost more. */
export const lookNoLaterThan = (state: Judging, at: number | null): void => {
  if (at !== null && (state.dueAt === null || at < state.dueAt)) state.dueAt = at as Judging["dueAt"];
};
