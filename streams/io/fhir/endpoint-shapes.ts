/**
 * What the embedded endpoint lets in: the elements of the R4 resources that it keeps. Written
 * from the specification and not from what we send, so that it can disagree with us.
 */
import { z } from "zod";
import {
  any,
  code,
  coding,
  concept,
  dateTime,
  id,
  identifier,
  period,
  quantity,
  reference,
  text,
  uri,
} from "./endpoint-datatypes.ts";

const base = {
  id,
  meta: z
    .strictObject({
      versionId: id.optional(),
      lastUpdated: dateTime.optional(),
      source: uri.optional(),
      profile: z.array(uri).optional(),
      security: z.array(coding).optional(),
      tag: z.array(coding).optional(),
    })
    .optional(),
  implicitRules: uri.optional(),
  language: code.optional(),
  text: any,
  contained: any,
  extension: any,
  modifierExtension: any,
  identifier: z.array(identifier).min(1).optional(),
};

const values = {
  valueQuantity: quantity.optional(),
  valueCodeableConcept: concept.optional(),
  valueString: text.optional(),
  valueBoolean: z.boolean().optional(),
  valueInteger: z.int().optional(),
  valueRange: any,
  valueRatio: any,
  valueSampledData: any,
  valueTime: text.optional(),
  valueDateTime: dateTime.optional(),
  valuePeriod: period.optional(),
  dataAbsentReason: concept.optional(),
  interpretation: z.array(concept).min(1).optional(),
  referenceRange: any,
};

const oneOf = (resource: object, prefix: string): boolean =>
  Object.keys(resource).filter((key) => key.startsWith(prefix)).length <= 1;

const hasValue = (o: object): boolean => Object.keys(o).some((key) => key.startsWith("value"));

const observation = z
  .strictObject({
    resourceType: z.literal("Observation"),
    ...base,
    ...values,
    basedOn: z.array(reference).optional(),
    partOf: z.array(reference).optional(),
    status: z.enum([
      "registered",
      "preliminary",
      "final",
      "amended",
      "corrected",
      "cancelled",
      "entered-in-error",
      "unknown",
    ]),
    category: z.array(concept).min(1).optional(),
    code: concept,
    subject: reference.optional(),
    focus: z.array(reference).optional(),
    encounter: reference.optional(),
    effectiveDateTime: dateTime.optional(),
    effectivePeriod: period.optional(),
    effectiveTiming: any,
    effectiveInstant: dateTime.optional(),
    issued: dateTime.optional(),
    performer: z.array(reference).optional(),
    note: z.array(z.strictObject({ text, time: dateTime.optional(), authorString: text.optional() })).optional(),
    bodySite: concept.optional(),
    method: concept.optional(),
    specimen: reference.optional(),
    device: reference.optional(),
    hasMember: z.array(reference).optional(),
    derivedFrom: z.array(reference).optional(),
    component: z
      .array(z.strictObject({ code: concept, ...values }))
      .min(1)
      .optional(),
  })
  .refine((o) => oneOf(o, "value"), { path: ["value[x]"], message: "more than one value" })
  .refine((o) => oneOf(o, "effective"), { path: ["effective[x]"], message: "more than one effective time" })
  .refine((o) => !(hasValue(o) && o.dataAbsentReason !== undefined), {
    path: ["dataAbsentReason"],
    message: "obs-6: only where there is no value",
  });

const patient = z.strictObject({
  resourceType: z.literal("Patient"),
  ...base,
  active: z.boolean().optional(),
  name: any,
  telecom: any,
  gender: z.enum(["male", "female", "other", "unknown"]).optional(),
  birthDate: z.iso.date().optional(),
  deceasedBoolean: z.boolean().optional(),
  deceasedDateTime: dateTime.optional(),
  address: any,
  maritalStatus: concept.optional(),
  multipleBirthBoolean: z.boolean().optional(),
  multipleBirthInteger: z.int().optional(),
  photo: any,
  contact: any,
  communication: any,
  generalPractitioner: z.array(reference).optional(),
  managingOrganization: reference.optional(),
  link: any,
});

const encounter = z.strictObject({
  resourceType: z.literal("Encounter"),
  ...base,
  status: z.enum([
    "planned",
    "arrived",
    "triaged",
    "in-progress",
    "onleave",
    "finished",
    "cancelled",
    "entered-in-error",
    "unknown",
  ]),
  statusHistory: any,
  class: coding,
  classHistory: any,
  type: z.array(concept).optional(),
  serviceType: concept.optional(),
  priority: concept.optional(),
  subject: reference.optional(),
  episodeOfCare: z.array(reference).optional(),
  basedOn: z.array(reference).optional(),
  participant: any,
  appointment: z.array(reference).optional(),
  period: period.optional(),
  length: quantity.optional(),
  reasonCode: z.array(concept).optional(),
  reasonReference: z.array(reference).optional(),
  diagnosis: any,
  account: z.array(reference).optional(),
  hospitalization: any,
  location: any,
  serviceProvider: reference.optional(),
  partOf: reference.optional(),
});

const report = z
  .strictObject({
    resourceType: z.literal("DiagnosticReport"),
    ...base,
    basedOn: z.array(reference).optional(),
    status: z.enum([
      "registered",
      "partial",
      "preliminary",
      "final",
      "amended",
      "corrected",
      "appended",
      "cancelled",
      "entered-in-error",
      "unknown",
    ]),
    category: z.array(concept).min(1).optional(),
    code: concept,
    subject: reference.optional(),
    encounter: reference.optional(),
    effectiveDateTime: dateTime.optional(),
    effectivePeriod: period.optional(),
    issued: dateTime.optional(),
    performer: z.array(reference).optional(),
    resultsInterpreter: z.array(reference).optional(),
    specimen: z.array(reference).optional(),
    result: z.array(reference).optional(),
    imagingStudy: z.array(reference).optional(),
    media: any,
    conclusion: text.optional(),
    conclusionCode: z.array(concept).optional(),
    presentedForm: any,
  })
  .refine((r) => oneOf(r, "effective"), { path: ["effective[x]"], message: "more than one effective time" });

const provenance = z.strictObject({
  resourceType: z.literal("Provenance"),
  ...base,
  identifier: z.never().optional(),
  target: z.array(reference).min(1),
  occurredDateTime: dateTime.optional(),
  occurredPeriod: period.optional(),
  recorded: dateTime,
  policy: z.array(uri).min(1).optional(),
  location: reference.optional(),
  reason: z.array(concept).optional(),
  activity: concept.optional(),
  agent: z
    .array(
      z.strictObject({
        type: concept.optional(),
        role: z.array(concept).optional(),
        who: reference,
        onBehalfOf: reference.optional(),
      }),
    )
    .min(1),
  entity: z
    .array(
      z.strictObject({
        role: z.enum(["derivation", "revision", "quotation", "source", "removal"]),
        what: reference,
        agent: any,
      }),
    )
    .optional(),
  signature: any,
});

const auditEvent = z.strictObject({
  resourceType: z.literal("AuditEvent"),
  ...base,
  identifier: z.never().optional(),
  type: coding,
  subtype: z.array(coding).optional(),
  action: z.enum(["C", "R", "U", "D", "E"]).optional(),
  period: period.optional(),
  recorded: dateTime,
  outcome: z.enum(["0", "4", "8", "12"]).optional(),
  outcomeDesc: text.optional(),
  purposeOfEvent: z.array(concept).optional(),
  agent: z.array(z.object({ requestor: z.boolean() })).min(1),
  source: z.object({ observer: reference }),
  entity: any,
});

const shapes: Readonly<Record<string, z.ZodType>> = {
  Observation: observation,
  DiagnosticReport: report,
  Provenance: provenance,
  AuditEvent: auditEvent,
  Patient: patient,
  Encounter: encounter,
};

export const resourceTypes = Object.keys(shapes);

/** Each with its place; empty where the resource may be kept. */
export const shapeProblems = (type: string, resource: unknown): readonly string[] => {
  const result = shapes[type]?.safeParse(resource);
  if (result === undefined) return [`${type} is not kept here`];
  return result.success ? [] : result.error.issues.map((i) => `${type}.${i.path.join(".")}: ${i.message}`);
};

/** Every `Type/id` that a resource refers to; logical references (an identifier alone) refer to nothing here. */
export const referencesIn = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "reference" && typeof inner === "string" ? [inner] : referencesIn(inner),
  );
};
