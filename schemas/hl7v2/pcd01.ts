/**
 * An intent as IHE PCD-01 "Communicate PCD Data": ORU^R01^ORU_R01, HL7 v2.6, profile IHE_PCD_ORU_R01 (IHE PCD TF-2, 3.1 and appendix B). Made of
 * the intent's FHIR resource alone, so that both say the same; the same intent gives the same bytes whenever it is sent again.
 */
import { contentHash } from "../../streams/core/hash.ts";
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { Intent } from "../records/clinical.ts";
import { authorityOf, identifierOf } from "./assigned.ts";
import { components, dateTime, escaped, repetitions, segment } from "./encoding.ts";
import { headerOf, type Message, messageOf, type Parties } from "./message.ts";
import { type OruOrder, type OruValue, ordersOf, valuesOf } from "./pcd01-values.ts";
import { codedElement, unitOf } from "./pcd01-codes.ts";

export interface Pcd01Parties extends Parties {
  /** Asks for a commit acknowledgement (CA) alone; else for an application's (AA), as IHE's own samples do. */
  readonly enhanced: boolean;
  /** What OBX-6 is coded in. */
  readonly units: "ucum" | "mdc";
  /**
   * Whether the status `final` is a person's validation there. If not, results stay R, also when their episode is over: nobody has looked at
   * them (clinical.md 21).
   */
  readonly finalIsValidated: boolean;
}

const profile = components("IHE_PCD_ORU_R01", "IHE PCD", "1.3.6.1.4.1.19376.1.6.1.1.1", "ISO");

/** `at`: its place in the outbox, which tells one asking of a person from the next. Refuses `identity-unknown` (no identifier of the patient is known there), `no-hl7-form` (nothing in it that an OBX could say). */
export const pcd01 = (intent: Intent, parties: Pcd01Parties, at = ""): Result<Message> => {
  if (intent.patient === null)
    return refuse("identity-unknown", "no identifier of this patient with its assigning authority is known there");
  const values = valuesOf(intent);
  const order = ordersOf(intent);
  if (values.length === 0 || order === null)
    return refuse("no-hl7-form", `a ${intent.resourceType} without a coded value and its time`);
  const controlId = controlIdOf(intent, parties, at);
  const segments = [
    header(intent, parties, controlId),
    patientOf(intent.patient),
    // class unknown (table 0004): where the patient lies is the receiver's own knowledge
    segment("PV1", { 1: "1", 2: "U" }),
    orderOf(intent, order, parties),
    ...order.notes.map((text, n) => segment("NTE", { 1: String(n + 1), 3: escaped(text) })),
    ...values.map((value, n) => observation(value, n + 1, intent, parties)),
  ];
  return ok(messageOf(controlId, segments));
};

/** A resend that a person asked for is a message of its own: a receiver that rejected the first would else repeat its rejection unread. */
const controlIdOf = (
  { identity, revision, action, resourceId, resentBy }: Intent,
  { receiver }: Pcd01Parties,
  at: string,
): string => {
  const asking = resentBy === null ? "" : `${resentBy} ${at}`;
  return contentHash("pcd01", identity, resourceId, revision, action, receiver, asking).slice(0, 32);
};

const header = ({ at }: Intent, parties: Pcd01Parties, controlId: string): string =>
  headerOf(parties, {
    at,
    trigger: "R01",
    controlId,
    processing: "P",
    accept: parties.enhanced ? "AL" : "NE",
    application: parties.enhanced ? "NE" : "AL",
    profile,
  });

/** The number and nothing more; PID-5 is required and says that the name is not told (table 0200, U). */
const patientOf = ({ value, namespace, system, type }: NonNullable<Intent["patient"]>): string =>
  segment("PID", {
    3: identifierOf(value, authorityOf(namespace, system), type),
    5: components("", "", "", "", "", "", "U"),
  });

/** OBR-3 names what is told, over all its revisions: by it a receiver puts a correction in the place of what it corrects. */
const orderOf = ({ resourceId }: Intent, { code, fromMs, toMs }: OruOrder, { sender }: Pcd01Parties): string => {
  const filler = components(resourceId, sender.namespace, sender.universalId ?? "", sender.universalIdType ?? "");
  return segment("OBR", {
    1: "1",
    2: filler,
    3: filler,
    4: code === null ? components("182777000", "monitoring of patient", "SCT") : codedElement(code),
    7: dateTime(fromMs),
    8: toMs === null ? "" : dateTime(toMs),
  });
};

const observation = (value: OruValue, n: number, intent: Intent, parties: Pcd01Parties): string =>
  segment("OBX", {
    1: String(n),
    2: value.number !== null ? "NM" : value.text !== null ? "ST" : "",
    3: codedElement(value.code),
    4: value.containment,
    5: value.number !== null ? String(value.number) : escaped(value.text ?? ""),
    6: value.ucum === null ? "" : unitOf(value.ucum, value.code, parties.units),
    8: repetitions(...value.flags),
    11: resultStatus(value.status, parties),
    14: dateTime(value.atMs),
    18: value.device === null ? "" : equipmentOf(value.device, intent.destination, parties),
  });

/** HL7 table 0085: R not verified, F final, C a correction of what was final, W posted as wrong. */
const resultStatus = (status: string, { finalIsValidated }: Pcd01Parties): string => {
  if (status === "entered-in-error") return "W";
  if (!finalIsValidated || status === "preliminary" || status === "registered") return "R";
  return status === "final" ? "F" : "C";
};

/** A name for this receiver alone, from which neither the serial nor our own name for the device can be had (clinical.md 18). */
const equipmentOf = (device: string, destination: string, { sender }: Pcd01Parties): string =>
  components(
    contentHash("equipment", destination, device).slice(0, 16).toUpperCase(),
    sender.namespace,
    sender.universalId ?? "",
    sender.universalIdType ?? "",
  );
