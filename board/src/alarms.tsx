/** The alert circuit's open alarms, the gravest first: what is the matter and where, who was told, who has it, and who is told next and when. */
import type { AlarmView, BannerView, CircuitView } from "../../schemas/board.ts";
import { addressOf } from "./chosen-bed.ts";
import { PriorityMark } from "./icons.tsx";
import { age, bedName, duration, timeOfDay } from "./words.ts";

type Told = AlarmView["told"][number];

const standing: Record<Told["state"], string> = {
  pending: "no answer yet",
  accepted: "accepted",
  rejected: "rejected",
  noAnswer: "did not answer",
  undeliverable: "could not be reached",
};

/** How old the knowledge of the bed is, and whose word it is. */
const bedKnowledge = ({ bed, bedSince, bedConfirmed }: AlarmView, now: number): string => {
  if (bed === null) return "no one bed";
  const since = bedSince === null ? "nobody said since when" : `there for ${age(now - bedSince)}`;
  return bedConfirmed ? since : `${since}, not confirmed`;
};

const nextText = ({ state, nextAt, lastResort, latched }: AlarmView, now: number): string => {
  if (latched) return "Until a named person resets it";
  if (nextAt === null) return state === "accepted" ? "In hand" : "Nobody is told again";
  const due = nextAt - now;
  const when = due > 0 ? `in ${duration(due)}` : "now";
  if (state === "accepted") return `Reminded ${when}`;
  return `${lastResort ? "Last resort again" : "Next is told"} ${when}`;
};

const People = ({ alarm, now }: { alarm: AlarmView; now: number }) => {
  const { told, acceptedBy } = alarm;
  if (acceptedBy !== null) return <span class="alarm-taken">{acceptedBy} has it</span>;
  if (told.length === 0) return <span>Nobody told yet</span>;
  return (
    <span class="alarm-people">
      {told.map(({ recipient, state, since }) => (
        <span class={`told told-${state}`} key={recipient} title={`since ${timeOfDay(since)}`}>
          <b>{recipient}</b> {standing[state]} {state === "pending" && age(now - since)}
        </span>
      ))}
    </span>
  );
};

const Alarm = ({ alarm, now, known }: { alarm: AlarmView; now: number; known: boolean }) => {
  const { bed, unit, priority, text, device, onset, state } = alarm;
  return (
    <li
      class={`row alarm alarm-${priority} alarm-${state}`}
      data-testid="alarm"
      data-bed={bed ?? ""}
      data-priority={priority}
      data-state={state}
    >
      <PriorityMark priority={priority} />
      <span class="row-text">
        <span class="row-title">
          {bed === null ? (
            <span class="row-bed">{unit}</span>
          ) : (
            <a class="row-bed" href={addressOf(bed)}>
              {bedName(bed)}
            </a>
          )}
          <span class="row-name" title={text}>
            {text}
          </span>
        </span>
        <span class="row-note">
          <span>
            {unit}, {bedKnowledge(alarm, now)}
          </span>
          <span>{device}</span>
        </span>
      </span>
      <span class="row-text">
        <b class="alarm-since">for {duration(now - onset)}</b>
        <span class="row-note">since {timeOfDay(onset)}</span>
      </span>
      <span class="row-text alarm-told">
        <People alarm={alarm} now={now} />
        <span class="row-note">{known ? nextText(alarm, now) : "Whether anybody is told now, nobody knows"}</span>
      </span>
    </li>
  );
};

const noteOf = ({ silent, open, alarms }: CircuitView): string => {
  if (silent !== null) return `as known at ${timeOfDay(silent.since)}: nobody knows how they stand now`;
  const unaccepted = alarms.filter(({ state }) => state === "escalating").length;
  const more = open > alarms.length ? `, the gravest ${alarms.length} shown` : "";
  return open === 0 ? "" : `${open} open, ${unaccepted} not accepted${more}`;
};

export const Alarms = ({ circuit }: { circuit: CircuitView | null }) => (
  <section class={`panel alarms ${circuit?.silent == null ? "" : "alarms-old"}`} aria-labelledby="alarms-title">
    <div class="panel-head">
      <h2 id="alarms-title">Alarms</h2>
      <span class="panel-note">{circuit === null ? "" : noteOf(circuit)}</span>
    </div>
    {circuit === null ? (
      <p class="empty">This board follows no alert circuit: who was told of what is not shown here.</p>
    ) : circuit.alarms.length === 0 ? (
      <p class="empty">{circuit.silent === null ? "No alarm is open." : "No alarm was open when it answered last."}</p>
    ) : (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard
      <ol class="rows alarm-rows" tabIndex={0} aria-label="Open alarms, the gravest first">
        {circuit.alarms.map((alarm) => (
          <Alarm key={alarm.identity} alarm={alarm} now={circuit.now} known={circuit.silent === null} />
        ))}
      </ol>
    )}
  </section>
);

/** What everybody is told while part of the platform is down; a circuit that does not answer is said as loudly as a page that is not live. */
export const Banner = ({ circuit, now }: { circuit: CircuitView | null; now: number }) => {
  if (circuit === null) return null;
  const { silent, banner, failures } = circuit;
  if (silent === null && banner === null && failures.length === 0) return null;
  const priority: BannerView["priority"] =
    silent === null && failures.length === 0 ? (banner?.priority ?? "low") : "high";
  return (
    <div class={`banner banner-${priority}`} role="alert" data-testid="banner" data-silent={silent !== null}>
      {silent !== null && (
        <>
          <strong>The alert circuit does not answer since {timeOfDay(silent.since)}</strong>
          <span class="banner-age" aria-hidden="true">
            {age(now - silent.since)}
          </span>
        </>
      )}
      {silent === null && failures.length > 0 && <strong>The alert circuit is not well: {failures.join("; ")}</strong>}
      {banner !== null && <span>{banner.text}</span>}
      {silent !== null && <span class="banner-why">({silent.why})</span>}
    </div>
  );
};
