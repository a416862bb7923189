/** A registry that is away at a start: what it once answered still holds, and nothing else is made up. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { OperatingError } from "../../core/failure.ts";
import { localRegistry } from "./local.ts";
import type { SchemaRegistry } from "./registry.ts";
import { rememberedRegistry } from "./remembered.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const first = { type: "record", name: "R", fields: [] };
const second = { type: "record", name: "R", fields: [{ name: "a", type: "int", default: 0 }] };

const unavailable = async (): Promise<never> => {
  asked++;
  throw new OperatingError("registry-unavailable", "away", { retry: true });
};
let asked = 0;
const nowhere: SchemaRegistry = { register: unavailable, all: unavailable, byId: unavailable, close: async () => {} };

const freshFile = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-ids-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "schema-ids.json");
};

describe("a registry that is away", () => {
  it("is answered for by what it said in an earlier run, and is not asked again and again", async () => {
    const file = await freshFile();
    const real = localRegistry(":memory:");
    const before = rememberedRegistry(real, file, () => expect.unreachable());
    await real.register("other", { type: "string" });
    const ids = [await before.register("s", first), await before.register("s", second)];
    expect(ids[0]).not.toBe(ids[1]);
    const all = await before.all("s");
    asked = 0;
    let saidAway = 0;
    const now = rememberedRegistry(nowhere, file, () => saidAway++);
    expect([await now.register("s", first), await now.register("s", second)]).toEqual(ids);
    expect(await now.all("s")).toEqual(all);
    expect([asked, saidAway]).toEqual([1, 1]);
  });

  it("is not answered for where it was never asked", async () => {
    const now = rememberedRegistry(nowhere, await freshFile(), () => expect.unreachable());
    await expect(now.register("s", first)).rejects.toMatchObject({ code: "registry-unavailable" });
    await expect(now.all("s")).rejects.toMatchObject({ code: "registry-unavailable" });
    await expect(now.byId(1)).rejects.toMatchObject({ code: "registry-unavailable" });
  });
});

describe("a registry that answers", () => {
  it("is believed over the file, which may be torn", async () => {
    const file = await freshFile();
    await writeFile(file, '{"registered": {"s"');
    const real = localRegistry(":memory:");
    const now = rememberedRegistry(real, file, () => expect.unreachable());
    expect(await now.register("s", first)).toBe(await real.register("s", first));
  });

  it("and refuses a schema is heard", async () => {
    const real = localRegistry(":memory:");
    const now = rememberedRegistry(real, await freshFile(), () => expect.unreachable());
    await now.register("s", first);
    const incompatible = { type: "record", name: "R", fields: [{ name: "b", type: "int" }] };
    await expect(now.register("s", incompatible)).rejects.toMatchObject({ code: "schema-incompatible" });
  });
});
