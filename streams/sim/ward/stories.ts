/**
 * What happens on the ward, with known truth. A story says what it does to a body, a sensor or a line at each second, and what must be
 * recognised of it. Courses are compressed (a sepsis takes minutes, not hours), so that somebody who watches sees them.
 */
import type { Recognise } from "./messages.ts";
import type { Demand, Vitals } from "./physiology.ts";

/** What a story does at one moment. */
export interface Effect {
  readonly demand?: Demand;
  /** Electrodes off: heart rate 0 without a flag, breathing (taken from the same electrodes) marked INV. */
  readonly electrodesOff?: true;
  /** The finger probe: zeros with the device's flag, then its sentinels. */
  readonly probe?: "flaggedZeros" | "sentinels";
  readonly silent?: true;
  readonly rubbish?: true;
  readonly repeats?: true;
  readonly clockOffsetMs?: number;
  /** The monitor runs on its battery, and that is low. */
  readonly batteryLow?: true;
}

export interface Story {
  readonly name: string;
  readonly what: string;
  /** Seconds of ward time after its start; `everyS` null: once and for good. */
  readonly firstS: number;
  readonly lastsS: number | null;
  readonly everyS: number | null;
  /** The patient's resting values where they are not a quiet patient's. */
  readonly rest?: Partial<Vitals>;
  /** True or false where the story needs an arterial line or must have none. */
  readonly arterialLine?: boolean;
  /** `sinceS`: seconds since this occurrence began, below `lastsS`. */
  readonly effect: (sinceS: number) => Effect;
  readonly recognise: Recognise;
}

const desaturation = (firstS: number): Omit<Story, "name" | "what" | "recognise"> => ({
  firstS,
  lastsS: 180,
  everyS: 720,
  rest: { spo2: 96.4, heartRate: 78, respiratoryRate: 16 },
  effect: () => ({
    demand: { towards: { spo2: 80, heartRate: 98, respiratoryRate: 24 }, withinS: { spo2: 90, heartRate: 60 } },
  }),
});

export const stories: readonly Story[] = [
  {
    ...desaturation(20),
    name: "slow desaturation",
    what: "SpO2 falls from 96 to 82 % over three minutes, heart and breath quicken, then oxygen helps",
    recognise: { deviceAlarms: ["SPO2_LO"], episodes: ["spo2-low", "spo2-desaturation"] },
  },
  {
    name: "septic deterioration",
    what: "heart rate, breathing and temperature rise while the pressure falls, over a quarter of an hour",
    firstS: 10,
    lastsS: 900,
    everyS: 2_700,
    rest: {
      heartRate: 96,
      respiratoryRate: 20,
      spo2: 95.6,
      temperature: 38.2,
      systolic: 110,
      diastolic: 63,
    },
    arterialLine: true,
    effect: () => ({
      demand: {
        towards: {
          heartRate: 134,
          respiratoryRate: 35,
          spo2: 93,
          temperature: 39.6,
          systolic: 82,
          diastolic: 44,
        },
        withinS: {
          heartRate: 150,
          respiratoryRate: 150,
          spo2: 300,
          temperature: 500,
          systolic: 150,
          diastolic: 150,
        },
      },
    }),
    recognise: {
      deviceAlarms: ["RR_HI", "ART_M_LO"],
      episodes: ["hr-high", "resp-high", "art-mean-low", "temperature-high"],
    },
  },
  {
    name: "atrial fibrillation with pulse deficit",
    what: "irregular beats at 132 a minute, of which a fifth do not reach the finger",
    firstS: 30,
    lastsS: 240,
    everyS: 900,
    rest: { heartRate: 84 },
    effect: () => ({
      demand: { towards: { heartRate: 132, systolic: 112 }, withinS: { heartRate: 4 }, pulseDeficit: 0.22 },
    }),
    recognise: { episodes: ["hr-high"] },
  },
  {
    name: "oximeter probe off",
    what: "the finger probe falls off: zeros with the device's flag for half a minute, then its sentinels",
    firstS: 45,
    lastsS: 60,
    everyS: 480,
    effect: (sinceS) => ({ probe: sinceS < 30 ? "flaggedZeros" : "sentinels" }),
    recognise: { deviceAlarms: ["PROBE_OFF"], episodes: [], validity: { spo2: "sensorOff", pulseRate: "sensorOff" } },
  },
  {
    name: "asystole",
    what: "no beat and no breath for 35 s: zeros on every channel and no flag; then resuscitated",
    firstS: 70,
    lastsS: 95,
    everyS: 1_200,
    arterialLine: false,
    effect: (sinceS) =>
      sinceS < 35
        ? { demand: { towards: {}, arrest: true } }
        : { demand: { towards: { heartRate: 108, spo2: 94, respiratoryRate: 14, systolic: 124 } } },
    recognise: {
      deviceAlarms: ["ASYSTOLE", "APNEA"],
      episodes: ["hr-zero", "pulse-zero", "spo2-zero", "resp-zero"],
      validity: { heartRate: "indeterminate", pulseRate: "indeterminate", spo2: "indeterminate" },
    },
  },
  {
    name: "electrodes off",
    what: "heart rate 0 without a flag while the oximeter still counts a pulse",
    firstS: 55,
    lastsS: 40,
    everyS: 600,
    effect: () => ({ electrodesOff: true }),
    recognise: {
      deviceAlarms: ["LEADS_OFF"],
      episodes: [],
      validity: { heartRate: "sensorOff", respiratoryRate: "invalid" },
    },
  },
  {
    name: "silent device",
    what: "nothing is heard of the monitor for 75 s",
    firstS: 60,
    lastsS: 75,
    everyS: 480,
    effect: () => ({ silent: true }),
    recognise: { episodes: [], device: "silent" },
  },
  {
    name: "wrong clock",
    what: "the monitor's clock is two minutes slow",
    firstS: 0,
    lastsS: null,
    everyS: null,
    effect: () => ({ clockOffsetMs: -120_000 }),
    recognise: { episodes: [], clock: "off" },
  },
  {
    name: "repeated messages",
    what: "every ten seconds the monitor sends its last three messages again, byte for byte",
    firstS: 15,
    lastsS: null,
    everyS: null,
    effect: () => ({ repeats: true }),
    recognise: { episodes: [] },
  },
  {
    name: "rubbish",
    what: "for half a minute the monitor sends what is no reading, or somebody else's",
    firstS: 50,
    lastsS: 30,
    everyS: 240,
    effect: () => ({ rubbish: true }),
    recognise: {
      episodes: [],
      device: "quarantining",
      refusals: [
        "malformed-json",
        "wrong-type",
        "not-a-number",
        "identity-mismatch",
        "missing-field",
        "unknown-metric",
        "unknown-unit",
      ],
    },
  },
  {
    ...desaturation(35),
    name: "desaturation, association unconfirmed",
    what: "the same desaturation in a patient whose link to the monitor nobody confirmed",
    recognise: {
      deviceAlarms: ["SPO2_LO"],
      episodes: ["spo2-low", "spo2-desaturation"],
      withheld: "association-unconfirmed",
    },
  },
  {
    name: "supraventricular tachycardia, no consent",
    what: "heart rate 156 for a minute and a half in a patient of whom no consent is on file",
    firstS: 40,
    lastsS: 90,
    everyS: 900,
    rest: { heartRate: 76 },
    effect: () => ({ demand: { towards: { heartRate: 156, systolic: 108 }, withinS: { heartRate: 3 } } }),
    recognise: { deviceAlarms: ["HR_HI"], episodes: ["hr-high", "hr-extreme-high"], withheld: "consent-unknown" },
  },
  {
    name: "low battery",
    what: "the monitor was unplugged for a transport and its battery is low, for a minute and a half",
    firstS: 25,
    lastsS: 90,
    everyS: 1_800,
    effect: () => ({ batteryLow: true }),
    recognise: { episodes: [], deviceAlarms: ["BATT_LOW"] },
  },
];

/** On a full ward, where the stories lie; a smaller one fills its first beds with them. */
const placesOnFullWard = [2, 3, 5, 7, 8, 9, 11, 12, 14, 15, 17, 18, 20];
const fullWard = 24;

/** The story of a bed (numbered from 1), or undefined for a quiet one. */
export const storyOf = (bed: number, beds: number): Story | undefined =>
  stories[beds < fullWard ? bed - 1 : placesOnFullWard.indexOf(bed)];

/** What happens `atS` seconds after the ward's start. */
export const effectAt = (story: Story | undefined, atS: number): Effect => {
  if (story === undefined || atS < story.firstS) return {};
  const sinceFirst = atS - story.firstS;
  const since = story.everyS === null ? sinceFirst : sinceFirst % story.everyS;
  return story.lastsS === null || since < story.lastsS ? story.effect(since) : {};
};
