/** The ward: a tile for each bed with its state, its key vitals and its worst open episode. */
import type { BedView, EpisodeView, VitalView } from "../../schemas/board.ts";
import { addressOf } from "./chosen-bed.ts";
import { PriorityMark, StateIcon } from "./icons.tsx";
import { isStale, isVoid, pressureOf, shown, signOf } from "./vital-signs.ts";
import { age, bedName, duration, standingText, stateName, timeOfDay } from "./words.ts";

/** A value older than this shows its age, even where it is as fresh as its cuff's interval lets it be. */
const toldAfterMs = 60_000;

interface VitalProps {
  readonly vital: VitalView | undefined;
  readonly metric: string;
  readonly wardNow: number;
  readonly live: boolean;
  readonly big?: boolean;
  /** The age is told elsewhere. */
  readonly ageless?: boolean;
  /** Instead of the sign's own label. */
  readonly label?: string;
  /** Instead of the vital's own value: systolic over diastolic. */
  readonly text?: string;
}

const standingOf = (vital: VitalView): string =>
  isVoid(vital) ? "void" : vital.validity === "indeterminate" ? "doubt" : "current";

export const Vital = ({ vital, metric, wardNow, live, big = false, ageless = false, label, text }: VitalProps) => {
  const sign = signOf(metric, vital?.display);
  const old = vital !== undefined && (!live || isStale(vital, wardNow));
  const state = vital === undefined ? "none" : old ? "old" : standingOf(vital);
  return (
    <div
      class={`vital vital-${state} hue-${sign.hue} ${big ? "vital-big" : ""}`}
      data-testid={`vital-${metric}`}
      data-state={state}
    >
      <span class="vital-label" title={vital?.display}>
        {label ?? sign.label}
        {vital !== undefined && !ageless && (old || wardNow - vital.at > toldAfterMs) && (
          <span class="vital-age">{age(wardNow - vital.at)}</span>
        )}
      </span>
      <span class="vital-value">{text ?? shown(vital)}</span>
    </div>
  );
};

/** The worst open episode; else since when the bed has been off. */
const LastLine = ({ bed, wardNow }: { bed: BedView; wardNow: number }) => {
  const episodes: readonly EpisodeView[] = bed.openEpisodes;
  const [worst] = episodes;
  if (worst === undefined)
    return (
      <div class={`tile-episode state-${bed.state}`}>
        {bed.state !== "streaming" &&
          bed.since > 0 &&
          `for ${age(wardNow - bed.since)}, since ${timeOfDay(bed.since).slice(0, 5)}`}
      </div>
    );
  return (
    <div class={`tile-episode tile-episode-${worst.priority}`}>
      <PriorityMark priority={worst.priority} />
      <span class="tile-episode-title">
        {worst.when === "indeterminateZero" ? `${signOf(worst.metric, worst.display).label} 0` : worst.title}
      </span>
      <span class="tile-episode-age">{duration(wardNow - worst.start)}</span>
      {episodes.length > 1 && <span class="tile-episode-more">+{episodes.length - 1}</span>}
    </div>
  );
};

const spoken = (bed: BedView, wardNow: number): string => {
  const state = bed.state === "streaming" ? "streaming" : `${stateName[bed.state]} for ${age(wardNow - bed.since)}`;
  return [
    bedName(bed.bed),
    state,
    ...bed.openEpisodes.map(({ title, priority }) => `${priority} priority: ${title}`),
  ].join(", ");
};

interface TileProps {
  readonly bed: BedView;
  readonly chosen: boolean;
  readonly wardNow: number;
  readonly live: boolean;
}

/** A bed with nothing but a glucose sensor shows its glucose large. */
const bigOf = (vitals: ReadonlyMap<string, VitalView>): readonly string[] =>
  vitals.has("glucoseInterstitial") && !vitals.has("heartRate") && !vitals.has("spo2")
    ? ["glucoseInterstitial"]
    : ["heartRate", "spo2"];

const Tile = ({ bed, chosen, wardNow, live }: TileProps) => {
  const vitals = new Map(bed.vitals.map((vital) => [vital.metric, vital]));
  const kind = pressureOf(vitals);
  const systolic = vitals.get(`${kind}Systolic`);
  const both = systolic === undefined ? "––" : `${shown(systolic)}/${shown(vitals.get(`${kind}Diastolic`))}`;
  const worst = bed.openEpisodes[0]?.priority ?? "none";
  const of = (metric: string, big = false) => (
    <Vital vital={vitals.get(metric)} metric={metric} wardNow={wardNow} live={live} big={big} ageless={!big} />
  );
  return (
    <li class="tile-place">
      <a
        class={`tile tile-${bed.state} tile-worst-${worst}`}
        href={addressOf(bed.bed)}
        aria-current={chosen ? "true" : undefined}
        aria-label={spoken(bed, wardNow)}
        data-testid={`bed-${bed.bed}`}
        data-state={bed.state}
      >
        <div class="tile-head">
          <span class="tile-name">{bedName(bed.bed)}</span>
          <span class={`state state-${bed.state}`}>
            <StateIcon state={bed.state} />
            <span class="state-name">{standingText(bed.state, live)}</span>
          </span>
        </div>
        <div class="tile-big">{bigOf(vitals).map((metric) => of(metric, true))}</div>
        <div class="tile-small">
          {of("respiratoryRate")}
          <Vital
            vital={systolic}
            metric={`${kind}Systolic`}
            wardNow={wardNow}
            live={live}
            label={kind === "art" ? "ABP" : "NIBP"}
            text={both}
          />
          {of("temperature")}
        </div>
        <LastLine bed={bed} wardNow={wardNow} />
      </a>
    </li>
  );
};

interface BedsProps {
  readonly beds: readonly BedView[];
  readonly chosen: string;
  readonly wardNow: number;
  readonly live: boolean;
}

export const Beds = ({ beds, chosen, wardNow, live }: BedsProps) => (
  <section class="beds" aria-label="Beds">
    {beds.length === 0 ? (
      <p class="empty">No bed is known yet: the roster's associations have not come through the log.</p>
    ) : (
      <ul class="tiles">
        {beds.map((bed) => (
          <Tile key={bed.bed} bed={bed} chosen={bed.bed === chosen} wardNow={wardNow} live={live} />
        ))}
      </ul>
    )}
  </section>
);
