/**
 * Who may use the platform's own topics at the broker. Its heartbeats are the user `platform`'s alone: a device that could write there would
 * have a mute button (clinical.md 17). What people are told is read by wall displays, and by each handheld its own; answers are written by
 * each handheld on its own topic: who could write another's would accept pages in a nurse's name. Each has a password that is made once for
 * a stack. Devices' own topics stay open until the security issue brings a credential per device.
 */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { answerRoot, displayRoot, platformRoot, platformUser } from "../../../schemas/platform.ts";
import { OperatingError } from "../../../streams/core/failure.ts";

export const aclFile = "acl";
export const passwordFile = "passwords";
/** In the server's folder: the passwords themselves, by user. */
const secretsFile = "secrets.json";
/** Wall displays of the wards: they read what everybody there is told, and the banner. */
export const displaysUser = "displays";

/**
 * What comes before the first `user` is for those who name none. mosquitto looks at `deny` first; it bars reading too. A `pattern` is for
 * every user, %u being its name; nobody without a name fits one with %u, and `deny` keeps him from the banner.
 */
export const acl = `topic readwrite #
topic read $SYS/#
topic deny ${platformRoot}/#
topic deny ${answerRoot}/#
topic deny ${displayRoot}/#
user ${platformUser}
topic readwrite #
topic read $SYS/#
user ${displaysUser}
topic read ${displayRoot}/#
pattern read ${displayRoot}/%u
pattern read ${displayRoot}/banner
pattern write ${answerRoot}/%u
`;

/** mosquitto 2's own form: PBKDF2 with SHA-512, as mosquitto_passwd writes it. */
const hashed = (password: string, salt: Buffer): string => {
  const iterations = 101;
  const key = pbkdf2Sync(password, salt, iterations, 64, "sha512");
  return `$7$${iterations}$${salt.toString("base64")}$${key.toString("base64")}`;
};

type Secrets = Readonly<Record<string, string>>;

const secretsIn = async (folder: string): Promise<Secrets> => {
  const text = await readFile(join(folder, secretsFile), "utf8").catch(() => "{}");
  return JSON.parse(text) as Secrets;
};

/** The password of a user at this broker; made where there is none. */
const passwordOf = async (folder: string, user: string): Promise<string> => {
  const secrets = await secretsIn(folder);
  const known = secrets[user];
  if (known !== undefined) return known;
  const password = randomBytes(24).toString("base64url");
  await writeFile(join(folder, secretsFile), JSON.stringify({ ...secrets, [user]: password }), { mode: 0o600 });
  return password;
};

export const platformPassword = (folder: string): Promise<string> => passwordOf(folder, platformUser);

/**
 * The password of a recipient's handheld, whose user name is the recipient's id; the broker knows it from its next start or SIGHUP on.
 * Codes: `handheld-name-refused` for a name that is the platform's or that no topic level can be.
 */
export const handheldPassword = async (folder: string, who: string): Promise<string> => {
  if ([platformUser, displaysUser, "banner"].includes(who) || !/^[^+#/:\s\p{Cc}]+$/u.test(who))
    throw new OperatingError("handheld-name-refused", `handheld: nobody's may be called ${JSON.stringify(who)}`, {
      retry: false,
    });
  const password = await passwordOf(folder, who);
  await writeAccess(folder);
  return password;
};

/** Writes the files that the settings name. */
export const writeAccess = async (folder: string): Promise<void> => {
  for (const user of [platformUser, displaysUser]) await passwordOf(folder, user);
  const lines = Object.entries(await secretsIn(folder)).map(
    ([user, password]) => `${user}:${hashed(password, randomBytes(12))}\n`,
  );
  await writeFile(join(folder, aclFile), acl, { mode: 0o600 });
  await writeFile(join(folder, passwordFile), lines.join(""), { mode: 0o600 });
};
