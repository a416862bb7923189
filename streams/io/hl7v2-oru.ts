/**
 * The outbox's way to a system that takes HL7 v2: each intent as an ORU^R01 of IHE PCD-01 over MLLP, one at a time. AA and CA settle it; AE is
 * tried again and parked where it stays; AR parks it. What got no answer is sent again with the same control id, over a new connection.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Acknowledgement } from "../../schemas/hl7v2/acknowledgement.ts";
import { pcd01, type Pcd01Parties } from "../../schemas/hl7v2/pcd01.ts";
import type { Intent } from "../../schemas/records/clinical.ts";
import { OperatingError } from "../core/failure.ts";
import { isReachable } from "./mllp/reach.ts";
import { type MllpOptions, MllpSender } from "./mllp/sender.ts";
import { type Adapter, type Attempt, refused, type Trying, unsettled } from "./outbox/attempt.ts";
import { type DestinationKind, ofEveryDestination } from "./outbox/kind.ts";

const shape = z.strictObject({
  ...ofEveryDestination,
  kind: z.literal("hl7v2"),
  host: z.string().min(1),
  port: z.int().min(1).max(65535),
  /** Files in PEM; the receiver is always verified, by `caFile` or by the machine's own authorities. */
  tls: z
    .strictObject({
      caFile: z.string().min(1).optional(),
      certFile: z.string().min(1).optional(),
      keyFile: z.string().min(1).optional(),
    })
    .optional(),
  sender: z.strictObject({
    namespace: z.string().min(1),
    universalId: z.string().min(1).optional(),
    universalIdType: z.string().min(1).optional(),
  }),
  sendingFacility: z.string().optional(),
  /** MSH-5. */
  receiver: z.string().min(1),
  receivingFacility: z.string().optional(),
  /** Commit acknowledgements (CA) instead of the application's; false unless told otherwise. */
  enhanced: z.boolean().optional(),
  /** OBX-6; ucum unless told otherwise. */
  units: z.enum(["ucum", "mdc"]).optional(),
  /** Whether `final` is a person's validation (OBX-11 F, C); if not, and unless told otherwise, results stay R. */
  finalIsValidated: z.boolean().optional(),
  /** Of one attempt, the connection included; 10 s unless told otherwise. */
  answerWithinMs: z.int().positive().optional(),
});
type OruConfig = z.infer<typeof shape>;

const connectWithinMs = 5_000;

export const oruDestination: DestinationKind<typeof shape> = {
  shape,
  async open(config, { signal }) {
    const options: MllpOptions = {
      host: config.host,
      port: config.port,
      answerWithinMs: config.answerWithinMs ?? 10_000,
      ...(config.tls !== undefined && { tls: await tlsOf(config.tls) }),
    };
    const connection = new MllpSender(options);
    signal.addEventListener("abort", () => connection.close(), { once: true });
    const parties = partiesOf(config);
    return oruAdapter(connection, parties, (closing) =>
      isReachable(options, AbortSignal.any([closing, AbortSignal.timeout(connectWithinMs)])),
    );
  },
};

const partiesOf = ({ sender, sendingFacility, receiver, receivingFacility, ...config }: OruConfig): Pcd01Parties => ({
  sender,
  sendingFacility,
  receiver,
  receivingFacility,
  enhanced: config.enhanced ?? false,
  units: config.units ?? "ucum",
  finalIsValidated: config.finalIsValidated ?? false,
});

/** Codes: `file-unreadable`. */
const tlsOf = async ({ caFile, certFile, keyFile }: NonNullable<OruConfig["tls"]>): Promise<MllpOptions["tls"]> => ({
  ca: await pemIn(caFile),
  cert: await pemIn(certFile),
  key: await pemIn(keyFile),
});

const pemIn = async (file: string | undefined): Promise<string | undefined> =>
  file === undefined
    ? undefined
    : readFile(file, "utf8").catch((cause: unknown) => {
        throw new OperatingError("file-unreadable", `${file}: can't be read`, { retry: false, cause });
      });

const oruAdapter = (connection: MllpSender, parties: Pcd01Parties, probe: Adapter["probe"]): Adapter => ({
  readsBack: false,
  probe,
  attempt: (intent, trying) => attempt(intent, trying, connection, parties),
  close: async () => connection.close(),
});

const attempt = async (
  intent: Intent,
  { at, withheld, signal }: Trying,
  connection: MllpSender,
  parties: Pcd01Parties,
): Promise<Attempt> => {
  const message = pcd01(intent, parties, at);
  if (!message.ok) return refused(`${message.problem.reason}: ${message.problem.detail}`);
  const refusal = await withheld();
  if (refusal !== null) return refusal;
  try {
    return judge(await connection.send(message.value, signal));
  } catch (error) {
    if (!(error instanceof OperatingError) || !error.retry) throw error;
    // the one who never had a connection was sent nothing
    return unsettled(
      error.code === "mllp-unreachable" || error.code === "mllp-busy" ? "destination" : "unsure",
      error.message,
    );
  }
};

/** MSA-3 and ERR may repeat what was sent; what is kept of it is cleaned by whoever keeps it (outbox/delivery.ts). */
const judge = ({ code, text }: Acknowledgement): Attempt => {
  const answered = `${code}${text === "" ? "" : `: ${text}`}`;
  if (code === "AA" || code === "CA") return { outcome: "written", detail: code, versionId: null };
  return code === "AE" || code === "CE" ? unsettled("intent", answered) : refused(answered);
};
