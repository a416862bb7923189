/** What the command line shows the circuit: whoever can read the circuit's folder may answer for people. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export const tokenFile = (data: string): string => join(data, "api.token");

/** The circuit's token; made at its first start, readable by its owner only. */
export const apiToken = async (data: string): Promise<string> => {
  const known = await readFile(tokenFile(data), "utf8").catch(() => "");
  if (known.trim() !== "") return known.trim();
  const token = randomBytes(24).toString("hex");
  await writeFile(tokenFile(data), `${token}\n`, { mode: 0o600 });
  return token;
};
