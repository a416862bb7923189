/**
 * Makes alarms of what rules, devices and the silence of devices say. Every source is judged alone: what is one thing to people is only
 * given one `group`, and nothing hides anything (clinical.md 13, 14). No gap ends a physiological alarm; what is still there when its
 * device is heard again is raised again (clinical.md 5). What comes late pages nobody until it is known to be true now (clinical.md 7).
 *
 * Our own alarms do not latch: a rule has no such setting, and their page stays with people until somebody took it. A device's latched
 * signal is taken over and outlives its condition; only a named person resets it, who says so to the page (topologies/paging.ts).
 */
import { stage } from "../streams/core/stage.ts";
import { alarms as alarmsTopic, alertQuarantine, episodes, type EpisodesBody } from "../schemas/topics.ts";
import { takeDeviceAlarm } from "./alarms/by-device.ts";
import { takeEpisode, takeStillCrossing } from "./alarms/by-rule.ts";
import { passTime } from "./alarms/course.ts";
import { type Cell, Desk } from "./alarms/desk.ts";
import { pageOverdue, takeDeviceState, takeSensorState } from "./alarms/technical.ts";
import { isAboutAlarms, released, waits } from "./alarms/waiting.ts";
import { endIfLeft, moveAlarms, takeAssociation, takeSubjectEnded } from "./alarms/whereabouts.ts";

const writes = { alarms: alarmsTopic, quarantine: alertQuarantine };

/** `telemetry.episodes` to `alert.alarms`, which is keyed by unit. */
export const alarms = stage<EpisodesBody, typeof writes, Cell>("alarms", {
  // 2: what was stored and comes after later readings is a condition of its own, and a rule's new version changes an open alarm
  version: 2,
  migrate: { cells: (_from, _key, cells) => cells as Record<string, Cell> },
  reads: episodes,
  writes,
  quarantine: "quarantine",
  step(state, { key, logTime: now, body }, out) {
    const desk = new Desk(state, out, key, now);
    if (waits(desk, body)) return;
    if (body.kind === "subjectEnded") release(desk, body.device, true);
    take(desk, body);
    if (body.kind === "deviceState" || body.kind === "association") release(desk, body.device);
  },
  due(state, now, key, out) {
    const desk = new Desk(state, out, key, now);
    for (const [device] of desk.places()) release(desk, device);
    for (const [name, condition] of desk.conditions()) {
      const turn = passTime(condition, now);
      if (turn.told.length > 0) desk.take(name, turn);
      pageOverdue(desk, name);
    }
    desk.clear();
  },
});

const take = (desk: Desk, body: EpisodesBody): void => {
  if (isAboutAlarms(body)) moveAlarms(desk, body.device);
  if (body.kind === "episode") takeEpisode(desk, body);
  else if (body.kind === "stillCrossing") takeStillCrossing(desk, body);
  else if (body.kind === "deviceAlarm") takeDeviceAlarm(desk, body);
  else if (body.kind === "deviceState") takeDeviceState(desk, body);
  else if (body.kind === "sensorState") takeSensorState(desk, body);
  else if (body.kind === "association" && body.subject === desk.who) takeAssociation(desk, body);
  else if (body.kind === "subjectEnded") takeSubjectEnded(desk, body);
  if (isAboutAlarms(body)) endIfLeft(desk, body.device);
};

const release = (desk: Desk, device: string, leaves = false): void => {
  for (const word of released(desk, device, leaves)) take(desk, word);
};
