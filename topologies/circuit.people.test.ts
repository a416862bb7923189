/** From what a monitor sends to a person, through all four stages of the circuit. */
import { describe, expect, it } from "vitest";
import { at, t0 } from "../streams/sim/said.ts";
import { type Circuit, device, say, asystole, stream, silence, linked, beat, circuit } from "./circuit.fixture.ts";

const inWords = (c: Circuit): string[] =>
  c.told().map((n) => `${(n.at - t0) / 1_000} ${n.recipient}: ${n.what} ${n.event} ${n.phase} bed ${n.bed}`);

describe("from what a monitor sends to a person", () => {
  it("an arrest reaches the nurse with its reading, the charge nurse when nobody takes it, and nobody more once she does", () => {
    const c = linked();
    stream(c, 1, 5);
    stream(c, 6, 70, { hr: 0, alarms: [asystole(6)] });
    const [page] = c.pages();
    c.answer("ICU", at(71), {
      kind: "answer",
      id: "1",
      page: page?.identity ?? "",
      who: "charge",
      what: "accept",
      at: at(71),
      via: "mqtt",
    });
    stream(c, 72, 200, { hr: 0, alarms: [asystole(6)] });
    expect(inWords(c)).toEqual([
      "6 nurse: alarm asystole start bed 4",
      "10 nurse: alarm noSignalOrPulse start bed 4",
      "66.5 charge: alarm noSignalOrPulse continue bed 4",
    ]);
    expect(c.pages().at(-1)).toMatchObject({ state: "accepted", acceptedBy: "charge", priority: "high" });
    expect(c.refusals()).toEqual([]);
  });

  it("silence reaches her too, what is still there afterwards is news, and what is over is not", () => {
    const c = linked();
    stream(c, 1, 10, { alarms: [asystole(1)] });
    silence(c, 11, 21);
    stream(c, 22, 23, { alarms: [asystole(1)] });
    stream(c, 24, 25);
    expect(inWords(c).filter((said) => !said.includes("ended"))).toEqual([
      "1 nurse: alarm asystole start bed 4",
      "20.5 nurse: alarm monitoringLost start bed 4",
      "22 nurse: alarm asystole start bed 4",
    ]);
    expect(c.pages().filter(({ state }) => state === "over")).toHaveLength(2);
  });

  it("a backlog of four hours is one delayed item for each alarm that is over", () => {
    const c = linked();
    stream(c, 1, 10);
    const now = 14_400;
    for (let second = 11; second < now; second += 4) {
      const shown = second >= 2_000 && second < 2_050 ? [asystole(2_000)] : [];
      say(c, second, { alarms: shown, arrives: now + second / 1_000 });
    }
    const [item, ...more] = c.told();
    expect(more).toEqual([]);
    expect(item).toMatchObject({ what: "delayed", recipient: "nurse", event: "asystole", bed: "4", onset: at(2_000) });
    expect(item?.end).toBe(at(2_051));
  });

  it("a heartbeat reaches the watch and nobody else", () => {
    const c = circuit();
    c.send("beat-1", t0, { ...device, device: "beat-1", model: "afferent-heartbeat", unit: "platform" });
    beat(c, 1);
    expect(inWords(c)).toEqual(["5 watch: test heartbeat start bed null"]);
  });
});
