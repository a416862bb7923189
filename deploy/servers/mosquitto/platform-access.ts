/**
 * Who may use the platform's own topics at the broker: the user `platform`, with a password that is made once for each stack. A device that
 * could write there would have a mute button (clinical.md 17). Everything else stays open until the security issue brings a credential per device.
 */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { platformRoot, platformUser } from "../../../schemas/platform.ts";

export const aclFile = "acl";
export const passwordFile = "passwords";
/** In the server's folder: the password itself, for the roles that speak as the platform. */
const secretFile = "platform.secret";

/** What comes before the first `user` is for those who name none. mosquitto looks at `deny` first; it bars reading too. */
export const acl = `topic readwrite #
topic read $SYS/#
topic deny ${platformRoot}/#
user ${platformUser}
topic readwrite #
topic read $SYS/#
`;

/** mosquitto 2's own form: PBKDF2 with SHA-512, as mosquitto_passwd writes it. */
const hashed = (password: string, salt: Buffer): string => {
  const iterations = 101;
  const key = pbkdf2Sync(password, salt, iterations, 64, "sha512");
  return `$7$${iterations}$${salt.toString("base64")}$${key.toString("base64")}`;
};

/** The platform's password at this broker; made where there is none. */
export const platformPassword = async (folder: string): Promise<string> => {
  const file = join(folder, secretFile);
  const known = await readFile(file, "utf8").catch(() => "");
  if (known !== "") return known;
  const password = randomBytes(24).toString("base64url");
  await writeFile(file, password, { mode: 0o600 });
  return password;
};

/** Writes the files that the settings name. */
export const writeAccess = async (folder: string): Promise<void> => {
  const password = await platformPassword(folder);
  await writeFile(join(folder, aclFile), acl, { mode: 0o600 });
  await writeFile(join(folder, passwordFile), `${platformUser}:${hashed(password, randomBytes(12))}\n`, {
    mode: 0o600,
  });
};
