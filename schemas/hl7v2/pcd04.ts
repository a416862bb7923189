/**
 * A notification as IHE PCD-04 "Report Alert": ORU^R40^ORU_R40, HL7 v2.6, profile IHE_PCD_ACM_001 (IHE PCD TF-2, 3.4 and appendix B). It says
 * device, bed, event and time, and nothing of the patient: PID stays empty (clinical.md 18). An acknowledgement of it means that a system has it.
 */
import { contentHash } from "../../streams/core/hash.ts";
import { alarmEventOf } from "../alarm-events.ts";
import type { Notification } from "../records/alert.ts";
import { isMetric, metricOf } from "../terminology.ts";
import { components, dateTime, escaped, rawComponents, repetitions, segment, subcomponents } from "./encoding.ts";
import { headerOf, type Message, messageOf, type Parties } from "./message.ts";

export const phaseCodes = {
  start: "start",
  continue: "continue",
  update: "update",
  escalate: "escalate",
  deescalate: "deescalate",
  end: "end",
  reset: "reset",
} as const satisfies Record<Notification["phase"], string>;

export const inactivationCodes = {
  enabled: "enabled",
  audioPaused: "audio-paused",
  audioOff: "audio-off",
  alarmPaused: "alarm-paused",
  alarmOff: "alarm-off",
  acknowledged: "alert-acknowledged",
} as const satisfies Record<Notification["inactivation"], string>;

const priorityCodes = { high: "PH", medium: "PM", low: "PL" } as const satisfies Record<
  Notification["priority"],
  string
>;
const typeCodes = { physiological: "SP", technical: "ST", advisory: "SA" } as const satisfies Record<
  Notification["alertType"],
  string
>;

const mdc = "MDC";
/** Of our own codes, where no MDC code is verified (table 0396: 99 and a name). */
const localSystem = "99AFFERENT";
const profile = components("IHE_PCD_ACM_001", "IHE PCD", "1.3.6.1.4.1.19376.1.6.1.4.1", "ISO");

/** The message of a notification, whose log times are the wall clock's. The caller sees to it that the receiver may be told a bed. */
export const pcd04 = (notification: Notification, parties: Parties): Message => {
  const controlId = contentHash("pcd04", notification.identity, parties.receiver).slice(0, 32);
  const segments = [
    header(notification, parties, controlId),
    segment("PID", { 3: "" }),
    visit(notification),
    order(notification, parties, controlId),
    ...notes(notification),
    ...facets(notification),
    ...measurement(notification),
  ];
  return messageOf(controlId, segments);
};

const header = ({ what, at }: Notification, parties: Parties, controlId: string): string =>
  headerOf(parties, {
    at,
    trigger: "R40",
    controlId,
    // a heartbeat is for training of the path, not of production
    processing: what === "test" ? "T" : "P",
    // always the acknowledgement that it is stored, never one of a person
    accept: "AL",
    application: "NE",
    profile,
  });

/** PV1-2 is required and says nothing of anybody; PV1-3 is point of care, room, bed. */
const visit = ({ unit, bed }: Notification): string => segment("PV1", { 2: "I", 3: components(unit, "", bed ?? "") });

/** OBR-3 is unique per message; OBR-29 is the same for everything that is told of one page, which is how a receiver keeps them together. */
const order = ({ page, onset, end }: Notification, { sender }: Parties, controlId: string): string => {
  const owner = [sender.namespace, sender.universalId ?? "", sender.universalIdType ?? ""];
  return segment("OBR", {
    1: "1",
    3: components(controlId, ...owner),
    4: components("196616", "MDC_EVT_ALARM", mdc),
    7: dateTime(onset),
    8: end === null ? "" : dateTime(end),
    29: rawComponents("", subcomponents(page, ...owner)),
  });
};

const notes = (notification: Notification): string[] =>
  noteTexts(notification).map((text, n) => segment("NTE", { 1: String(n + 1), 3: escaped(text) }));

/** A page says where its bed comes from and how old that is (clinical.md 18). */
const noteTexts = ({ what, bed, bedSince, bedConfirmed, beds, step, attempt }: Notification): string[] => [
  ...(what === "alarm" ? [] : [`notification: ${what}`]),
  ...(bed === null
    ? []
    : [
        `bed known since ${bedSince === null ? "an unknown time" : dateTime(bedSince)}, ${bedConfirmed ? "confirmed" : "not confirmed"}`,
      ]),
  ...(beds.length === 0 ? [] : [`beds that nobody watches: ${beds.join(", ")}`]),
  `escalation step ${step}, attempt ${attempt}`,
];

/** The seven facets of an alert, in their order; OBX-4 is MDS.VMD.channel.metric.facet. */
const facets = (notification: Notification): string[] => {
  const { event, text, device, channel, metric, phase, signal, inactivation, onset } = notification;
  const coded = alarmEventOf(event).mdc;
  const eventCode =
    coded === null
      ? components(event, alarmEventOf(event).label, localSystem)
      : components(String(coded.code), coded.name, mdc);
  const flags = flagsOf(notification);
  return [
    observation(notification, 1, "ST", eventCode, escaped(text), {
      7: limitsOf(notification),
      8: flags,
      14: dateTime(onset),
      18: components(device),
    }),
    observation(notification, 2, "CWE", attribute(68480, "MDC_ATTR_ALERT_SOURCE"), sourceOf(metric, channel)),
    observation(notification, 3, "ST", attribute(68481, "MDC_ATTR_EVENT_PHASE"), phaseCodes[phase]),
    observation(notification, 4, "ST", attribute(68482, "MDC_ATTR_ALARM_STATE"), signal),
    observation(
      notification,
      5,
      "ST",
      attribute(68483, "MDC_ATTR_ALARM_INACTIVATION_STATE"),
      inactivationCodes[inactivation],
    ),
    observation(notification, 6, "ST", attribute(68484, "MDC_ATTR_ALARM_PRIORITY"), priorityOf(notification)),
    observation(notification, 7, "ST", attribute(68485, "MDC_ATTR_ALERT_TYPE"), typeCodes[notification.alertType]),
  ];
};

/** What was measured, with its unit and the limits it crossed: an eighth OBX, of what the source facet names. */
const measurement = (notification: Notification): string[] => {
  const { metric, value, ucum, onset } = notification;
  if (metric === null || value === null) return [];
  return [
    observation(notification, 8, "NM", metricCode(metric), String(value), {
      6: ucum === null ? "" : components(ucum, ucum, "UCUM"),
      7: limitsOf(notification),
      8: flagsOf(notification),
      14: dateTime(onset),
    }),
  ];
};

const observation = (
  { metric }: Notification,
  facet: number,
  type: "ST" | "NM" | "CWE",
  code: string,
  value: string,
  more: Readonly<Record<number, string>> = {},
): string =>
  segment("OBX", {
    1: String(facet),
    2: type,
    3: code,
    4: `${metric === null ? "1.0.0.0" : "1.1.1.1"}.${facet}`,
    5: value,
    // nobody has validated it
    11: "R",
    ...more,
  });

const attribute = (code: number, name: string): string => components(String(code), name, mdc);

const metricCode = (metric: string): string => {
  const known = isMetric(metric) ? metricOf(metric) : null;
  if (known === null || known.mdc === null) return components(metric, known?.display ?? metric, localSystem);
  return components(String(known.mdc), known.mdcRefId ?? "", mdc);
};

const sourceOf = (metric: string | null, channel: string): string =>
  metric === null ? components(channel, channel, localSystem) : metricCode(metric);

/** PN is for what asks nobody to do anything (table of facet 68484). */
const priorityOf = ({ what, priority }: Notification): string => (what === "test" ? "PN" : priorityCodes[priority]);

/** As seen in the wild: abnormality, priority, type, e.g. `L~PH~SP` (OBX-8, table 0078 and PCD's own). */
const flagsOf = (notification: Notification): string => {
  const { alertType, direction } = notification;
  const abnormality =
    direction === "high" ? ["H"] : direction === "low" ? ["L"] : alertType === "physiological" ? ["A"] : [];
  return repetitions(...abnormality, priorityOf(notification), typeCodes[alertType]);
};

/** OBX-7: `50-120`, `>50`, `<120`. */
const limitsOf = ({ lowLimit, highLimit }: Notification): string => {
  if (lowLimit !== null && highLimit !== null) return `${lowLimit}-${highLimit}`;
  if (lowLimit !== null) return `>${lowLimit}`;
  return highLimit === null ? "" : `<${highLimit}`;
};
