/** A trace on one screen, for people. Times are UTC. */
import { utcInstant } from "../../../schemas/fhir/instant.ts";
import type { Rule } from "../../../schemas/records/broadcast.ts";
import type { Delivery, GateAnswer, Task } from "../../../schemas/records/clinical.ts";
import type { Association } from "../../../schemas/records/roster.ts";
import type { Episode } from "../../../schemas/records/telemetry.ts";
import type { NoEvent, Place, Trace, TracedDecision, TracedDestination, TracedPatient } from "../../../schemas/why.ts";
import { interruptionWords } from "../../../topologies/gates/validated-patient.ts";

const label = (name: string): string => name.padEnd(12);
const place = ({ topic, partition, offset }: Place): string => `${topic}/${partition}/${offset}`;
const until = (to: number | null): string => (to === null ? "on" : `to ${utcInstant(to)}`);

/** Every line of it, without line ends. */
export const screenOf = (trace: Trace): readonly string[] => [
  `${trace.question}`,
  `  ${summary(trace)}`,
  "",
  ...readingLines(trace),
  `${label("adapter")}${trace.model ?? "not known: the roster has no such device, or could not be read"}`,
  ...measurementLines(trace),
  ...windowLines(trace),
  `${label("rule")}${ruleLine(trace.rule)}`,
  ...trace.episodes.map(({ at, body }) => `${label("episode")}${episodeLine(body)}  ${place(at)}`),
  ...trace.patients.flatMap(patientLines),
  ...trace.missing.map((what) => `${label("not found")}${what}`),
];

const standings = {
  promoted: "promoted",
  refused: "REFUSED by the gates",
  retracted: "RETRACTED (entered in error)",
  notAnswered: "to be written; no answer yet",
  refusedThere: "NOT WRITTEN: the destination or the last look at consent refused it",
} as const satisfies Record<TracedDestination["standing"], string>;

const summary = (trace: Trace): string => {
  const all = trace.patients.flatMap(({ patientKey, destinations }) =>
    destinations.map(({ destination, standing }) => `${destination} (patient ${patientKey}): ${standings[standing]}`),
  );
  return all.length === 0 ? "never judged by the gates" : all.join("; ");
};

const readingLines = ({ reading }: Trace): readonly string[] =>
  reading === null
    ? []
    : [
        `${label("sent")}${reading.device} on ${reading.mqttTopic}, ${reading.size} bytes, received ${utcInstant(reading.receivedTime)}  ${place(reading.at)}`,
        `${label("")}${reading.payload}`,
      ];

const measurementLines = ({ measurement }: Trace): readonly string[] => {
  if (measurement === null) return [];
  const { metric, value, ucum, validity, evidence, channel, deviceTime, eventTime, clockUncertaintyMs } =
    measurement.body;
  const claimed = deviceTime === null ? "no time of its own" : `claimed ${utcInstant(deviceTime)}`;
  return [
    `${label("measured")}${metric} ${value ?? "no value"} ${ucum}, ${validity}${evidence === null ? "" : ` (${evidence})`}, channel ${channel}, ` +
      `${claimed}, taken as ${utcInstant(eventTime)} +-${clockUncertaintyMs} ms  ${place(measurement.at)}`,
  ];
};

const windowLines = ({ windows }: Trace): readonly string[] =>
  windows.map(
    ({ at, body: { shape, lengthMs, start, count, min, mean, max, revision } }) =>
      `${label("window")}${shape} ${lengthMs / 1_000} s from ${utcInstant(start)}, revision ${revision}: ${count} samples, ` +
      `${min} to ${max}, mean ${Math.round(mean * 100) / 100}  ${place(at)}`,
  );

const ruleLine = ({ id, version, title, when, limit, ucum, minimumMs, priority, approval }: Rule): string =>
  `${id} version ${version} "${title}": ${when}${when === "indeterminateZero" ? "" : ` ${limit} ${ucum}`} for ${minimumMs / 1_000} s, ${priority}; ` +
  (approval === null
    ? "NOT approved"
    : `approved by ${approval.by} ${utcInstant(approval.at)}${approval.demo ? " (demo)" : ""}`);

const episodeLine = (episode: Episode): string => {
  const { phase, revision, start, end, ended, qualifyingValue, qualifyingAt, min, max, count } = episode;
  const over = end === null ? "open" : `to ${utcInstant(end)} (${ended ?? "ended"})`;
  return `${phase}, revision ${revision}: from ${utcInstant(start)} ${over}; qualified with ${qualifyingValue} at ${utcInstant(qualifyingAt)}; ${min} to ${max} in ${count} samples`;
};

const patientLines = (patient: TracedPatient): readonly string[] => [
  "",
  `${label("patient")}${patient.patientKey}`,
  `  ${label("link")}${patient.association === null ? "none was in force" : linkLine(patient.association)}`,
  ...(patient.consents.length === 0 ? [`  ${label("consent")}none is known`] : []),
  ...patient.consents.map(({ id, version, says }) => `  ${label("consent")}${id} version ${version}: ${says}`),
  ...patient.destinations.flatMap(destinationLines),
  ...patient.tasks.map((task) => `  ${label("task")}${taskLine(task)}`),
];

const confirmedWords = ({ confirmedBy, confirmedAt, vouchedFrom }: Association): string => {
  if (confirmedBy === null || confirmedAt === null) return "confirmed by nobody";
  const since = vouchedFrom === null ? "" : ` and vouched for from ${utcInstant(vouchedFrom)}`;
  return `confirmed by ${confirmedBy} ${utcInstant(confirmedAt)}${since}`;
};

const linkLine = (association: Association): string => {
  const { id, revision, bed, from, to, assertedBy, voided, conflict, interrupted, cause } = association;
  const confirmed = confirmedWords(association);
  return [
    `${id} revision ${revision}, bed ${bed}, from ${utcInstant(from)} ${until(to)}, ${confirmed}, asserted by ${assertedBy}`,
    ...(voided ? ["VOIDED"] : []),
    ...(conflict === null ? [] : [`IN CONFLICT: ${conflict}`]),
    ...(interrupted === null
      ? []
      : [
          `INTERRUPTED by ${interruptionWords[interrupted.what]} at ${utcInstant(interrupted.at)}, to be confirmed again`,
        ]),
    ...(cause === "" ? [] : [`because of ${cause}`]),
  ].join("; ");
};

const destinationLines = ({ destination, standing, decisions }: TracedDestination): readonly string[] => [
  `  ${label(destination)}${standings[standing]}`,
  ...decisions.flatMap(decisionLines),
];

const decisionLines = ({ at, decision, intent, answers }: TracedDecision): readonly string[] => [
  `    revision ${decision.revision}, ${utcInstant(decision.at)}: ${decision.promoted ? "passed" : "refused"}  ${place(at)}`,
  ...decision.answers.map(gateLine),
  ...(intent === null
    ? []
    : [
        `      ${intent.action} ${intent.resourceType}/${intent.resourceId}${intent.resentBy === null ? "" : `, sent again by ${intent.resentBy}`}`,
      ]),
  ...(intent !== null && answers.length === 0 ? ["      no answer yet"] : []),
  ...answers.map(answerLine),
];

const gateLine = ({ gate, passed, reason, detail }: GateAnswer): string =>
  `      ${passed ? "yes" : "NO "} ${gate}: ${passed ? detail : `${reason}: ${detail}`}`;

const answerLine = ({ outcome, detail, versionId, by }: Delivery): string =>
  `      answer: ${outcome} (${detail})${versionId === null ? "" : `, version ${versionId} there`}${by === null ? "" : `, by ${by}`}`;

const taskLine = ({ audience, reason, detail, visibleMs }: Task): string =>
  `for ${audience}: ${reason}: ${detail}${visibleMs === null ? "" : `; visible for ${Math.round(visibleMs / 60_000)} min`}`;

/** What was measured where nothing became an event. */
export const noEventScreen = (none: NoEvent): readonly string[] => [
  none.question,
  `  ${none.says}`,
  "",
  ...none.measurements.map(
    ({ at, body: { metric, value, ucum, validity, eventTime } }) =>
      `${label("measured")}${utcInstant(eventTime)} ${metric} ${value ?? "no value"} ${ucum}, ${validity}  ${place(at)}`,
  ),
  ...none.quarantined.map(({ at, reason, detail }) => `${label("refused")}${reason}: ${detail}  ${place(at)}`),
];
