/** The code systems and namespaces that stand in what is written. `urn:afferent:` ones are our own. */

export const systems = {
  loinc: "http://loinc.org",
  /** ISO/IEEE 11073-10101. */
  mdc: "urn:iso:std:iso:11073:10101",
  snomed: "http://snomed.info/sct",
  ucum: "http://unitsofmeasure.org",
  category: "http://terminology.hl7.org/CodeSystem/observation-category",
  statistics: "http://terminology.hl7.org/CodeSystem/observation-statistics",
  interpretation: "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
  /** ISO/IEEE 11073-10201's measurement status as HL7's point-of-care device guide (1.0.0-ballot3) codes it. */
  measurementStatus: "http://terminology.hl7.org/CodeSystem/measurement-status",
  absent: "http://terminology.hl7.org/CodeSystem/data-absent-reason",
  /** UNCERTREL, UNRELIABLE: how far a value can be relied on. */
  integrity: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
  /** HTEST: health data for tests; TREAT: for treatment. */
  actReason: "http://terminology.hl7.org/CodeSystem/v3-ActReason",
  dataOperation: "http://terminology.hl7.org/CodeSystem/v3-DataOperation",
  provenanceAgent: "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
  auditType: "http://terminology.hl7.org/CodeSystem/audit-event-type",
  auditEntity: "http://terminology.hl7.org/CodeSystem/audit-entity-type",
  auditRole: "http://terminology.hl7.org/CodeSystem/object-role",
  auditSource: "http://terminology.hl7.org/CodeSystem/security-source-type",
  interaction: "http://hl7.org/fhir/restful-interaction",
  dicom: "http://dicom.nema.org/resources/ontology/DCM",
  diagnosticSection: "http://terminology.hl7.org/CodeSystem/v2-0074",
  application: "urn:afferent:application",
  approver: "urn:afferent:approver",
  association: "urn:afferent:association",
  component: "urn:afferent:observation-component",
  destination: "urn:afferent:destination",
  device: "urn:afferent:device",
  episode: "urn:afferent:episode",
  ktvMethod: "urn:afferent:ktv-method",
  /** Identity of what was measured: of the reading, channel, metric and ordinal. */
  measurement: "urn:afferent:measurement",
  metric: "urn:afferent:metric",
  report: "urn:afferent:report",
  revision: "urn:afferent:revision",
  rule: "urn:afferent:rule",
  transform: "urn:afferent:transform",
} as const;

export const vitalSignsProfile = "http://hl7.org/fhir/StructureDefinition/vitalsigns";
