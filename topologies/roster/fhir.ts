/** FHIR R4 Patient, Encounter and Device as the events that the roster keeps. What lacks what it must have is refused with a reason, and nobody else is touched. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { parseInstant } from "../../schemas/decoding/instant.ts";
import { keyIn, type Naming, visitOf } from "./adt.ts";
import type { FhirDeviceEvent, FhirEncounterEvent, FhirPatientEvent, KnownIdentifier } from "./events.ts";

export interface FhirNaming extends Naming {
  /** The destination that the server is. */
  readonly destination: string;
  /** The identifier system by which devices are called as in the roster and in MQTT topics; null: devices are not read. */
  readonly deviceSystem: string | null;
}

type FhirEvent = FhirPatientEvent | FhirEncounterEvent | FhirDeviceEvent;

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
const list = (value: unknown, name: string): readonly unknown[] => {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
};
const text = (value: unknown, name: string): string | null => {
  const found = member(value, name);
  return typeof found === "string" && found !== "" ? found : null;
};
const instantOf = (value: unknown, name: string): number | null => {
  const read = parseInstant(text(value, name) ?? "", name);
  return read.ok ? read.value : null;
};
const idIn = (reference: unknown, type: string): string | null =>
  text(reference, "reference")?.match(new RegExp(`(?:^|/)${type}/([^/]+)(?:/_history/.*)?$`))?.[1] ?? null;

/** Reasons: `no-last-updated`, `identifier-unknown`, `subject-unknown`, `not-read`. */
export const fhirEvent = (resource: unknown, naming: FhirNaming): Result<FhirEvent> => {
  const [type, id] = [text(resource, "resourceType"), text(resource, "id")];
  const at = instantOf(member(resource, "meta"), "lastUpdated");
  if (id === null || at === null) return refuse("no-last-updated", `${type}: no id, or meta.lastUpdated is no instant`);
  const version = text(member(resource, "meta"), "versionId") ?? String(at);
  const basics = { id: `fhir/${naming.destination}/${type}/${id}/${version}`, occurredMs: at, recordedMs: at };
  switch (type) {
    case "Patient":
      return patientEvent(resource, id, basics, naming);
    case "Encounter":
      return encounterEvent(resource, id, basics, naming);
    case "Device":
      return deviceEvent(resource, basics, naming);
    default:
      return refuse("not-read", "only Patient, Encounter and Device are read");
  }
};

type Basics = Pick<FhirPatientEvent, "id" | "occurredMs" | "recordedMs">;

const patientEvent = (
  resource: unknown,
  fhirId: string,
  basics: Basics,
  naming: FhirNaming,
): Result<FhirPatientEvent> => {
  const identifiers = list(resource, "identifier").flatMap((one): KnownIdentifier[] => {
    const [system, value] = [text(one, "system"), text(one, "value")];
    const authority = naming.authorities.find((a) => a.system === system);
    if (authority === undefined || value === null || text(one, "use") === "old") return [];
    return [{ system: authority.system, namespace: authority.namespace, type: authority.type, value }];
  });
  const patient = keyIn(identifiers, naming);
  if (patient === undefined)
    return refuse("identifier-unknown", `Patient/${fhirId}: no identifier of the configured system`);
  const names = list(resource, "name");
  const name = names.find((one) => text(one, "use") === "official") ?? names[0];
  const replaced = list(resource, "link").find((one) => text(one, "type") === "replaced-by");
  return ok({
    kind: "fhirPatient",
    ...basics,
    patient,
    demographics: {
      identifiers,
      familyName: text(name, "family"),
      givenName: list(name, "given").find((given): given is string => typeof given === "string") ?? null,
      birthDate: /^\d{4}-\d\d-\d\d$/.exec(text(resource, "birthDate") ?? "")?.[0] ?? null,
    },
    active: member(resource, "active") !== false,
    fhirId,
    destination: naming.destination,
    replacedBy: idIn(member(replaced, "other"), "Patient"),
  });
};

/** Of which nothing was, or nothing is to be believed. */
const never = new Set(["cancelled", "entered-in-error", "planned"]);

const encounterEvent = (
  resource: unknown,
  fhirId: string,
  basics: Basics,
  naming: FhirNaming,
): Result<FhirEncounterEvent> => {
  const patientFhirId = idIn(member(resource, "subject"), "Patient");
  if (patientFhirId === null)
    return refuse("subject-unknown", `Encounter/${fhirId}: its subject is no Patient of the server`);
  const number = list(resource, "identifier").map((one) => text(one, "value"))[0] ?? null;
  const whole = member(resource, "period");
  const stays = list(resource, "location").flatMap((one) => {
    const at = member(one, "location");
    const location = text(member(at, "identifier"), "value") ?? text(at, "display");
    const period = member(one, "period") ?? whole;
    const fromMs = instantOf(period, "start");
    if (location === null || fromMs === null || text(one, "status") === "planned") return [];
    const ended = text(one, "status") === "completed" ? instantOf(whole, "end") : null;
    return [{ location, fromMs, toMs: instantOf(period, "end") ?? instantOf(whole, "end") ?? ended }];
  });
  return ok({
    kind: "fhirEncounter",
    ...basics,
    fhirId,
    destination: naming.destination,
    patientFhirId,
    visit: number === null ? `e-${naming.destination}/${fhirId}` : visitOf(number, "", naming),
    source: `FHIR ${naming.destination}`,
    stays: never.has(text(resource, "status") ?? "") ? [] : stays,
  });
};

const deviceEvent = (resource: unknown, basics: Basics, { deviceSystem }: FhirNaming): Result<FhirDeviceEvent> => {
  const named = list(resource, "identifier").find((one) => text(one, "system") === deviceSystem);
  const device = text(named, "value");
  const model = text(resource, "modelNumber");
  // an MQTT topic segment
  if (deviceSystem === null || device === null || model === null || !/^[^/+#\s]+$/.test(device))
    return refuse("identifier-unknown", "Device: no modelNumber, or no identifier of the configured system");
  const location = member(resource, "location");
  return ok({
    kind: "fhirDevice",
    ...basics,
    device,
    model,
    serial: text(resource, "serialNumber"),
    firmware: list(resource, "version").map((one) => text(one, "value"))[0] ?? null,
    location: text(member(location, "identifier"), "value") ?? text(location, "display"),
  });
};
