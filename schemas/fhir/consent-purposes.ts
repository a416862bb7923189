/**
 * Why something is disclosed: HL7 v3-ActReason, the part of its tree below PurposeOfUse that consents name. A code that is not
 * here is related to none: it neither permits another purpose nor is known to be apart from it.
 */

/** Each code's parent (HL7 terminology, CodeSystem v3-ActReason, hierarchy below PurposeOfUse). */
const parents: Readonly<Record<string, string>> = {
  HMARKT: "PurposeOfUse",
  HOPERAT: "PurposeOfUse",
  HPAYMT: "PurposeOfUse",
  HRESCH: "PurposeOfUse",
  PATRQT: "PurposeOfUse",
  PUBHLTH: "PurposeOfUse",
  TREAT: "PurposeOfUse",
  DONAT: "HOPERAT",
  FRAUD: "HOPERAT",
  GOV: "HOPERAT",
  HACCRED: "HOPERAT",
  HCOMPL: "HOPERAT",
  HDECD: "HOPERAT",
  HDIRECT: "HOPERAT",
  HDM: "HOPERAT",
  HLEGAL: "HOPERAT",
  HOUTCOMS: "HOPERAT",
  HPRGRP: "HOPERAT",
  HQUALIMP: "HOPERAT",
  HSYSADMIN: "HOPERAT",
  MEMADMIN: "HOPERAT",
  PATADMIN: "HOPERAT",
  PATSFTY: "HOPERAT",
  PERFMSR: "HOPERAT",
  RECORDMGT: "HOPERAT",
  TRAIN: "HOPERAT",
  CLMATTCH: "HPAYMT",
  COVAUTH: "HPAYMT",
  COVERAGE: "HPAYMT",
  REMITADV: "HPAYMT",
  BIORCH: "HRESCH",
  CLINTRCH: "HRESCH",
  CLINTRCHNPC: "CLINTRCH",
  CLINTRCHPC: "CLINTRCH",
  PRECLINTRCH: "CLINTRCH",
  DSRCH: "HRESCH",
  POARCH: "HRESCH",
  TRANSRCH: "HRESCH",
  FAMRQT: "PATRQT",
  PWATRNY: "PATRQT",
  SUPNWK: "PATRQT",
  DISASTER: "PUBHLTH",
  THREAT: "PUBHLTH",
  CAREMGT: "TREAT",
  CLINTRL: "TREAT",
  COC: "TREAT",
  ETREAT: "TREAT",
  POPHLTH: "TREAT",
  BTG: "ETREAT",
  ERTREAT: "ETREAT",
};

export const isPurpose = (code: string): boolean => Object.hasOwn(parents, code) || code === "PurposeOfUse";

/** Whether `code` is `of`, or a kind of it. */
export const isWithin = (code: string, of: string): boolean => {
  for (let at: string | undefined = code; at !== undefined; at = Object.hasOwn(parents, at) ? parents[at] : undefined)
    if (at === of) return true;
  return false;
};

/** What a permit that names neither purpose nor recipient reaches: care, its administration, the patient's own request. Not research, not marketing. */
const everyday = ["TREAT", "HPAYMT", "HOPERAT", "PATRQT"] as const;
export const isEveryday = (code: string): boolean => everyday.some((of) => isWithin(code, of));
