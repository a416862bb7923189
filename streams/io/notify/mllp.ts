/** Tells an alarm manager of the hospital's by IHE PCD-04 over MLLP; its acknowledgement confirms that it has the message. */
import type { Authority } from "../../../schemas/hl7v2/assigned.ts";
import { pcd04 } from "../../../schemas/hl7v2/pcd04.ts";
import type { Acknowledgement } from "../../../schemas/hl7v2/acknowledgement.ts";
import { OperatingError } from "../../core/failure.ts";
import { type MllpOptions, MllpSender } from "../mllp/sender.ts";
import type { Notifier } from "./notifier.ts";

export interface MllpNotifierOptions extends MllpOptions {
  readonly name: string;
  readonly sender: Authority;
  readonly sendingFacility?: string | undefined;
  readonly receivingFacility?: string | undefined;
}

/**
 * An address is the receiving application, as MSH-5 names it. Codes of `send`: `recipient-outside` (final: PCD-04 has no form that says
 * nothing of bed and event), `mllp-error-answer` (AE, CE), `mllp-rejected` (AR, CR; final), and those of the connection (io/mllp).
 */
export const openMllp = (options: MllpNotifierOptions): Notifier => {
  const connection = new MllpSender(options);
  return {
    name: options.name,
    send: async (notification, to, signal) => {
      if (!notification.inside)
        throw new OperatingError("recipient-outside", `mllp: ${to} is outside the trust boundary`, { retry: false });
      judge(await connection.send(pcd04(notification, { ...options, receiver: to }), signal));
    },
    close: async () => connection.close(),
  };
};

const judge = ({ code, text }: Acknowledgement): void => {
  const answered = `mllp: answered ${code}${text === "" ? "" : `: ${text}`}`;
  if (code === "AE" || code === "CE") throw new OperatingError("mllp-error-answer", answered, { retry: true });
  if (code === "AR" || code === "CR") throw new OperatingError("mllp-rejected", answered, { retry: false });
};
