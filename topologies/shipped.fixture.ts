/** The clinical policies that ship as examples, read as a platform reads them, for tests. */
import { readFileSync } from "node:fs";
import type { Result } from "../streams/core/failure.ts";
import { parsePrecedence } from "./precedence/read.ts";
import { parseScores } from "./scores/policy.ts";

const taken = <T>(read: Result<T>): T => {
  if (!read.ok) throw new Error(read.problem.detail);
  return read.value;
};

/** The text of one of them, by its path below this folder. */
export const shippedText = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
export const shippedPrecedence = taken(parsePrecedence(shippedText("precedence/adult-example.json")));
export const shippedScores = taken(parseScores(shippedText("scores/adult-example.json"), shippedPrecedence));
