/** Reads what a configuration says of precedence and scores: policies as data, which are part of the topology as destinations are. */
import { readFile } from "node:fs/promises";
import type { Config } from "./config.ts";
import { OperatingError, type Result } from "./core/failure.ts";
import type { PrecedencePolicy } from "../topologies/precedence/policy.ts";
import { parsePrecedence } from "../topologies/precedence/read.ts";
import { approveScoresForDemo, parseScores, type ScorePolicy } from "../topologies/scores/policy.ts";

export interface ChartPolicies {
  readonly precedence: PrecedencePolicy | null;
  readonly scores: ScorePolicy | null;
}

const text = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("file-unreadable", `${file}: can't be read`, { retry: false, cause });
  });

const read = <T>(file: string, parsed: Result<T>): T => {
  if (parsed.ok) return parsed.value;
  throw new OperatingError(parsed.problem.reason, `${file}:\n${parsed.problem.detail}`, { retry: false });
};

/** `demoApprovedAt` in ms. Codes: `file-unreadable`, `precedence-invalid`, `scores-invalid`, `config-invalid` (scores without precedence). */
export const loadChartPolicies = async (
  {
    precedence: precedenceFile,
    scores: scoresFile,
    demoApproval,
  }: Pick<Config, "precedence" | "scores" | "demoApproval">,
  demoApprovedAt: number,
): Promise<ChartPolicies> => {
  if (precedenceFile === undefined) {
    if (scoresFile === undefined) return { precedence: null, scores: null };
    throw new OperatingError("config-invalid", "scores: needs a precedence policy, whose quantities it names", {
      retry: false,
    });
  }
  const precedence = read(precedenceFile, parsePrecedence(await text(precedenceFile)));
  if (scoresFile === undefined) return { precedence, scores: null };
  const scores = read(scoresFile, parseScores(await text(scoresFile), precedence));
  return { precedence, scores: demoApproval ? approveScoresForDemo(scores, demoApprovedAt) : scores };
};
