/** The ward of test/alert/hops: who lies where, and who is told of it, by which notifier. */
interface Placed {
  readonly device: string;
  readonly unit: string;
  readonly bed: string;
}

const placed = (device: string, unit: string, bed: string): Placed => ({ device, unit, bed });

/** A unit of its own for each story in which devices fall silent: one loss is one page of a unit. */
export const places = {
  swings: placed("mon-swings", "Ward H", "H-1"),
  late: placed("mon-late", "Ward H", "H-2"),
  forger: placed("mon-forger", "Ward H", "H-3"),
  calm: placed("mon-calm", "Ward H", "H-4"),
  silenced: placed("mon-silenced", "Ward S", "S-1"),
  twin1: placed("mon-twin-1", "Ward T", "T-1"),
  twin2: placed("mon-twin-2", "Ward T", "T-2"),
  firmware: placed("mon-firmware", "Ward F", "F-1"),
  radio: placed("mon-radio", "Ward R", "R-1"),
  lostPager: placed("mon-lost-pager", "Ward P", "P-1"),
  queued: placed("mon-queued", "Ward Q", "Q-1"),
} as const;

export const heart = "heart-1";
const hourMs = 3_600_000;

export const roster = (nowMs: number) => {
  const at = (hours: number): string => new Date(nowMs + hours * hourMs).toISOString();
  const all = Object.values(places);
  return {
    version: 1,
    devices: [
      ...all.map(({ device, unit }) => ({ device, model: "sim-monitor", serial: null, unit })),
      { device: heart, model: "afferent-heartbeat", serial: null, unit: "platform" },
    ],
    beds: all.map(({ bed, unit }) => ({ bed, unit })),
    associations: all.map(({ device, unit, bed }) => ({
      id: `assoc-${device}`,
      revision: 1,
      device,
      subject: `sub-${device}`,
      patientKey: `pat-${device}`,
      bed,
      unit,
      ageBand: "adult",
      from: at(-10),
      to: null,
      confirmedBy: "Ines Marchetti RN",
      confirmedAt: at(-9),
      assertedBy: "Ines Marchetti RN",
    })),
  };
};

/** How long the first at a bed has to accept. */
export const acceptWithinMs = 10_000;

/** `lostPager`: where nobody answers, of a notifier that reaches others. */
export interface PolicyAddresses {
  readonly pager: string;
  readonly radio: string;
  readonly lostPager: string;
  readonly beats: string;
}

export const policy = (to: PolicyAddresses) => {
  const person = (id: string, role: string, at: "pager" | "radio" | "lostPager" = "pager") => ({
    id,
    role,
    inside: true,
    test: false,
    addresses: [{ notifier: at === "radio" ? "radio" : "pager", to: to[at] }],
  });
  const unit = (name: string, chain: string, assignments: readonly Placed[], who: string) => ({
    unit: name,
    utcOffsetMinutes: 0,
    schedules: [{ priorities: ["high", "medium", "low"], fromMinute: 0, toMinute: 0, chain }],
    lastResort: { to: [name === "platform" ? "engineer" : "doctor"], repeatMs: 60_000 },
    remindAcceptedMs: 600_000,
    assignments: assignments.map(({ bed }) => ({ bed, to: [who] })),
  });
  const bedside = Object.values(places).filter((place) => place !== places.radio && place !== places.lostPager);
  const step = (who: string, within = 60_000) => ({ to: [who], acceptWithinMs: within });
  return {
    recipients: [
      person("nurse", "nurse"),
      person("charge", "chargeNurse"),
      person("doctor", "physician"),
      person("engineer", "clinicalEngineering"),
      person("porter", "nurse", "radio"),
      person("orderly", "nurse", "lostPager"),
      {
        id: "watch",
        role: "test",
        inside: true,
        test: true,
        addresses: [
          { notifier: "beats", to: to.beats },
          { notifier: "pager", to: to.pager },
        ],
      },
    ],
    chains: [
      { name: "bedside", steps: [step("@bed", acceptWithinMs), step("charge")], continuesWith: null },
      { name: "by radio", steps: [step("@bed"), step("charge")], continuesWith: null },
      { name: "engineers", steps: [step("engineer")], continuesWith: null },
    ],
    units: [
      unit("*", "bedside", bedside, "nurse"),
      unit("Ward R", "by radio", [places.radio], "porter"),
      unit("Ward P", "bedside", [places.lostPager], "orderly"),
      unit("platform", "engineers", [], "engineer"),
    ],
  };
};
