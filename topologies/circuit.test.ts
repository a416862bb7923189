/** From what a monitor sends to an alarm, through the stages of the circuit, and what its topology is. */
import { describe, expect, it } from "vitest";
import { utcInstant } from "../schemas/fhir/instant.ts";
import { alarmsOf, at, inShort, link, t0 } from "../streams/sim/said.ts";
import {
  adapters,
  device,
  say,
  sendBytes,
  asystole,
  stream,
  silence,
  linked,
  beat,
  circuit,
} from "./circuit.fixture.ts";
import { circuitTopology } from "./circuit.ts";

describe("from what a monitor sends to an alarm", () => {
  it("an arrest that reads as zeros is high: check the patient, and the monitor's own asystole is the same page", () => {
    const c = linked();
    stream(c, 1, 5);
    stream(c, 6, 12, { hr: 0, alarms: [asystole(6)] });
    expect(alarmsOf(c)).toMatchObject([
      { source: "device", event: "asystole", priority: "high", onset: at(6), bed: "4", unit: "ICU" },
      { source: "rule", event: "noSignalOrPulse", priority: "high", onset: at(6), value: 0, timeliness: "current" },
    ]);
    expect(alarmsOf(c)[0]?.group).toBe(alarmsOf(c)[1]?.group);
  });

  it("nobody's monitor, its clock a year off, already in alarm when it is first heard: told at once, in its unit", () => {
    const c = circuit();
    const clockMs = -365 * 86_400_000;
    c.send("mon-1", t0, device);
    say(c, 1, { clockMs, alarms: [asystole(-30, clockMs)] });
    expect(alarmsOf(c)).toMatchObject([
      { event: "asystole", unit: "ICU", bed: null, onset: at(-30), timeliness: "current", instance: 0 },
    ]);
  });

  it("a monitor whose clock stands still is judged by ours: its zeros are an alarm within their rule's time", () => {
    const c = linked();
    stream(c, 1, 60);
    for (let second = 61; second <= 300; second++) {
      say(c, second, { claims: 60, hr: second < 90 ? 72 : 0 });
      c.tick(at(second) + 500);
    }
    expect(alarmsOf(c)).toMatchObject([
      { source: "rule", event: "noSignalOrPulse", phase: "start", onset: at(90), value: 0, timeliness: "current" },
    ]);
    expect(alarmsOf(c)[0]?.receivedTime).toBe(at(94));
    expect(c.pages()[0]).toMatchObject({ priority: "high", raisedAt: at(94) });
  });

  it("and no later where its zeros begin at the moment in which its clock stops", () => {
    const c = linked();
    stream(c, 1, 60);
    for (let second = 61; second <= 80; second++) say(c, second, { claims: 60, hr: 0 });
    expect(alarmsOf(c)).toMatchObject([{ event: "noSignalOrPulse", phase: "start", timeliness: "current" }]);
    expect(alarmsOf(c)[0]?.receivedTime).toBeLessThanOrEqual(at(61 + 3 + 4));
  });

  it("twelve silent seconds are monitoring lost and end nothing; what is there afterwards is raised again", () => {
    const c = linked();
    stream(c, 1, 20, { hr: 30, alarms: [asystole(1)] });
    silence(c, 21, 32);
    stream(c, 33, 36, { hr: 30, alarms: [asystole(1)] });
    expect(inShort(c)).toEqual([
      "asystole #0 start current",
      "low #0 start current",
      "monitoringLost #0 start current",
      "low #0 end current",
      "low #1 start current",
      "asystole #0 end current",
      "asystole #1 start current",
      "monitoringLost #0 end current",
    ]);
    expect(
      alarmsOf(c)
        .filter(({ phase }) => phase === "start")
        .at(-2)?.onset,
    ).toBe(at(1));
  });

  it("four hours of backlog page nobody as current: what is over is one delayed item each, what is still so pages with its onset", () => {
    const c = linked();
    stream(c, 1, 10);
    silence(c, 11, 30);
    const now = 14_400;
    for (let second = 31; second < now; second += 3) {
      const hr = second >= 1_000 && second < 1_100 ? 150 : second >= 14_002 ? 30 : 72;
      const shown = second >= 2_000 && second < 2_050 ? [asystole(2_000)] : [];
      say(c, second, { hr, alarms: shown, arrives: now + second / 1_000 });
    }
    for (let second = now; second < now + 20; second++) say(c, second, { hr: 30, arrives: Math.max(second, now + 15) });
    const told = alarmsOf(c).filter(({ event }) => event !== "monitoringLost");
    expect(told.map((a) => `${a.event} ${a.phase} ${a.timeliness} ${(a.onset - t0) / 1_000}`)).toEqual([
      "high start late 1000",
      "high end over 1000",
      "asystole start late 2000",
      "asystole end over 2000",
      "low start late 14002",
      "low start current 14002",
    ]);
  });

  it("what it had stored comes after it is live again: one delayed item each, none of now, and none when it comes once more", () => {
    const c = linked();
    stream(c, 1, 10);
    silence(c, 11, 30);
    const now = 3_600;
    stream(c, now, now + 20, { hr: 30 });
    const stored = (from: number): void => {
      for (let second = 31; second < now; second += 3) {
        const hr = second >= 1_000 && second < 1_100 ? 150 : second >= 1_999 && second < 2_100 ? 30 : 72;
        say(c, second, { hr, arrives: from + second / 1_000 });
      }
      stream(c, from + 20, from + 40, { hr: 30 });
    };
    stored(now + 21);
    stored(now + 1_200);
    const ofRules = alarmsOf(c).filter(({ source }) => source === "rule");
    const late = ofRules.filter(({ timeliness }) => timeliness !== "current");
    expect(late.map((a) => `${a.event} ${a.phase} ${a.timeliness} ${(a.onset - t0) / 1_000}`)).toEqual([
      "high start late 1000",
      "high end over 1000",
      "low start late 1999",
      "low end over 1999",
    ]);
    expect(new Set(ofRules.filter((a) => !late.includes(a)).map(({ onset }) => onset))).toEqual(new Set([at(now)]));
    expect(
      c
        .told()
        .filter(({ what, event }) => what === "delayed" && event !== "monitoringLost")
        .map(({ event, recipient }) => `${event} ${recipient}`),
    ).toEqual(["high nurse", "low nurse"]);
  });

  it("a device that no roster names, in alarm, reaches whoever is there for what nobody has placed", () => {
    const c = circuit();
    for (let second = 1; second <= 40; second++) {
      say(c, second, { alarms: [asystole(1)] });
      c.tick(at(second) + 500);
    }
    expect(alarmsOf(c)).toMatchObject([
      { event: "unmapped", unit: "unknown", bed: null, device: "mon-1", priority: "high", timeliness: "current" },
    ]);
    expect(c.told().map(({ recipient, text }) => `${recipient}: ${text}`)).toEqual([
      "nurse: unmapped alarm: *** ASYSTOLE (mon-1 is not in the roster)",
    ]);
  });

  it("an adapter that a new firmware breaks sounds", () => {
    const c = linked();
    stream(c, 1, 5);
    for (let second = 6; second < 10; second++) sendBytes(c, second, JSON.stringify({ fw: 2, hr: 30 }));
    expect(inShort(c)).toEqual(["monitoringLost #0 start current"]);
    expect(alarmsOf(c)[0]?.detail).toContain("what it sends cannot be used");
  });

  it("a lead that is off is one alarm, and one page with what the monitor says of it", () => {
    const c = linked();
    stream(c, 1, 5);
    const leads = { code: "LEADS_OFF", text: "ECG leads off", priority: "low", state: "active", silence: "none" };
    stream(c, 6, 20, { hr: 0, pr: 70, flags: { ecg: ["leadOff"] }, alarms: [{ ...leads, since: utcInstant(at(6)) }] });
    expect(alarmsOf(c)).toMatchObject([
      { source: "device", event: "sensorOff", alertType: "technical" },
      { source: "technical", event: "sensorOff", detail: "leadOff flag set", priority: "medium" },
    ]);
    expect(alarmsOf(c)[0]?.group).toBe(alarmsOf(c)[1]?.group);
  });

  it("a monitor that goes to the next patient takes its alarms from the one and raises them for the other", () => {
    const c = linked();
    stream(c, 1, 10, { alarms: [asystole(1)] });
    c.send("mon-1", at(10.6), link({ from: t0 - 3_600_000, revision: 2, to: at(10.6) }));
    c.send("mon-1", at(10.6), link({ id: "a-2", subject: "subject-2", bed: "9", from: at(10.6) }));
    stream(c, 11, 13, { alarms: [asystole(1)] });
    expect(alarmsOf(c).map((a) => `${a.phase} ${a.subject} ${a.bed} ${a.detail}`)).toEqual([
      "start subject-1 4 null",
      "end subject-1 4 the device left",
      "start subject-2 9 null",
    ]);
  });

  it("the platform's heartbeat is a test", () => {
    const c = circuit();
    c.send("beat-1", t0, { ...device, device: "beat-1", model: "afferent-heartbeat", unit: "platform" });
    for (const seq of [1, 2]) beat(c, seq);
    expect(alarmsOf(c).map((a) => `${a.event} ${a.phase} ${a.value} ${a.test} ${a.unit}`)).toEqual([
      "heartbeat start 1 true platform",
      "heartbeat end 1 true platform",
      "heartbeat start 2 true platform",
      "heartbeat end 2 true platform",
    ]);
    expect(c.refusals()).toEqual([]);
  });
});

describe("the circuit's topology", () => {
  it("is four stages over topics of its own log, and each hears the ticks of the one before", () => {
    const circuitOf = circuitTopology(adapters);
    expect(circuitOf.stages.map(({ name }) => name)).toEqual(["normalise", "thresholds", "alarms", "paging"]);
    expect(circuitOf.topics.map(({ name }) => name).sort()).toEqual([
      "alert.alarms",
      "alert.notifications",
      "alert.quarantine",
      "telemetry.episodes",
      "telemetry.quarantine",
      "telemetry.raw",
      "telemetry.vitals",
    ]);
    expect(circuitOf.upstreams("alert.alarms")).toEqual(["alarms:telemetry.episodes/0", "alarms:telemetry.episodes/1"]);
  });
});
