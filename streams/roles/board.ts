/** The board role: the page over the platform's log, with back-fill from the series store. See board/server.ts. */
import { loadRoster, openSeries, type Platform } from "../compose.ts";
import { groupOf } from "../core/checkpoint.ts";
import type { AnyStage } from "../core/stage.ts";
import type { SeriesStore } from "../io/series/series.ts";
import { undisputed } from "../../schemas/records/roster.ts";
import { raw, rawWaveforms } from "../../schemas/topics.ts";
import { startBoard, type SeriesQuery } from "./board/server.ts";
import { isUsable } from "./board/samples.ts";
import type { Running } from "./running.ts";
import { linesOf, modelsOf, whyOf } from "./why.ts";

const sinks = (platform: Platform) => {
  const reads = (name: string) => platform.topology.topic(name);
  return [
    { name: "store-vitals", reads: reads("telemetry.vitals") },
    { name: "store-waveforms", reads: reads("telemetry.waveforms") },
    { name: "store-windows", reads: reads("telemetry.windows") },
    { name: "store-episodes", reads: reads("telemetry.episodes") },
    ...platform.config.destinations.map(({ name, kind }) => ({
      name: `${kind}-${name}`,
      reads: reads("clinical.outbox"),
    })),
  ];
};

const followed = (stage: AnyStage) => ({ name: stage.name, group: groupOf(stage), reads: stage.reads });

const mostSamples = 50_000;

const backFill = (store: SeriesStore): SeriesQuery => ({
  recent: async (device, fromMs) =>
    (await store.vitals({ device, from: fromMs, to: Number.MAX_SAFE_INTEGER, limit: mostSamples })).map(
      ({ metric, eventTime, value, validity }) => ({
        metric,
        at: eventTime,
        value: isUsable({ value, validity }) ? value : null,
      }),
    ),
});

export const openBoard = async (platform: Platform): Promise<Running> => {
  const { config, log, wire, topology, metrics, say } = platform;
  const store = await openSeries(config);
  const { beds, devices, associations } = await loadRoster(config.roster);
  const board = await startBoard({
    host: config.board.host,
    port: config.board.port,
    alertApi: config.board.alertApi,
    log,
    wire,
    stages: [...topology.stages.map(followed), ...sinks(platform)],
    rawTopics: [raw, rawWaveforms],
    wardName: config.ward,
    speed: config.speed,
    roster: { beds, devices, associations: associations.map((a) => ({ kind: "association", ...undisputed, ...a })) },
    series: backFill(store),
    why: async (id) =>
      linesOf(await whyOf({ id }, { log, wire, modelOf: await modelsOf(config.roster), speed: config.speed })),
    registry: metrics,
    onFault: (what, code) => say.warn({ what, code }, "the board can't read"),
  });
  const { promise: done, resolve } = Promise.withResolvers<void>();
  return {
    where: board.url,
    done,
    close: async () => {
      await board.close();
      await store.close();
      resolve();
    },
  };
};
