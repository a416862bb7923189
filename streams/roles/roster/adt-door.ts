/**
 * Where ADT comes in: a message is understood, kept and applied, and answered AA only then; what can't be used is answered AE or AR with its reason, and
 * kept for whoever mends the sender. Nothing of a message's content is logged or counted: it names patients.
 */
import { readAdt, senderOf } from "../../../schemas/hl7v2/adt.ts";
import { answerTo } from "../../../schemas/hl7v2/adt-answer.ts";
import type { ReadLocalTime } from "../../../schemas/hl7v2/adt-time.ts";
import type { Problem } from "../../core/failure.ts";
import { digest } from "../../core/hash.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "../../io/mllp/receiver.ts";
import type { RosterService } from "./service.ts";
import type { RosterStore } from "./store.ts";

export interface AdtDoorOptions extends Pick<ReceiverOptions, "host" | "port" | "tls" | "onFault" | "messageMsMax"> {
  readonly service: RosterService;
  readonly store: RosterStore;
  readonly localTime: ReadLocalTime;
  readonly processingId: string;
  readonly now: () => number;
  /** `applied` (AA), or the reason of a refusal; the event where it was understood. */
  readonly onMessage: (outcome: string, event: string) => void;
  /** Nothing can be kept now; senders are left without an answer and send again. */
  readonly onError: (error: unknown) => void;
}

/** Whose fault a refusal is: an AR is repeated in vain. */
const rejected = new Set(["control-id-reused"]);

export const openAdtDoor = (options: AdtDoorOptions): Promise<Receiver> =>
  startReceiver({
    ...options,
    answer: async (message) => {
      try {
        return answered(message, options);
      } catch (error) {
        options.onError(error);
        return undefined;
      }
    },
  });

/** The acknowledgement of a message that is kept. Throws where the file can't be written. */
export const answered = (message: Uint8Array, options: Omit<AdtDoorOptions, "host" | "port" | "onFault">): string => {
  const { service, now, onMessage } = options;
  const read = readAdt(message, options);
  if (!read.ok) return refuse(message, read.refusal, read.refusal.code, "", options);
  const applied = service.applyAdt(read.value, message);
  const { event } = read.value;
  if (!applied.ok) {
    const { problem } = applied;
    return refuse(message, problem, rejected.has(problem.reason) ? "AR" : "AE", event, options);
  }
  if (applied.value.problem !== null && blocking.has(applied.value.problem.reason))
    return refuse(message, applied.value.problem, "AE", event, options);
  onMessage(applied.value.problem?.reason ?? "applied", event);
  return answerTo(message, { code: "AA", problem: null, atMs: now() });
};

/** Kept, and never to take effect as it is; a cancel whose event is still on its way is no error of its sender. */
const blocking = new Set(["merge-loop", "already-merged", "file-owned"]);

const refuse = (
  message: Uint8Array,
  problem: Problem,
  code: "AE" | "AR",
  event: string,
  { store, now, onMessage }: Pick<AdtDoorOptions, "store" | "now" | "onMessage">,
): string => {
  const atMs = now();
  store.keepMessage({
    ...senderOf(message),
    digest: digest(message),
    code,
    reason: problem.reason,
    message,
    receivedMs: atMs,
  });
  onMessage(problem.reason, event);
  return answerTo(message, { code, problem, atMs });
};
