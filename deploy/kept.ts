/** What must stay from one start of the stack to the next, and is nobody else's: ports that were found free once, secrets made once. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What the file holds; made and written where there is none yet. */
export const keptIn = async <T extends object>(file: string, make: () => Promise<T>): Promise<T> => {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as T;
  const made = await make();
  writeSecret(file, made);
  return made;
};

/** Writes what holds secrets, for us alone to read, also over a file that others could; gives its name. */
export const writeSecret = (file: string, content: object): string => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
};

export const makeSecret = (): string => randomBytes(24).toString("base64url");
