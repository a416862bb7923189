/** ADT messages as a hospital's patient administration sends them, for tests. Times are local minutes of 21 November 2026 in UTC unless told. */

export interface AdtPatient {
  readonly number: string;
  readonly family: string;
  readonly given: string;
  readonly birth?: string;
  readonly visit?: string;
}

export const ines: AdtPatient = {
  number: "4711001",
  family: "Quellmann",
  given: "Ines",
  birth: "19580412",
  visit: "V-9001",
};
export const otto: AdtPatient = {
  number: "4711002",
  family: "Brackwede",
  given: "Otto",
  birth: "19710930",
  visit: "V-9002",
};

export interface AdtOf {
  readonly event: string;
  readonly patient: AdtPatient;
  /** PV1-3; without one no location is given. */
  readonly location?: string;
  /** EVN-6, "HHMM" or a whole DTM. */
  readonly occurred?: string;
  /** EVN-2; the same as EVN-6 unless told, which for a cancel means that it says nothing of what it cancels. */
  readonly recorded?: string;
  readonly controlId: string;
  readonly class?: string;
  readonly prior?: Partial<AdtPatient>;
  /** The other patient of a swap. */
  readonly other?: { readonly patient: AdtPatient; readonly location: string };
  readonly charset?: string;
  readonly header?: Readonly<Record<number, string>>;
}

const day = "20261121";
const dtm = (text: string): string => (text.length === 4 ? `${day}${text}00+0000` : text);
const cx = (number: string): string => `${number}^^^KH-NORD^MR`;

const pid = ({ number, family, given, birth = "" }: AdtPatient): string =>
  `PID|1||${cx(number)}~A 123^^^AOK^SS||${family}^${given}^^^^^L||${birth}|F|||Lindenweg 3^^Musterstadt^^12345`;
const pv1 = (location: string, visit: string, patientClass: string): string =>
  `PV1|1|${patientClass}|${location}||||0815^Ahrens^Jule|||CHI||||||||${patientClass}|${visit === "" ? "" : `${visit}^^^KH-NORD^VN`}`;

/** Segments ended by CR. */
export const adtText = (of: AdtOf): string => {
  const { event, patient, controlId, occurred = "0800", recorded = occurred, location = "", prior, other } = of;
  const patientClass = of.class ?? "I";
  const msh = [
    "MSH",
    "^~\\&",
    "ORBIS",
    "KH-NORD",
    "AFFERENT",
    "ICU",
    dtm(recorded),
    "",
    `ADT^${event}^ADT_A01`,
    controlId,
    "P",
    "2.5",
    ...Array(5).fill(""),
    of.charset ?? "UNICODE UTF-8",
  ];
  for (const [n, text] of Object.entries(of.header ?? {})) msh[Number(n) - 1] = text;
  const lines = [
    msh.join("|"),
    `EVN|${event}|${dtm(recorded)}|||${"PFLEGE7"}|${occurred === "" ? "" : dtm(occurred)}`,
    pid(patient),
    ...(prior === undefined
      ? []
      : [`MRG|${prior.number === undefined ? "" : cx(prior.number)}||||${prior.visit ?? ""}`]),
    pv1(location, patient.visit ?? "", patientClass),
    ...(other === undefined ? [] : [pid(other.patient), pv1(other.location, other.patient.visit ?? "", "I")]),
    "ZBE|1|unknown to everybody|7",
  ];
  return lines.map((line) => `${line}\r`).join("");
};

export const adtBytes = (of: AdtOf): Uint8Array => new TextEncoder().encode(adtText(of));
