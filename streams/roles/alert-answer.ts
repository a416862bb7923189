/** `afferent alarms`, `accept`, `reject`, `reset-alarm` and `standby`: what a person at a terminal asks the circuit and tells it. */
import { readFile } from "node:fs/promises";
import { type AlertConfig, readAlertConfig } from "../alert-config.ts";
import { OperatingError } from "../core/failure.ts";
import type { Answer, ModeEvent } from "../../schemas/records/alert.ts";
import type { ShownPage } from "./alert/api.ts";
import { tokenFile } from "./alert/token.ts";

const answerMs_max = 5_000;
const identityShown = 8;

/** Prints the modes in force, the open pages, the gravest first, and who is expected to answer until when. */
export const alarms = async (configFile: string, options: { readonly json?: boolean }): Promise<void> => {
  const config = await readAlertConfig(configFile);
  const response = await ask(config, "/alarms");
  const { now, pages, modes } = (await response.json()) as Shown;
  const lines = options.json
    ? [...inForce(modes), ...pages].map((one) => JSON.stringify(one))
    : [...inForce(modes).map(modeLine), ...pages.flatMap((page) => linesOf(page, now))];
  process.stdout.write(lines.length === 0 ? "no open page\n" : `${lines.join("\n")}\n`);
};

/** Resolves when the circuit has the answer. Codes: `answer-refused` with its reason, `circuit-unreachable`. */
export const answer = async (
  configFile: string,
  page: string,
  what: Answer["what"],
  { as: who }: { readonly as: string },
): Promise<void> => {
  const said = await say(configFile, "/answers", { page, who, what }, `${what} ${page}`);
  process.stdout.write(`${what}: ${String(said["page"])}, as ${who}\n`);
};

/**
 * That a device stands by, until `for` is over (30m, 2h; 0 ends it): its silence pages nobody until then. Codes: `answer-refused` with its reason,
 * `circuit-unreachable`, `usage` for a time that is none.
 */
export const standBy = async (
  configFile: string,
  device: string,
  options: { readonly as: string; readonly for: string; readonly because: string },
): Promise<void> => {
  const minutes = minutesIn(options.for);
  const word = { device, who: options.as, reason: options.because, minutes };
  const said = await say(configFile, "/standby", word, `standby of ${device}`);
  const until = minutes === 0 ? "is over" : `until ${time(Number(said["to"]))}Z`;
  process.stdout.write(`standby of ${device} ${until}, as ${options.as}\n`);
};

const minutesIn = (text: string): number => {
  const [, amount, unit] = /^(\d+)(m|h)?$/.exec(text) ?? [];
  if (amount === undefined || (unit === undefined && amount !== "0"))
    throw new OperatingError("usage", `--for ${text}: minutes or hours, as in 30m or 2h; 0 ends it`, { retry: false });
  return Number(amount) * (unit === "h" ? 60 : 1);
};

/** Says it with the token in the circuit's folder; what it was answered. */
const say = async (
  configFile: string,
  path: string,
  word: object,
  what: string,
): Promise<Readonly<Record<string, unknown>>> => {
  const config = await readAlertConfig(configFile);
  const token = await readFile(tokenFile(config.data), "utf8").catch((cause: unknown) => {
    throw new OperatingError("circuit-unreachable", `${config.data}: no circuit has run here, or it is not yours`, {
      retry: false,
      cause,
    });
  });
  const response = await ask(config, path, {
    method: "POST",
    headers: { authorization: `Bearer ${token.trim()}`, "content-type": "application/json" },
    body: JSON.stringify(word),
  });
  const said = (await response.json()) as Readonly<Record<string, unknown>>;
  if (!response.ok)
    throw new OperatingError("answer-refused", `${what}: ${said["detail"]} (${said["refused"]})`, { retry: false });
  return said;
};

const ask = async (config: AlertConfig, path: string, init: RequestInit = {}): Promise<Response> => {
  const { host, port } = config.api;
  const url = `http://${host}:${port}${path}`;
  return fetch(url, { ...init, signal: AbortSignal.timeout(answerMs_max) }).catch((cause: unknown) => {
    throw new OperatingError("circuit-unreachable", `${url}: the circuit does not answer: ${String(cause)}`, {
      retry: true,
      cause,
    });
  });
};

interface Shown {
  readonly now: number;
  readonly pages: readonly ShownPage[];
  /** The newest first. */
  readonly modes: readonly ModeEvent[];
}

/** Those whose last event is that they were entered. */
const inForce = (modes: readonly ModeEvent[]): readonly ModeEvent[] => {
  const last = new Map<string, ModeEvent>();
  for (const event of modes.toReversed()) last.set(`${event.mode}/${event.which}`, event);
  return [...last.values()].filter(({ entered }) => entered);
};

const modeLine = ({ mode, which, since, banner }: ModeEvent): string =>
  `MODE ${mode}${which === null ? "" : ` (${which})`} since ${time(since)}Z${banner === null ? "" : `: ${banner}`}`;

const time = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

const linesOf = ({ expected, ...page }: ShownPage, now: number): string[] => {
  const where = page.bed === null ? `unit ${page.unit}` : `bed ${page.bed} (${page.unit})`;
  const sinceS = Math.max(0, Math.round((now - page.onset) / 1_000));
  const waits =
    page.state === "accepted"
      ? `accepted by ${page.acceptedBy}`
      : `${page.lastResort ? "LAST RESORT, " : ""}expected: ${expected.of.join(", ") || "nobody yet"}${
          expected.until === null ? "" : ` until ${time(expected.until)}Z`
        }`;
  const flags = page.latched ? " latched: reset it by name" : "";
  return [
    `${page.identity.slice(0, identityShown)}  ${page.priority.toUpperCase().padEnd(6)} ${where}: ${page.text}, since ${sinceS} s${flags}`,
    `          ${waits}`,
  ];
};
