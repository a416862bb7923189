import { afterEach, describe, expect, it } from "vitest";
import { alarms, raw } from "../../../schemas/topics.ts";
import type { Problem } from "../../core/failure.ts";
import { realTime } from "../../core/time.ts";
import { localRegistry } from "../../io/registry/local.ts";
import { openWire } from "../../io/registry/wire.ts";
import { decodeAll } from "../../log/decode.ts";
import { memoryLog } from "../../log/memory.ts";
import { openWard } from "./ward.ts";
import { policy, roster, wardFolder } from "./ward.fixture.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const topics = [raw, alarms];

const circuit = async (files: Readonly<Record<string, unknown>> = {}) => {
  const log = memoryLog();
  await log.ensure(topics.map(({ name, partitions }) => ({ name, partitions })));
  const wire = await openWire(localRegistry(":memory:"), topics);
  const folder = await wardFolder(files);
  closing.push(folder.remove, () => log.close());
  const told: (Problem | null)[] = [];
  const open = () =>
    openWard({
      folder: folder.path,
      source: { log, wire, now: Date.now, rawTopics: [raw] },
      scale: realTime,
      now: Date.now,
      notifiers: new Set(["hook"]),
      allowPlainRules: false,
      onRefused: (problem) => told.push(problem),
      onError: (error) => {
        throw error;
      },
      onAnnounced: () => undefined,
    });
  /** What stands in the log, as `kind` and version or device, by topic. */
  const kinds = async (topic: typeof raw | typeof alarms, partition: number): Promise<string[]> => {
    const reader = await log.reader(topic.name, partition, "start");
    const records = await decodeAll(topic, await reader.next(0), wire);
    await reader.close();
    return records.map(({ key, decoded }) => {
      if (!decoded.ok) throw new Error(decoded.problem.detail);
      const { kind, ...body } = decoded.value.body;
      return `${kind} ${key || ("version" in body ? body.version : "")}`;
    });
  };
  return { folder, told, open, kinds };
};

const followed = (ward: Awaited<ReturnType<typeof openWard>>): void => {
  const stop = new AbortController();
  const following = ward.follow(stop.signal);
  closing.push(async () => {
    stop.abort();
    await following;
  });
};

describe("the ward directory", () => {
  it("is announced to the circuit's own log, without a patient in it; the policy to every partition", async () => {
    const { open, kinds, told } = await circuit();
    const ward = await open();
    const all = await Promise.all([0, 1, 2, 3].map((partition) => kinds(raw, partition)));
    expect(all.flat().toSorted()).toEqual(
      ["association mon-01", "device heart", "device mon-01", ...Array.from({ length: 4 }, () => "rules 1")].toSorted(),
    );
    expect(await kinds(alarms, 0)).toEqual(["policy 1"]);
    expect(await kinds(alarms, 1)).toEqual(["policy 1"]);
    expect([ward.unitOf("mon-01"), ward.unitOf("nobody's")]).toEqual(["icu", undefined]);
    expect(told).toEqual([null]);
  });

  it("takes a whole roster too, and reads nothing of who the patients are", async () => {
    const patients = [{ whatever: "they are" }];
    const { open } = await circuit({ "roster.json": { ...roster, patients, consents: [] } });
    expect((await open()).unitOf("mon-01")).toBe("icu");
  });

  it("swapped for a good one is in force within two seconds, with the next version; the same again changes nothing", async () => {
    const { open, folder, kinds } = await circuit();
    const ward = await open();
    followed(ward);
    await folder.swap();
    const [every, platform] = policy.units;
    await folder.swap({ "policy.json": { ...policy, units: [{ ...every, remindAcceptedMs: 60_000 }, platform] } });
    await expect.poll(() => kinds(alarms, 0), { timeout: 2_500 }).toEqual(["policy 1", "policy 2"]);
    expect(ward.policy().units[0]?.remindAcceptedMs).toBe(60_000);
  });

  it.each([
    ["no policy", { "policy.json": null }, "policy.json is not there"],
    ["a policy that is not JSON", { "policy.json": "{" }, "is not JSON"],
    ["no rules", { "rules.json": null }, "no file of rules"],
    ["rules twice", { "rules-more.json": [] as unknown, "rules.json": "[{}]" }, "rules.json: rules[0]"],
    [
      "a roster with a device twice",
      { "roster.json": { ...roster, devices: [...roster.devices, ...roster.devices] } },
      "duplicate",
    ],
    [
      "a roster changed under its version",
      { "roster.json": { ...roster, devices: [{ ...roster.devices[0], unit: "er" }, roster.devices[1]] } },
      "version-not-raised",
    ],
    [
      "a notifier that is none",
      {
        "policy.json": {
          ...policy,
          recipients: [
            { ...policy.recipients[0], addresses: [{ notifier: "dove", to: "x" }] },
            ...policy.recipients.slice(1),
          ],
        },
      },
      "no notifier is called dove",
    ],
  ])(
    "with %s leaves the last good one in force whole, says so, and says when it is good again",
    async (_, files, why) => {
      const { open, folder, told, kinds } = await circuit();
      const ward = await open();
      followed(ward);
      told.length = 0;
      const [every, platform] = policy.units;
      const other = { ...policy, units: [{ ...every, remindAcceptedMs: 60_000 }, platform] };
      await folder.swap({ "policy.json": other, ...files });
      await expect.poll(() => told.length, { timeout: 2_500 }).toBe(1);
      expect(told[0]?.detail).toContain(why);
      expect(ward.policy().units[0]?.remindAcceptedMs).toBe(600_000);
      expect(await kinds(alarms, 0)).toEqual(["policy 1"]);
      await folder.swap();
      await expect.poll(() => told, { timeout: 2_500 }).toEqual([expect.anything(), null]);
    },
  );

  it("that is broken at a start leaves what was announced before in force; the circuit starts", async () => {
    const { open, folder, told } = await circuit();
    await open();
    told.length = 0;
    await folder.swap({ "policy.json": "{", "roster.json": "" });
    const ward = await open();
    expect(told).toMatchObject([{ reason: "ward-invalid" }]);
    expect(ward.policy().recipients).toHaveLength(5);
    expect(ward.unitOf("mon-01")).toBe("icu");
  });

  it("that is broken at the very first start is refused with a code and every problem of every file", async () => {
    const { open } = await circuit({ "policy.json": "{", "roster.json": "" });
    await expect(open()).rejects.toMatchObject({
      code: "ward-invalid",
      message: expect.stringMatching(/roster\.json: .*policy\.json: /s) as string,
    });
  });
});
