/** One chart of the last ten minutes: the metrics of a panel, limits as dashed lines, episodes as shaded stretches. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { EpisodeView, LimitView } from "../../schemas/board.ts";
import { tableOf } from "./chart-data.ts";
import { type Colours, faded, onTheme, readColours } from "./colours.ts";
import type { BedFeed } from "./live.ts";
import { type Panel, signOf } from "./vital-signs.ts";
import { timeOfDay } from "./words.ts";

const spanMs = 600_000;
const height = 76;
const cursorKey = "bed";

/** What the drawing hooks read; changed each second without making the chart anew. */
interface Shown {
  wardNow: number;
  episodes: readonly EpisodeView[];
  limits: readonly LimitView[];
  colours: Colours;
}

interface TrendProps {
  readonly panel: Panel;
  readonly feed: BedFeed;
  readonly wardNow: number;
  readonly episodes: readonly EpisodeView[];
  readonly limits: readonly LimitView[];
  readonly last: boolean;
}

const isDotted = (metric: string): boolean => metric.startsWith("nibp");

const seriesOf = (metric: string, { hue }: Colours): uPlot.Series => {
  const colour = hue(signOf(metric).hue);
  const quiet = metric === "pulseRate" || metric.endsWith("Mean");
  const line = { label: signOf(metric).label, stroke: quiet ? faded(colour, 0.55) : colour, width: quiet ? 1 : 1.5 };
  if (!isDotted(metric)) return { ...line, points: { show: false } };
  return { ...line, paths: () => null, points: { show: true, size: 6, stroke: colour, fill: colour } };
};

const shadeEpisodes = (u: uPlot, { episodes, wardNow, colours }: Shown): void => {
  const { ctx, bbox } = u;
  for (const { start, end, priority } of episodes) {
    const left = Math.max(bbox.left, u.valToPos(start / 1000, "x", true));
    const right = Math.min(bbox.left + bbox.width, u.valToPos((end ?? wardNow) / 1000, "x", true));
    if (right <= left) continue;
    ctx.fillStyle = faded(colours.priority(priority), 0.14);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.fillStyle = colours.priority(priority);
    ctx.fillRect(left, bbox.top, right - left, 2 * devicePixelRatio);
  }
};

const drawLimits = (u: uPlot, { limits, colours }: Shown): void => {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.setLineDash([3 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.lineWidth = devicePixelRatio;
  for (const { limit, priority, when } of limits) {
    const y = u.valToPos(limit, "y", true);
    if (when === "indeterminateZero" || y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = faded(colours.priority(priority), 0.5);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
};

const scaleOf =
  ({ soft }: Panel): uPlot.Range.Function =>
  (_, least, most) => {
    const margin = (soft[1] - soft[0]) * 0.04;
    return [Math.min(soft[0], (least ?? soft[0]) - margin), Math.max(soft[1], (most ?? soft[1]) + margin)];
  };

const makeChart = (place: HTMLElement, panel: Panel, shown: Shown, last: boolean): uPlot => {
  const { colours } = shown;
  const axis: uPlot.Axis = {
    stroke: colours.faint,
    font: "10px Liberation Sans, Arial, sans-serif",
    grid: { stroke: colours.grid, width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width: place.clientWidth || 300,
    height: height + (last ? 18 : 0),
    padding: [6, 8, last ? 0 : 6, 0],
    legend: { show: false },
    cursor: { sync: { key: cursorKey }, y: false, points: { size: 5 }, drag: { setScale: false } },
    scales: {
      x: { time: true, range: () => [(shown.wardNow - spanMs) / 1000, shown.wardNow / 1000] },
      y: { range: scaleOf(panel) },
    },
    axes: [
      {
        ...axis,
        show: true,
        size: last ? 18 : 0,
        gap: 2,
        space: 60,
        values: (_, ticks) => ticks.map((t) => (last ? timeOfDay(t * 1000).slice(0, 5) : "")),
      },
      { ...axis, size: 30, gap: 4, space: 26 },
    ],
    series: [{}, ...panel.metrics.map((metric) => seriesOf(metric, colours))],
    hooks: { drawClear: [(u) => shadeEpisodes(u, shown)], draw: [(u) => drawLimits(u, shown)] },
  };
  return new uPlot(options, [[], ...panel.metrics.map(() => [])] as uPlot.AlignedData, place);
};

export const Trend = ({ panel, feed, wardNow, episodes, limits, last }: TrendProps) => {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const shown = useRef<Shown>({ wardNow, episodes, limits, colours: readColours() });
  Object.assign(shown.current, { wardNow, episodes, limits });

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const make = (): void => {
      chart.current?.destroy();
      shown.current.colours = readColours();
      chart.current = makeChart(element, panel, shown.current, last);
    };
    make();
    const resize = new ResizeObserver(() =>
      chart.current?.setSize({ width: element.clientWidth, height: height + (last ? 18 : 0) }),
    );
    resize.observe(element);
    const endTheme = onTheme(make);
    return () => {
      endTheme();
      resize.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [panel, last]);

  useEffect(() => {
    const lines = panel.metrics.map((metric) => feed.samples.get(metric) ?? []);
    chart.current?.setData(tableOf(lines, panel.metrics.map(isDotted), wardNow - spanMs) as uPlot.AlignedData);
  });

  return <div class={`trend-chart ${last ? "trend-chart-last" : ""}`} ref={place} aria-hidden="true" />;
};
