import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadAdapters } from "./device-adapters.ts";

const adapterFor = (model: string): string =>
  `export const adapter = { model: ${JSON.stringify(model)}, vendor: "Test", decode: () => ({ ok: false, problem: {} }) };\n`;

describe("finding device adapters", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "adapters-"));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const put = (file: string, text: string): Promise<void> => writeFile(join(folder, file), text);

  it("a file is a model; the contract, tests and samples are not", async () => {
    await put("acme-1.ts", adapterFor("acme-1"));
    await put("acme-2.ts", adapterFor("acme-2"));
    await put("adapter.ts", "export {};\n");
    await put("devices.test.ts", "throw new Error('a test was loaded');\n");
    await put("acme-1.samples.json", "[]");
    expect([...(await loadAdapters(folder)).keys()]).toEqual(["acme-1", "acme-2"]);
  });

  it.each([
    ["is for another model than its name says", adapterFor("acme-2"), 'is for the model "acme-2"'],
    ["exports no adapter", "export const other = 1;\n", "exports no `adapter`"],
    ["can't be loaded", "throw new Error('firmware');\n", "firmware"],
  ])("a file that %s is named", async (_what, text, said) => {
    await put("acme-1.ts", text);
    await expect(loadAdapters(folder)).rejects.toMatchObject({
      code: "adapter-invalid",
      retry: false,
      message: expect.stringMatching(new RegExp(`acme-1\\.ts: .*${said}`)),
    });
  });
});
