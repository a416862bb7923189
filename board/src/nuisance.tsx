/** Which rules and devices cry wolf: by bed, how often they alarmed, and how often that was over by itself before anybody could have come. */
import type { CircuitView, LimitView, NuisanceView } from "../../schemas/board.ts";
import { addressOf } from "./chosen-bed.ts";
import { bedName, count, duration, plain, sentence } from "./words.ts";

const sources: Record<NuisanceView["source"], string> = {
  rule: "our rule",
  device: "the device's own",
  technical: "technical",
};

const share = ({ selfEnded, alarms }: NuisanceView): number => Math.round((100 * selfEnded) / alarms);

/** A rule's title where the board knows it; "sensorOff" as "Sensor off". */
const named = (what: string, limits: readonly LimitView[]): string =>
  limits.find(({ rule }) => rule === what)?.title ??
  sentence(plain(what).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));

const Ranked = ({ one, limits }: { one: NuisanceView; limits: readonly LimitView[] }) => (
  <tr data-testid="nuisance" data-bed={one.bed ?? ""} data-what={one.what}>
    <th scope="row">{one.bed === null ? one.unit : <a href={addressOf(one.bed)}>{bedName(one.bed)}</a>}</th>
    <td title={`${one.what}, ${sources[one.source]}`}>
      {named(one.what, limits)} <span class="panel-note">{sources[one.source]}</span>
    </td>
    <td class="number">{count(one.alarms)}</td>
    <td class="number">
      {count(one.selfEnded)} <small>{share(one)}%</small>
    </td>
    <td class="number">{duration(one.durationMs)}</td>
    <td class="number">{duration(one.delayMs / one.alarms)}</td>
  </tr>
);

export const Nuisance = ({ circuit, limits }: { circuit: CircuitView; limits: readonly LimitView[] }) => (
  <section class="panel nuisance" aria-labelledby="nuisance-title">
    <div class="panel-head">
      <h2 id="nuisance-title">What alarms most</h2>
      <span class="panel-note">by bed and rule, the last 24 hours</span>
    </div>
    {circuit.nuisance.length === 0 ? (
      <p class="empty">Nothing has alarmed.</p>
    ) : (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls must be reachable by keyboard
      <section class="nuisance-rows" tabIndex={0} aria-label="What alarms most, a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Bed</th>
              <th scope="col">What</th>
              <th scope="col" class="number">
                Alarms
              </th>
              <th scope="col" class="number" title="Ended by itself within 10 s of being raised">
                Over in 10 s
              </th>
              <th scope="col" class="number" title="Of all of them together">
                Lasted
              </th>
              <th scope="col" class="number" title="From the onset until it was raised, on average">
                Delay
              </th>
            </tr>
          </thead>
          <tbody>
            {circuit.nuisance.map((one) => (
              <Ranked key={`${one.unit} ${one.bed} ${one.source} ${one.what}`} one={one} limits={limits} />
            ))}
          </tbody>
        </table>
      </section>
    )}
  </section>
);
