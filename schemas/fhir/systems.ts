/** The code systems and namespaces that stand in what is written. `urn:afferent:` ones are our own. */

export const systems = {
  loinc: "http://loinc.org",
  /** ISO/IEEE 11073-10101. */
  mdc: "urn:iso:std:iso:11073:10101",
  ucum: "http://unitsofmeasure.org",
  category: "http://terminology.hl7.org/CodeSystem/observation-category",
  statistics: "http://terminology.hl7.org/CodeSystem/observation-statistics",
  interpretation: "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
  /** UNCERTREL: of uncertain reliability. */
  integrity: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
  /** HTEST: health data for tests. */
  actReason: "http://terminology.hl7.org/CodeSystem/v3-ActReason",
  component: "urn:afferent:observation-component",
  device: "urn:afferent:device",
  episode: "urn:afferent:episode",
  revision: "urn:afferent:revision",
  rule: "urn:afferent:rule",
  transform: "urn:afferent:transform",
} as const;

export const vitalSignsProfile = "http://hl7.org/fhir/StructureDefinition/vitalsigns";
