import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localRegistry } from "./local.ts";
import { heartRate, registryConformance } from "./conformance.ts";

registryConformance("local", async () => localRegistry(":memory:"));

describe("a local registry in a file", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "registry-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("keeps ids over a restart", async () => {
    const path = join(folder, "schemas.db");
    const first = localRegistry(path);
    const id = await first.register("a-value", heartRate);
    await first.close();
    const second = localRegistry(path);
    expect(await second.byId(id)).toEqual(heartRate);
    expect(await second.register("a-value", heartRate)).toBe(id);
    await second.close();
  });

  it("gives two processes that register at once the same id", async () => {
    const path = join(folder, "schemas.db");
    const [one, other] = [localRegistry(path), localRegistry(path)];
    const ids = await Promise.all([one.register("a-value", heartRate), other.register("a-value", heartRate)]);
    expect(ids[0]).toBe(ids[1]);
    await Promise.all([one.close(), other.close()]);
  });

  it("says that it is unavailable when its file can't be opened", () => {
    expect(() => localRegistry(join(folder, "no", "such", "folder.db"))).toThrow(
      expect.objectContaining({ code: "registry-unavailable", retry: true }),
    );
  });
});
