/** The ward alone, against any broker; or only its roster file. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { publishWard } from "../sim/publish.ts";
import { recordingWard } from "../sim/recordings/ward.ts";
import { rosterOf } from "../sim/ward/roster.ts";
import type { Ward } from "../sim/ward/messages.ts";
import { ward } from "../sim/ward/ward.ts";

export interface WardChoice {
  readonly beds: number;
  readonly seed: number;
  readonly recordings?: string;
}

export interface SimOptions extends WardChoice {
  readonly url: string;
  readonly speed: number;
  readonly minutes?: number;
  readonly protocol: "4" | "5";
  readonly roster?: string;
}

/** A simulated ward, or the recorded patients as devices. */
export const chooseWard = (choice: WardChoice, startMs: number): Promise<Ward> | Ward =>
  choice.recordings === undefined
    ? ward({ beds: choice.beds, seed: choice.seed, startMs })
    : recordingWard({ folder: choice.recordings, startMs });

export const writeRoster = async (file: string, from: Ward): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(rosterOf(from), null, 1)}\n`);
};

/** Publishes until the ward ends, `minutes` of ward time have passed, or it is interrupted. */
export const sim = async (options: SimOptions): Promise<void> => {
  const chosen = await chooseWard(options, Date.now());
  if (options.roster !== undefined) return writeRoster(options.roster, chosen);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  process.stdout.write(`afferent sim: ${options.url}\n`);
  await publishWard(chosen, {
    url: options.url,
    speed: options.speed,
    protocolVersion: options.protocol === "5" ? 5 : 4,
    signal: stop.signal,
    ...(options.minutes !== undefined && { untilMs: Date.now() + options.minutes * 60_000 }),
    onProgress: ({ sent, actualSpeed }) =>
      console.error(`sim: ${sent} messages, ${actualSpeed.toFixed(1)} times real time`),
  });
};
