/** What was promoted or refused, and why: the four gates' answers, and what the destination said. */
import type { DecisionView } from "../../schemas/board.ts";
import { addressOf } from "./chosen-bed.ts";
import { Cross, Tick } from "./icons.tsx";
import { WholeWay } from "./whole-way.tsx";
import { bedName, plain, sentence, timeOfDay } from "./words.ts";

type Answer = DecisionView["answers"][number];

const gateNames: Record<string, string> = {
  approvedThreshold: "Rule",
  wellFormed: "Form",
  validatedPatient: "Patient",
  consented: "Consent",
  precedence: "Source",
};
const gateQuestions: Record<string, string> = {
  approvedThreshold: "Approved threshold",
  wellFormed: "Well-formed resource",
  validatedPatient: "Validated patient",
  consented: "Consent in force",
  precedence: "Preferred source",
};
const outcomes: Record<string, string> = {
  written: "written",
  alreadyThere: "already there",
  withheld: "withheld",
  refused: "refused by it, parked",
  dropped: "dropped by hand",
};

const Gate = ({ answer }: { answer: Answer }) => (
  <span
    class={`gate gate-${answer.passed ? "passed" : "failed"}`}
    title={`${gateQuestions[answer.gate] ?? answer.gate}: ${plain(answer.reason)}`}
  >
    {answer.passed ? <Tick /> : <Cross />}
    {gateNames[answer.gate] ?? answer.gate}
    <span class="unseen">{answer.passed ? "passed" : `failed: ${plain(answer.reason)}`}</span>
  </span>
);

const deliveryText = ({ promoted, destination, delivery }: DecisionView): string => {
  if (delivery !== null)
    return `${destination}: ${outcomes[delivery.outcome] ?? delivery.outcome} (${delivery.detail})`;
  return promoted ? `${destination}: not answered yet` : "Nothing was written";
};

const whyText = (decision: DecisionView): string => {
  const failed = decision.answers.filter(({ passed }) => !passed);
  return failed.length === 0 ? deliveryText(decision) : sentence(failed.map(({ reason }) => plain(reason)).join(", "));
};

const Decision = ({ decision }: { decision: DecisionView }) => (
  <li class="decision" data-testid="decision" data-promoted={decision.promoted} data-bed={decision.bed ?? ""}>
    <details>
      <summary>
        <span class="decision-line">
          <span class={`verdict verdict-${decision.promoted ? "promoted" : "refused"}`}>
            {decision.promoted ? <Tick /> : <Cross />}
            {decision.promoted ? "Promoted" : "Refused"}
          </span>
          <span class="row-bed">{decision.bed === null ? "no bed" : bedName(decision.bed)}</span>
          <span class="row-name" title={decision.title}>
            {decision.title}
          </span>
          <span class="row-time">{timeOfDay(decision.at)}</span>
        </span>
        <span class="decision-line">
          <span class="decision-why" title={whyText(decision)}>
            {whyText(decision)}
          </span>
          <span class="gates">
            {decision.answers.map((answer) => (
              <Gate key={answer.gate} answer={answer} />
            ))}
          </span>
        </span>
      </summary>
      <dl class="answers">
        {decision.answers.map((answer) => (
          <div key={answer.gate} class={`answer answer-${answer.passed ? "passed" : "failed"}`}>
            <dt>{gateQuestions[answer.gate] ?? answer.gate}</dt>
            <dd>
              {answer.passed ? <Tick /> : <Cross />}
              <span>
                <b>{sentence(plain(answer.reason))}</b> {answer.detail}
              </span>
            </dd>
          </div>
        ))}
        <div class="answer">
          <dt>Destination</dt>
          <dd>{sentence(deliveryText(decision))}</dd>
        </div>
        {decision.bed !== null && (
          <div class="answer">
            <dt>Bed</dt>
            <dd>
              <a href={addressOf(decision.bed)}>Show {bedName(decision.bed)}</a>
            </dd>
          </div>
        )}
      </dl>
      <WholeWay identity={decision.identity} />
    </details>
  </li>
);

interface DecisionsProps {
  readonly decisions: readonly DecisionView[];
  readonly promoted: number;
  readonly refused: number;
}

export const Decisions = ({ decisions, promoted, refused }: DecisionsProps) => (
  <section class="panel" aria-labelledby="decisions-title">
    <div class="panel-head">
      <h2 id="decisions-title">Promoted or refused, and why</h2>
      <span class="panel-note">
        {promoted} promoted, {refused} refused
      </span>
    </div>
    {decisions.length === 0 ? (
      <p class="empty">No episode has been offered to the clinical record yet.</p>
    ) : (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard
      <ol class="rows" tabIndex={0} aria-label="Decisions, newest first">
        {decisions.map((decision) => (
          <Decision key={`${decision.identity} ${decision.destination}`} decision={decision} />
        ))}
      </ol>
    )}
  </section>
);
