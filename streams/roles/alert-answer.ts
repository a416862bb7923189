/** `afferent alarms`, `accept`, `reject` and `reset-alarm`: what a person at a terminal asks the circuit and tells it. */
import { readFile } from "node:fs/promises";
import { type AlertConfig, readAlertConfig } from "../alert-config.ts";
import { OperatingError } from "../core/failure.ts";
import type { Answer } from "../../schemas/alert-records.ts";
import type { ShownPage } from "./alert/api.ts";
import { tokenFile } from "./alert/token.ts";

const answerMs_max = 5_000;
const identityShown = 8;

/** Prints the open pages, the gravest first, and who is expected to answer until when. */
export const alarms = async (configFile: string, options: { readonly json?: boolean }): Promise<void> => {
  const config = await readAlertConfig(configFile);
  const response = await ask(config, "/alarms");
  const { now, pages } = (await response.json()) as { readonly now: number; readonly pages: readonly ShownPage[] };
  const lines = options.json ? pages.map((page) => JSON.stringify(page)) : pages.flatMap((page) => linesOf(page, now));
  process.stdout.write(lines.length === 0 ? "no open page\n" : `${lines.join("\n")}\n`);
};

/** Resolves when the circuit has the answer. Codes: `answer-refused` with its reason, `circuit-unreachable`. */
export const answer = async (
  configFile: string,
  page: string,
  what: Answer["what"],
  { as: who }: { readonly as: string },
): Promise<void> => {
  const config = await readAlertConfig(configFile);
  const token = await readFile(tokenFile(config.data), "utf8").catch((cause: unknown) => {
    throw new OperatingError("circuit-unreachable", `${config.data}: no circuit has run here, or it is not yours`, {
      retry: false,
      cause,
    });
  });
  const response = await ask(config, "/answers", {
    method: "POST",
    headers: { authorization: `Bearer ${token.trim()}`, "content-type": "application/json" },
    body: JSON.stringify({ page, who, what }),
  });
  const said = (await response.json()) as {
    readonly page?: string;
    readonly refused?: string;
    readonly detail?: string;
  };
  if (!response.ok)
    throw new OperatingError("answer-refused", `${what} ${page}: ${said.detail} (${said.refused})`, { retry: false });
  process.stdout.write(`${what}: ${said.page}, as ${who}\n`);
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
