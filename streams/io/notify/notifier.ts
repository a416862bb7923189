/** The port of everything that tells people: one file per way, opened in compose.ts. Each confirms or fails; none may delay another. */
import type { Notification } from "../../../schemas/records/alert.ts";

export interface Notifier {
  /** As the policy's addresses name it. */
  readonly name: string;
  /**
   * Resolves when the other side has taken it (a technical confirmation: a system has it, never that a person has). Rejects with an
   * OperatingError, `retry` saying whether the same may be sent again; or when `signal` is aborted, which the caller does at its time limit.
   * Sent again with an equal identity, it must be the same message (the receiver drops it).
   */
  send(notification: Notification, to: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
