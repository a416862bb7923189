/** Threshold episodes, newest first: what crossed, where, for how long, and whether the rule may promote. */
import type { EpisodeView } from "../../schemas/board.ts";
import { addressOf } from "./chosen-bed.ts";
import { PriorityMark } from "./icons.tsx";
import { signOf } from "./vital-signs.ts";
import { bedName, duration, timeOfDay, unitName } from "./words.ts";

const Episode = ({ episode, wardNow }: { episode: EpisodeView; wardNow: number }) => {
  const open = episode.end === null;
  const sign = signOf(episode.metric, episode.display);
  return (
    <li
      class={`row episode ${open ? "episode-open" : ""}`}
      data-testid="episode"
      data-bed={episode.bed}
      data-open={open}
      data-priority={episode.priority}
    >
      <PriorityMark priority={episode.priority} />
      <span class="row-text">
        <span class="row-title">
          <a class="row-bed" href={addressOf(episode.bed)}>
            {bedName(episode.bed)}
          </a>
          <span class="row-name" title={episode.title}>
            {episode.title}
          </span>
        </span>
        <span class="row-note">
          {open ? (
            <b>open {duration(wardNow - episode.start)}</b>
          ) : (
            `lasted ${duration((episode.end ?? 0) - episode.start)}`
          )}
          <span>since {timeOfDay(episode.start)}</span>
          {!episode.approved && (
            <span class="tag tag-shadow" title="Nobody approved this rule: shown, never promoted">
              not approved
            </span>
          )}
          {episode.demo && (
            <span class="tag" title="Approved by the demo ward, not by a hospital">
              demo
            </span>
          )}
        </span>
      </span>
      <span class={`row-value hue-${sign.hue}`} title="The furthest value so far">
        {episode.extreme.toFixed(sign.decimals)} <small>{unitName(episode.ucum)}</small>
      </span>
    </li>
  );
};

export const Episodes = ({ episodes, wardNow }: { episodes: readonly EpisodeView[]; wardNow: number }) => {
  const open = episodes.filter(({ end }) => end === null).length;
  return (
    <section class="panel" aria-labelledby="episodes-title">
      <div class="panel-head">
        <h2 id="episodes-title">Episodes</h2>
        <span class="panel-note">{episodes.length === 0 ? "" : `${open} open of the newest ${episodes.length}`}</span>
      </div>
      {episodes.length === 0 ? (
        <p class="empty">No rule has held for its minimum duration yet.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard
        <ol class="rows" tabIndex={0} aria-label="Episodes, newest first">
          {episodes.map((episode) => (
            <Episode key={episode.identity} episode={episode} wardNow={wardNow} />
          ))}
        </ol>
      )}
    </section>
  );
};
