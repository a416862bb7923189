/** `afferent roster list|bind|confirm|unbind|wrong|interrupted|history`: what a person at a terminal asks the roster service and tells it. */
import { readConfig } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import type { RosterServiceConfig } from "../roster-config.ts";
import type { ShownChange, ShownRoster } from "./roster/api.ts";
import type { Applied } from "./roster/service.ts";

export interface ActOptions {
  readonly config: string;
  readonly as: string;
  readonly because: string;
  readonly patient?: string;
  readonly recordNumber?: string;
  readonly bed?: string;
  readonly at?: string;
}

const answerMs_max = 10_000;

const apiOf = async (configFile: string): Promise<RosterServiceConfig["api"]> => {
  const { rosterService } = await readConfig(configFile);
  if (rosterService !== undefined) return rosterService.api;
  throw new OperatingError("config-invalid", `${configFile}: there is no section rosterService`, { retry: false });
};

/** Codes: `roster-unreachable`, `act-refused` with the service's reason. */
const ask = async <T>(configFile: string, path: string, body?: object): Promise<T> => {
  const { host, port, token } = await apiOf(configFile);
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(answerMs_max),
  }).catch((cause: unknown) => {
    throw new OperatingError("roster-unreachable", `${url}: the roster service does not answer: ${String(cause)}`, {
      retry: true,
      cause,
    });
  });
  const said = (await response.json()) as T & { readonly refused?: string; readonly detail?: string };
  if (response.ok) return said;
  throw new OperatingError("act-refused", `${said.detail} (${said.refused})`, { retry: false });
};

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Prints what is off, each link that holds, conflicts first, and what was told in vain. */
export const list = async ({ config, json }: { readonly config: string; readonly json?: boolean }): Promise<void> => {
  const roster = await ask<ShownRoster>(config, "/roster");
  process.stdout.write(json ? `${JSON.stringify(roster)}\n` : `${linesOf(roster).join("\n")}\n`);
};

const linesOf = ({ off, links, stays, problems }: ShownRoster): string[] => {
  const inOrder = links.toSorted((a, b) => b.conflicts.length - a.conflicts.length || (a.bed < b.bed ? -1 : 1));
  return [
    ...off.map(({ what, count, sinceMs, todo }) => `OFF        ${what} (${count}) since ${time(sinceMs)}: ${todo}`),
    ...inOrder.flatMap(({ id, device, bed, patientKey, fromMs, confirmedBy, assertedBy, conflicts }) => [
      `${bed.padEnd(10)} ${device.padEnd(12)} ${patientKey}  since ${time(fromMs)}  ${confirmedBy === null ? `asserted by ${assertedBy}` : `confirmed by ${confirmedBy}`}  ${id}`,
      ...conflicts.map(({ code, detail }) => `           CONFLICT ${code}: ${detail}`),
    ]),
    ...stays
      .filter(({ bed, patientKey }) => !links.some((link) => link.bed === bed && link.patientKey === patientKey))
      .map(
        ({ bed, patientKey, fromMs }) =>
          `${bed.padEnd(10)} ${"(no device)".padEnd(12)} ${patientKey}  since ${time(fromMs)}`,
      ),
    ...problems.map(({ event, reason, detail }) => `without effect: ${event}: ${detail} (${reason})`),
    ...(inOrder.length + stays.length + problems.length === 0 ? ["nobody is linked"] : []),
  ];
};

/** Whom a device measures, or, with a bed alone, where it stands. */
export const bind = async (device: string, options: ActOptions): Promise<void> => {
  const { patient, recordNumber, bed } = options;
  const whose = patient !== undefined || recordNumber !== undefined;
  if (!whose && bed === undefined)
    throw new OperatingError("act-refused", "say a patient (--patient, --record-number) or a bed (--bed)", {
      retry: false,
    });
  const where = bed === undefined ? {} : { bed: bed === "none" ? null : bed };
  await act(whose ? "bind" : "place", { device, patient, recordNumber, ...where }, options);
};

/** The device's confirmed link ends; what ADT asserts must be confirmed again. */
export const interrupted = (device: string, options: ActOptions & { readonly gap?: boolean }): Promise<void> =>
  act("interruption", { device, what: options.gap ? "deviceGap" : "powerCycle" }, options);

/** About a link, by its id as `list` shows it. */
export const aboutLink = (what: "confirm" | "unbind" | "wrong", link: string, options: ActOptions): Promise<void> =>
  act(what, { link }, options);

const act = async (what: string, about: object, { config, as: by, because, at }: ActOptions): Promise<void> => {
  const { event, records, problem } = await ask<Applied>(config, "/acts", {
    act: what,
    by,
    because,
    ...(at !== undefined && { at }),
    ...about,
  });
  const effect =
    problem === null ? `${records} record${records === 1 ? "" : "s"}` : `without effect: ${problem.detail}`;
  process.stdout.write(`${what}: ${event}, as ${by}: ${effect}\n`);
};

/** Prints what was ever changed about a device or a patient, by whom and why. */
export const history = async (
  of: string,
  { config, json }: { readonly config: string; readonly json?: boolean },
): Promise<void> => {
  const { changes } = await ask<{ readonly changes: readonly ShownChange[] }>(
    config,
    `/history?of=${encodeURIComponent(of)}`,
  );
  const lines = changes.map((change) =>
    json
      ? JSON.stringify(change)
      : `${time(change.atMs)}  ${change.what}\n    ${change.cause}${change.because === null ? "" : `: ${change.because}`}`,
  );
  process.stdout.write(lines.length === 0 ? "nothing was ever changed\n" : `${lines.join("\n")}\n`);
};
