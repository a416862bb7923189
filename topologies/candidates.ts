/**
 * Offers each episode to the clinical plane, under the key of the patient whose link to the device was in force at its
 * start. An episode without a link is offered under `unassociated/<device>`, so that the gates refuse it on record.
 */
import { stage, type State } from "../streams/core/stage.ts";
import type { Association, Episode } from "../schemas/records.ts";
import { episodes, events, telemetryQuarantine } from "../schemas/topics.ts";

/** The key of a candidate that belongs to no patient; no patient's key may start so. */
export const unassociatedKey = (device: string): string => `unassociated/${device}`;

const covers = (a: Association, time: number): boolean => a.from <= time && (a.to === null || time < a.to);

/** The newest revision of each link wins; an older one that comes late changes nothing. */
const remember = (state: State<Association>, association: Association): void => {
  const known = state.get(association.id);
  if (known === undefined || association.revision >= known.revision) state.set(association.id, association);
};

/**
 * The link in force at the episode's start. Where none was, the one that the episode was measured under, so that the
 * decision says whose it would have been (the gates refuse it: `association-not-in-force`).
 */
const linkOf = (state: State<Association>, episode: Episode): Association | null => {
  const links = [...state.cells()].map(([, a]) => a).filter((a) => a.device === episode.device);
  const inForce = links.filter((a) => covers(a, episode.start)).sort((a, b) => b.from - a.from)[0];
  return inForce ?? links.find((a) => a.id === episode.association) ?? null;
};

export const candidates = stage("candidates", {
  version: 1,
  reads: episodes,
  writes: { events, quarantine: telemetryQuarantine },
  quarantine: "quarantine",
  step(links: State<Association>, { body }, out) {
    switch (body.kind) {
      case "association":
        return remember(links, body);
      case "episode": {
        const association = linkOf(links, body);
        const patientKey = association?.patientKey ?? unassociatedKey(body.device);
        return out.emit("events", patientKey, { kind: "candidate", episode: body, patientKey, association });
      }
    }
  },
});
