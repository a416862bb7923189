/** The periods of a Consent and of the data, and the instants at which they are judged. */
import { at, only } from "../../../schemas/fhir/consent.fixture.ts";
import { optIn, except, ghh, type Row } from "./asking.fixture.ts";

export const whenItHolds: readonly Row[] = [
  [
    "a period that is over",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { start: at(0), end: at(8) } } })] },
    { fhir: [optIn({ provision: { period: { start: at(0), end: at(12) } } })] },
  ],
  [
    "a period that has not begun",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { start: at(11) } } })] },
    { fhir: [optIn({ provision: { period: { start: at(9) } } })] },
  ],
  [
    "the instant after a period's last second",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { end: "2026-11-21T14:09:59Z" } } })] },
    { fhir: [optIn({ provision: { period: { end: "2026-11-21T14:10:00Z" } } })] },
  ],
  [
    "a last day that is over somewhere on earth",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { end: "2026-11-21" } } })] },
    { fhir: [optIn({ provision: { period: { end: "2026-11-22" } } })] },
  ],
  [
    "a day that has ended in the hospital's own zone",
    "consent-not-now",
    {
      fhir: [optIn({ provision: { period: { end: "2026-11-21" } } })],
      now: 60 * 9,
      zones: { leastMinutes: 60, mostMinutes: 120 },
    },
    {
      fhir: [optIn({ provision: { period: { end: "2026-11-21" } } })],
      now: 60 * 7,
      zones: { leastMinutes: 60, mostMinutes: 120 },
    },
  ],
  [
    "a nested permit whose period is over",
    "consent-not-now",
    { fhir: [only({ actor: [ghh], period: { end: at(8) } })] },
    { fhir: [only({ actor: [ghh], period: { end: at(20) } })] },
  ],
  [
    "a nested permit under a root whose period is over",
    "consent-not-now",
    { fhir: [optIn({ provision: { period: { end: at(8) }, provision: [{ type: "permit", actor: [ghh] }] } })] },
    { fhir: [optIn({ provision: { period: { end: at(20) }, provision: [{ type: "permit", actor: [ghh] }] } })] },
  ],
  [
    "data from before the data's period",
    "consent-not-at-event",
    { fhir: [only({ dataPeriod: { start: at(6) } })] },
    { fhir: [only({ dataPeriod: { start: at(5) } })] },
  ],
  [
    "data from after it",
    "consent-not-at-event",
    { fhir: [only({ dataPeriod: { end: at(4) } })] },
    { fhir: [only({ dataPeriod: { end: at(6) } })] },
  ],
  [
    "an episode that outlasted it",
    "consent-not-at-event",
    { fhir: [only({ dataPeriod: { end: at(6) } })], events: [5, 7] },
    { fhir: [only({ dataPeriod: { end: at(8) } })], events: [5, 7] },
  ],
  [
    "what has no time of its own",
    "consent-not-at-event",
    { fhir: [optIn()], events: [] },
    { fhir: [optIn()], events: [5] },
  ],
  [
    "a denial of data of a time that the episode reached into",
    "consent-denied",
    { fhir: [except({ dataPeriod: { start: at(6), end: at(8) } })], events: [5, 7] },
    { fhir: [except({ dataPeriod: { start: at(6), end: at(8) } })], events: [5] },
  ],
  [
    "a denial that is in force",
    "consent-denied",
    { fhir: [except({ period: { start: at(9), end: at(20) } })] },
    { fhir: [except({ period: { start: at(11), end: at(20) } })] },
  ],
  [
    "a permit that is dated in the future",
    "consent-unknown",
    { fhir: [optIn({ dateTime: at(11) })] },
    { fhir: [optIn({ dateTime: at(9) })] },
  ],
];
