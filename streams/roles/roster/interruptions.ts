/**
 * What telemetry says that ends a confirmed link (clinical.md 9): `normalise` tells each interruption with the link that it concerns, and the roster
 * takes it as if a person had said so. Until then the gates refuse by the telling itself; so this may lag or be down and nothing is promoted for it.
 */
import type { Association } from "../../../schemas/records/roster.ts";
import { episodes } from "../../../schemas/topics.ts";
import type { InterruptionEvent } from "../../../topologies/roster/events.ts";
import type { Sink } from "../../core/sink.ts";
import type { BodyOf } from "../../core/stage.ts";
import type { RosterService } from "./service.ts";

/** Null where the link was told without one. */
export const interruptionEvent = (
  { device, interrupted }: Association,
  recordedMs: number,
): InterruptionEvent | null => {
  if (interrupted === null) return null;
  const { what, at } = interrupted;
  return { kind: "interruption", id: `${what}/${device}/${at}`, occurredMs: at, recordedMs, device, what };
};

/** The stages forward every word of a link to the episodes' topic, which has the least traffic of those that carry it. */
export const interruptionSink = (service: Pick<RosterService, "apply">): Sink<BodyOf<typeof episodes>> => ({
  name: "roster-interruptions",
  reads: episodes,
  writes: {},
  async write(entries) {
    for (const { body, logTime } of entries) {
      const event = body.kind === "association" ? interruptionEvent(body, logTime) : null;
      if (event !== null) service.apply(event, `${event.what} of ${event.device}, by its telemetry`);
    }
    return [];
  },
});
