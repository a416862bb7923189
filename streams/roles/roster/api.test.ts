/** The roster's own interface: nothing without the token, no change without a name and a reason, nobody named in what it shows. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ines, otto } from "../../../schemas/hl7v2/adt.fixture.ts";
import { type ShownChange, type ShownRoster, serveRosterApi } from "./api.ts";
import { type House, openHouse } from "./house.fixture.ts";

let house: House;
let api: Awaited<ReturnType<typeof serveRosterApi>>;
let healthy = true;
const token = "a token of the test";

beforeEach(async () => {
  healthy = true;
  house = await openHouse();
  api = await serveRosterApi({
    host: "127.0.0.1",
    port: 0,
    token,
    service: house.service,
    store: house.store,
    now: () => house.nowMs,
    off: () => [],
    health: () => ({ ok: healthy, detail: "" }),
    metrics: async () => "afferent_x 1\n",
  });
  house.hears({ event: "A01", patient: ines, location: "ICU-1^1^A", occurred: "0800", controlId: "1" });
});
afterEach(async () => {
  await api.close();
  await house.close();
});

const ask = async (path: string, body?: object, authorization = `Bearer ${token}`) => {
  const response = await fetch(`${api.url}${path}`, {
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    headers: { authorization, ...(body !== undefined && { "content-type": "application/json" }) },
  });
  const text = await response.text();
  return { status: response.status, text, json: () => JSON.parse(text) as never };
};
const shown = async (): Promise<ShownRoster> => (await ask("/roster")).json();
const who = { by: "nurse-4", because: "wristband read" };
const refusal = async (body: object): Promise<string> => {
  const { status, json } = await ask("/acts", body);
  return `${status} ${(json() as { refused?: string }).refused}`;
};

describe("the roster's interface", () => {
  it("shows what holds, and changes it for whoever says who he is and why", async () => {
    const [link] = (await shown()).links;
    expect(link).toMatchObject({ device: "mon-a", bed: "A", confirmedBy: null });
    const { status, json } = await ask("/acts", { act: "confirm", link: link?.id, ...who });
    expect(status).toBe(201);
    expect(json()).toMatchObject({ records: 1, problem: null });
    expect((await shown()).links[0]).toMatchObject({ confirmedBy: "nurse-4" });
    const { changes } = (await ask("/history?of=mon-a")).json() as { changes: ShownChange[] };
    expect(changes).toMatchObject([
      { by: null, because: null, cause: "ADT^A01 1 of ORBIS", what: expect.stringContaining("revision 1: mon-a at A") },
      { by: "nurse-4", because: "wristband read", what: expect.stringMatching(/revision 2: .*confirmed by nurse-4/) },
    ]);
    const ofPatient = (await ask(`/history?of=${link?.patientKey}`)).json() as { changes: ShownChange[] };
    expect(ofPatient.changes).toHaveLength(3);
  });

  it("wants the token for each of these", async () => {
    const before = await shown();
    for (const [path, body] of [
      ["/roster"],
      ["/history?of=mon-a"],
      ["/acts", { act: "wrong", link: before.links[0]?.id, ...who }],
    ] as const)
      for (const authorization of ["", "Bearer ", "Bearer another token", token])
        expect((await ask(path, body, authorization)).status).toBe(401);
    expect(await shown()).toEqual(before);
    expect((await ask("/health", undefined, "")).status).toBe(200);
    healthy = false;
    expect((await ask("/health", undefined, "")).status).toBe(503);
  });

  it.each([
    [{ act: "confirm", because: "x" }, "400 shape"],
    [{ act: "confirm", by: "nurse-4" }, "400 shape"],
    [{ act: "confirm", by: " ", because: "x" }, "400 shape"],
    [{ act: "erase", ...who }, "400 shape"],
    [{ act: "confirm", link: "adt/none", ...who }, "404 link-unknown"],
    [{ act: "bind", device: "mon-9", patient: "pt-1", ...who }, "404 device-unknown"],
    [{ act: "bind", device: "mon-a", recordNumber: "nobody", ...who }, "404 patient-unknown"],
    [{ act: "place", device: "mon-a", bed: "Z", ...who }, "404 bed-unknown"],
    [{ act: "bind", device: "mon-a", patient: "pt-1", at: "yesterday", ...who }, "400 shape"],
  ])("refuses %j", async (body, expected) => {
    expect(await refusal(body)).toBe(expected);
  });

  it("finds a patient by his record number, and never shows it, nor his name", async () => {
    house.hears({ event: "A01", patient: otto, location: "ICU-1^1^B", occurred: "0900", controlId: "2" });
    const bound = await ask("/acts", { act: "bind", device: "mon-a", recordNumber: otto.number, ...who });
    expect(bound.status).toBe(201);
    const all = [bound, await ask("/roster"), await ask("/history?of=mon-a"), await ask("/metrics")];
    const { patientKey } = (await shown()).links.find(({ confirmedBy }) => confirmedBy !== null) ?? { patientKey: "" };
    all.push(await ask(`/history?of=${patientKey}`));
    for (const { text } of all) expect(text).not.toMatch(/4711002|Brackwede|Otto|1971|V-9002/);
  });
});
