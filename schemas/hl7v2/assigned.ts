/** Names and numbers in HL7 v2 that need an authority to be told apart: applications (HD), patients (CX). */
import { components, escaped, rawComponents, subcomponents } from "./encoding.ts";

/** A name in three parts (type HD): as people write it, and as all the world can tell it apart, e.g. an EUI-64 or an OID. */
export interface Authority {
  readonly namespace: string;
  readonly universalId?: string | undefined;
  readonly universalIdType?: string | undefined;
}

export const applicationOf = ({ namespace, universalId = "", universalIdType = "" }: Authority): string =>
  components(namespace, universalId, universalIdType);

/** Where a FHIR identifier system has an OID, HL7 v2 says the same as universal id; any other URI is one as it stands (table 0301). */
export const authorityOf = (namespace: string, system: string): Authority => {
  const oid = system.match(/^urn:oid:([\d.]+)$/)?.[1];
  if (oid !== undefined) return { namespace, universalId: oid, universalIdType: "ISO" };
  return /^https?:|^urn:/.test(system) ? { namespace, universalId: system, universalIdType: "URI" } : { namespace };
};

/** Type CX: a value with its assigning authority and its type (table 0203). */
export const identifierOf = (value: string, authority: Authority, type: string): string => {
  const { namespace, universalId = "", universalIdType = "" } = authority;
  return rawComponents(escaped(value), "", "", subcomponents(namespace, universalId, universalIdType), escaped(type));
};
