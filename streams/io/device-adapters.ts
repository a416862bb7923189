/** Finds the device adapters: one file per model in `schemas/devices`, named as the roster names the model. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { OperatingError } from "../core/failure.ts";
import type { DeviceAdapter } from "../../schemas/devices/adapter.ts";

const shippedFolder = join(import.meta.dirname, "../../schemas/devices");
const contract = "adapter.ts";

const isModel = (file: string): boolean => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== contract;

const isAdapter = (value: unknown): value is DeviceAdapter =>
  typeof value === "object" &&
  value !== null &&
  "model" in value &&
  typeof value.model === "string" &&
  "vendor" in value &&
  typeof value.vendor === "string" &&
  "decode" in value &&
  typeof value.decode === "function";

const load = async (folder: string, file: string): Promise<DeviceAdapter> => {
  const path = join(folder, file);
  const wrong = (what: string, cause?: unknown): OperatingError =>
    new OperatingError("adapter-invalid", `device adapter ${path}: ${what}`, { retry: false, cause });
  const module = (await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw wrong(`can't be loaded: ${String(cause)}`, cause);
  })) as { adapter?: unknown };
  if (!isAdapter(module.adapter)) throw wrong("exports no `adapter` with model, vendor and decode");
  if (`${module.adapter.model}.ts` !== file) throw wrong(`is for the model ${JSON.stringify(module.adapter.model)}`);
  return module.adapter;
};

/** Every model's adapter. Codes: `adapter-invalid`, with the file and what is wrong with it. */
export const loadAdapters = async (folder = shippedFolder): Promise<ReadonlyMap<string, DeviceAdapter>> => {
  const files = (await readdir(folder)).filter(isModel).sort();
  const adapters = await Promise.all(files.map((file) => load(folder, file)));
  return new Map(adapters.map((adapter) => [adapter.model, adapter]));
};
