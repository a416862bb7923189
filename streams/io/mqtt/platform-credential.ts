/**
 * Who may speak as the platform: who connects under its name with its password. Everybody else is a device, whatever its payload says, and
 * is kept off the platform's topics: what comes on them counts as a test, which would otherwise be a mute button (clinical.md 17). People's
 * answers come through it alone too: whoever could write them would accept pages in a nurse's name.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { answerRoot, platformRoot, platformUser } from "../../../schemas/platform.ts";

export type Refused = "platform-password" | "platform-topic";

export interface PlatformCredential {
  /** False: a connection under the platform's name without its password. Any other name is a device's. */
  admits(connection: object, username: string | undefined, password: Uint8Array | undefined): boolean;
  /** False: a topic of the platform's, or of people's answers, from somebody else. */
  mayPublish(connection: object | undefined, mqttTopic: string): boolean;
}

/** Without a password nobody is the platform. */
export const platformCredential = (password: string | undefined): PlatformCredential => {
  const platform = new WeakSet<object>();
  return {
    admits(connection, username, given) {
      if (username !== platformUser) return true;
      if (password === undefined || given === undefined || !areSame(given, Buffer.from(password))) return false;
      platform.add(connection);
      return true;
    },
    mayPublish: (connection, mqttTopic) =>
      !itsOwn.has(mqttTopic.split("/", 1)[0] ?? "") || (connection !== undefined && platform.has(connection)),
  };
};

const itsOwn = new Set([platformRoot, answerRoot]);

/** Digests are of one length, so that the time it takes says nothing. */
const areSame = (a: Uint8Array, b: Uint8Array): boolean => timingSafeEqual(sha256(a), sha256(b));
const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
