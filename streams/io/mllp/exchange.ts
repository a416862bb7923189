/**
 * One message and its acknowledgement over a connection that carries nothing else meanwhile. Whatever goes wrong has a name, and ends the
 * connection: what would come on it after that could be taken for the answer to another message.
 */
import type { Socket } from "node:net";
import { type Acknowledgement, readAcknowledgement } from "../../../schemas/hl7v2/acknowledgement.ts";
import { OperatingError } from "../../core/failure.ts";
import { type Deframed, Deframer, framed } from "./framing.ts";

export interface Message {
  /** Segments, each ended by CR. */
  readonly text: string;
  readonly controlId: string;
}

const answerBytes_max = 65_536;

export interface Exchange {
  readonly socket: Socket;
  readonly message: Message;
  /** The control id of the message before: some peers acknowledge twice, with a commit and then as an application. */
  readonly earlier?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Codes, all of which may be tried again: `mllp-no-answer` (none in its time), `mllp-half-answer` (begun and not ended, in its time or at the
 * connection's end), `mllp-closed` (ended by the peer before it answered), `mllp-garbage`, `mllp-too-long`, `mllp-not-an-answer` (not an
 * acknowledgement), `mllp-wrong-answer` (to something else).
 */
export const exchange = async ({ socket, message, earlier, signal }: Exchange): Promise<Acknowledgement> => {
  const answered = Promise.withResolvers<Acknowledgement>();
  const deframer = new Deframer(answerBytes_max);
  const halfOr = (code: string, detail: string): void =>
    answered.reject(
      deframer.isWithin
        ? failed("mllp-half-answer", `an answer began and did not end; ${detail}`)
        : failed(code, detail),
    );
  const onData = (bytes: Buffer): void => {
    for (const one of deframer.push(bytes)) {
      const answer = answerTo(one);
      if (answer instanceof OperatingError) answered.reject(answer);
      else if (answer.controlId === message.controlId) answered.resolve(answer);
      else if (answer.controlId !== earlier) answered.reject(wrongAnswer(answer));
    }
  };
  const onClose = (): void => halfOr("mllp-closed", "the peer ended the connection before it answered");
  const onAbort = (): void => halfOr("mllp-no-answer", "no acknowledgement in its time");
  socket.on("data", onData).on("close", onClose);
  signal.addEventListener("abort", onAbort, { once: true });
  if (socket.destroyed) onClose();
  else if (signal.aborted) onAbort();
  else socket.write(framed(message.text));
  try {
    return await answered.promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    socket.off("data", onData).off("close", onClose);
    signal.removeEventListener("abort", onAbort);
  }
};

const answerTo = (one: Deframed): Acknowledgement | OperatingError => {
  if ("problem" in one) return failed(one.problem.reason, one.problem.detail);
  const read = readAcknowledgement(one.message);
  return read.ok ? read.value : failed("mllp-not-an-answer", read.problem.detail);
};

const wrongAnswer = ({ controlId }: Acknowledgement): OperatingError =>
  failed("mllp-wrong-answer", `it acknowledges ${JSON.stringify(controlId.slice(0, 60))}`);

const failed = (code: string, detail: string): OperatingError =>
  new OperatingError(code, `mllp: ${detail}`, { retry: true });
