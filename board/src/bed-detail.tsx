/** The chosen bed: how its devices stand, its waveforms, and ten minutes of each vital. */
import type { BedView, BoardView, DeviceView, VitalView } from "../../schemas/board.ts";
import { Vital } from "./beds.tsx";
import { PriorityMark, StateIcon } from "./icons.tsx";
import type { BedFeed } from "./live.ts";
import { Strips } from "./strips.tsx";
import { Trend } from "./trend.tsx";
import { type Panel, panels, pressureOf, shown, signOf } from "./vital-signs.ts";
import { age, bedName, clockOffset, duration, sentence, standingText, stateName, unitName } from "./words.ts";

const known = new Set(panels.flatMap(({ metrics }) => metrics));

/** What no panel has a place for (a pump's rate, a glucose value) gets one of its own. */
const otherPanels = (vitals: readonly VitalView[]): Panel[] =>
  vitals
    .filter(({ metric }) => !known.has(metric))
    .map(({ metric, display, ucum, value }) => ({
      id: metric,
      label: display,
      metrics: [metric],
      soft: [Math.min(0, 1.5 * (value ?? 0)), Math.max(value === null || value === 0 ? 1 : 0, 1.5 * (value ?? 0))],
      unit: unitName(ucum),
    }));

const panelCache = new Map<string, Panel>();
/** The same object for the same metrics, so that a chart is made once. */
const steady = (panel: Panel): Panel => {
  const had = panelCache.get(panel.id);
  if (had === undefined) panelCache.set(panel.id, panel);
  return had ?? panel;
};

const Device = ({ device, wardNow }: { device: DeviceView; wardNow: number }) => (
  <li class={`device device-${device.state}`} data-testid={`device-${device.device}`} data-state={device.state}>
    <span class={`state state-${device.state}`}>
      <StateIcon state={device.state} />
      <span class="unseen">{stateName[device.state]}</span>
    </span>
    <span class="device-name">{device.device}</span>
    <span class="device-model">{device.model}</span>
    <span class="device-facts">
      {device.state !== "streaming" && (
        <span class={`state-${device.state} device-standing`}>
          {stateName[device.state]} {device.since > 0 && age(wardNow - device.since)}
        </span>
      )}
      {device.detail !== null && <span>{device.detail}</span>}
      {device.confirmed === false && <span class="device-unconfirmed">not confirmed</span>}
      {device.clockOffsetMs !== null && <span class="device-clock">clock {clockOffset(device.clockOffsetMs)}</span>}
    </span>
  </li>
);

interface ReadoutProps {
  readonly panel: Panel;
  readonly vitals: ReadonlyMap<string, VitalView>;
  readonly wardNow: number;
  readonly live: boolean;
}

/** The panel's number, large, beside its chart. */
const Readout = ({ panel, vitals, wardNow, live }: ReadoutProps) => {
  const [first = ""] = panel.metrics;
  if (panel.id !== "pressure")
    return (
      <Vital
        vital={vitals.get(first)}
        metric={first}
        wardNow={wardNow}
        live={live}
        big
        label={`${signOf(first, panel.label).label} ${panel.unit}`}
      />
    );
  const kind = pressureOf(vitals);
  const of = (part: string): VitalView | undefined => vitals.get(`${kind}${part}`);
  return (
    <div class="readout-pressure">
      <Vital
        vital={of("Systolic")}
        metric={`${kind}Systolic`}
        wardNow={wardNow}
        live={live}
        big
        label={`${kind === "art" ? "ABP" : "NIBP"} ${panel.unit}`}
        text={of("Systolic") === undefined ? "––" : `${shown(of("Systolic"))}/${shown(of("Diastolic"))}`}
      />
    </div>
  );
};

interface ChartsProps extends DetailProps {
  readonly bed: BedView;
  readonly panels: readonly Panel[];
}

const Charts = ({ bed, board, feed, wardNow, live, panels: shownPanels }: ChartsProps) => {
  const vitals = new Map(bed.vitals.map((vital) => [vital.metric, vital]));
  const episodes = board.episodes.filter((episode) => episode.bed === bed.bed);
  return (
    <div class="trends">
      {shownPanels.map((panel, i) => (
        <div class="trend" key={panel.id}>
          <Readout panel={panel} vitals={vitals} wardNow={wardNow} live={live} />
          <Trend
            panel={panel}
            feed={feed}
            wardNow={wardNow}
            episodes={episodes.filter(({ metric }) => panel.metrics.includes(metric))}
            limits={board.limits.filter(({ metric, approved }) => approved && panel.metrics.includes(metric))}
            last={i === shownPanels.length - 1}
          />
        </div>
      ))}
    </div>
  );
};

interface DetailProps {
  readonly board: BoardView;
  readonly chosen: string;
  readonly feed: BedFeed;
  readonly wardNow: number;
  readonly live: boolean;
}

export const BedDetail = (props: DetailProps) => {
  const { board, chosen, feed, wardNow } = props;
  const bed = board.beds.find((b) => b.bed === chosen);
  if (bed === undefined)
    return (
      <section class="detail panel" aria-label="Chosen bed">
        <p class="empty">
          {chosen === "" ? "Choose a bed to see its waveforms and trends." : `This ward has no bed ${chosen}.`}
        </p>
      </section>
    );
  const others = otherPanels(bed.vitals).map(steady);
  return (
    <section class="detail panel" aria-label={bedName(bed.bed)} data-testid="bed-detail" data-bed={bed.bed}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div class="detail-body" tabIndex={0}>
        <div class="detail-head">
          <h2>{bedName(bed.bed)}</h2>
          <span class="detail-unit">{bed.unit}</span>
          <span class={`state state-${bed.state}`}>
            <StateIcon state={bed.state} />
            {standingText(bed.state, props.live)}
            {bed.state !== "streaming" && bed.since > 0 && ` ${age(wardNow - bed.since)}`}
          </span>
          <ul class="detail-episodes">
            {bed.openEpisodes.slice(0, 3).map((episode) => (
              <li key={episode.identity}>
                <PriorityMark priority={episode.priority} /> {sentence(episode.title)}{" "}
                {duration(wardNow - episode.start)}
              </li>
            ))}
          </ul>
        </div>
        <Strips key={feed.bed} feed={feed} wardNow={wardNow} speed={board.actualSpeed} />
        <Charts {...props} bed={bed} panels={panels} />
        <ul class="devices" aria-label="Devices">
          {bed.devices.map((device) => (
            <Device key={device.device} device={device} wardNow={wardNow} />
          ))}
        </ul>
        {others.length > 0 && <Charts {...props} bed={bed} panels={others} />}
      </div>
    </section>
  );
};
