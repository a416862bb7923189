/** E-mail by SMTP. The subject never says more than "alarm in unit X, open the app": subjects are shown on locked screens and kept in logs. */
import { createTransport } from "nodemailer";
import type { Notification } from "../../../schemas/records/alert.ts";
import { OperatingError } from "../../core/failure.ts";
import { isLoopback } from "./loopback.ts";
import type { Notifier } from "./notifier.ts";
import { lineOf, outsideText } from "./wording.ts";

export interface SmtpOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (port 465); otherwise STARTTLS is demanded, but of this machine. */
  readonly tlsFromStart: boolean;
  readonly from: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** PEM of whom to trust beside the usual; the hospital's own. */
  readonly ca?: string | undefined;
}

/** Of one silence of the server; the caller's signal is usually earlier. */
const silenceMs_max = 10_000;
/** One mailbox and nothing that could be a second one, a name or a header. */
const address = /^[^\s<>,;:"()[\]\\@]{1,64}@[^\s<>,;:"()[\]\\@]{1,255}$/;

/**
 * An address is one mailbox. Codes of `send`: `smtp-address-refused` and `smtp-refused` (5xx; final), `smtp-later` (4xx), `smtp-unreachable`
 * (no connection, no TLS, or no answer in its time), `smtp-credentials` (may be mended while it is tried).
 */
export const openSmtp = (options: SmtpOptions): Notifier => {
  const { name, host, port, tlsFromStart, from, user, password, ca } = options;
  const transport = createTransport({
    host,
    port,
    secure: tlsFromStart,
    requireTLS: !tlsFromStart && !isLoopback(host),
    ...(ca !== undefined && { tls: { ca } }),
    ...(user !== undefined && { auth: { user, pass: password ?? "" } }),
    connectionTimeout: silenceMs_max,
    greetingTimeout: silenceMs_max,
    socketTimeout: silenceMs_max,
    dnsTimeout: silenceMs_max,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name,
    send: async (notification, to, signal) => {
      if (!address.test(to))
        throw new OperatingError("smtp-address-refused", `smtp: ${JSON.stringify(to)} is not one mailbox`, {
          retry: false,
        });
      await transport
        .sendMail({ ...mailOf(notification, from), to, signal })
        .catch((cause: unknown) => Promise.reject(failureOf(cause, host, to)));
    },
    close: async () => transport.close(),
  };
};

/** The same Message-ID whenever it is sent again: a mailbox shows it once. */
const mailOf = (notification: Notification, from: string) => ({
  from,
  subject: outsideText(notification),
  text: `${notification.inside ? lineOf(notification) : outsideText(notification)}\n`,
  messageId: `<${notification.identity}@afferent.invalid>`,
  date: new Date(notification.at),
  priority: notification.priority === "high" ? ("high" as const) : ("normal" as const),
});

interface SmtpFailure {
  readonly code?: string;
  readonly responseCode?: number;
  readonly permanent?: boolean;
}

const failureOf = (cause: unknown, host: string, to: string): OperatingError => {
  const { code, responseCode, permanent } = (cause instanceof Error ? cause : {}) as SmtpFailure;
  const words = cause instanceof Error ? cause.message : String(cause);
  const fail = (kind: string, retry: boolean): OperatingError =>
    new OperatingError(kind, `smtp: ${host} for ${to}: ${words}`, { retry, cause });
  if (code === "EAUTH" || code === "ENOAUTH") return fail("smtp-credentials", true);
  if (responseCode === undefined || code === "ETLS") return fail("smtp-unreachable", true);
  return permanent === true ? fail("smtp-refused", false) : fail("smtp-later", true);
};
