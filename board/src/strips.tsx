/** The chosen bed's waveforms, live, as a monitor shows them. */
import { useEffect, useRef, useState } from "preact/hooks";
import { onTheme, readColours } from "./colours.ts";
import type { BedFeed } from "./live.ts";
import { extent, type Lane, Sweep, sweepMs } from "./sweep.ts";
import { signOf } from "./vital-signs.ts";
import { age } from "./words.ts";

const laneHeight = 58;
const frameMs = 33;
/** The cleared stretch ahead of the pen. */
const gapShare = 0.03;
const oldAfterMs = 4_000;
/** ECG first, then pleth, then pressures. */
const laneOrder = ["ecgII", "pleth", "artWave"];

interface Pen {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly top: number;
}

const byOrder = (a: Lane, b: Lane): number => laneOrder.indexOf(a.metric) - laneOrder.indexOf(b.metric);

const drawLane = (lane: Lane, playedTo: number, { context, width, top }: Pen): void => {
  const [least, most] = extent(lane);
  const from = playedTo - sweepMs * (1 - gapShare);
  const y = (value: number): number => top + laneHeight - 6 - ((value - least) / (most - least)) * (laneHeight - 12);
  context.beginPath();
  let lastX = Infinity;
  let lastEnd = -Infinity;
  for (const { start, end, stepMs, samples } of lane.chunks) {
    if (end < from || start > playedTo) continue;
    if (start - lastEnd > 2 * stepMs) lastX = Infinity;
    for (let i = 0; i < samples.length; i++) {
      const at = start + i * stepMs;
      if (at < from || at > playedTo) continue;
      const x = ((at % sweepMs) / sweepMs) * width;
      if (x < lastX) context.moveTo(x, y(samples[i] ?? 0));
      else context.lineTo(x, y(samples[i] ?? 0));
      lastX = x;
    }
    lastEnd = end;
  }
  context.stroke();
};

/** Draws at most 30 times a second, and only while the page is seen. Gives what ends it. */
const play = (canvas: HTMLCanvasElement, sweep: Sweep, speed: () => number): (() => void) => {
  const context = canvas.getContext("2d");
  let colours = readColours();
  const endTheme = onTheme(() => {
    colours = readColours();
  });
  let last = performance.now();
  let frame = 0;
  const draw = (now: number): void => {
    frame = requestAnimationFrame(draw);
    if (now - last < frameMs || context === null) return;
    sweep.advance(now - last, speed());
    last = now;
    const ratio = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    [...sweep.lanes.values()].sort(byOrder).forEach((lane, i) => {
      context.strokeStyle = colours.hue(signOf(lane.metric).hue);
      drawLane(lane, sweep.playedTo, { context, width, top: i * laneHeight });
    });
  };
  frame = requestAnimationFrame(draw);
  return () => {
    cancelAnimationFrame(frame);
    endTheme();
  };
};

interface StripsProps {
  readonly feed: BedFeed;
  readonly wardNow: number;
  readonly speed: number;
}

export const Strips = ({ feed, wardNow, speed }: StripsProps) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [sweep, setSweep] = useState(() => new Sweep());
  const pace = useRef(speed);
  pace.current = speed;

  useEffect(() => {
    const fresh = new Sweep();
    setSweep(fresh);
    feed.onWave = (wave) => fresh.add(wave);
    const end = canvas.current === null ? undefined : play(canvas.current, fresh, () => pace.current);
    return () => {
      feed.onWave = null;
      end?.();
    };
  }, [feed]);

  const lanes = [...sweep.lanes.values()].sort(byOrder);
  const rows = Math.max(2, lanes.length);
  return (
    <figure class="strips" data-testid="waves" data-lanes={lanes.length}>
      <div class="strips-sheet" style={{ height: `${rows * laneHeight}px` }}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={
            lanes.length === 0 ? "No waveforms" : `Waveforms: ${lanes.map(({ display }) => display).join(", ")}`
          }
        />
        {lanes.map((lane, i) => {
          const old = wardNow - sweep.newestOf(lane.metric);
          return (
            <span
              key={lane.metric}
              class={`strip-label hue-${signOf(lane.metric).hue}`}
              style={{ top: `${i * laneHeight + 4}px` }}
            >
              {signOf(lane.metric, lane.display).label}
              {old > oldAfterMs * Math.max(1, speed) && <b> nothing for {age(old)}</b>}
            </span>
          );
        })}
        {lanes.length === 0 && <p class="strips-none">No waveforms from this bed.</p>}
      </div>
    </figure>
  );
};
