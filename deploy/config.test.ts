import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultConfig, portVariable, readStackConfig } from "./config.ts";

const fileOf = (content: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), "stack-config-")), "stack.json");
  writeFileSync(file, content);
  return file;
};

describe("the stack's configuration", () => {
  it("is the defaults when nobody says otherwise", () => {
    expect(readStackConfig({})).toEqual(defaultConfig);
  });

  it("takes a file over the defaults and the environment over the file", () => {
    const file = fileOf('{"data": "/ward", "ports": {"kafka": 29092, "hapi": 28090}}');
    const config = readStackConfig({ AFFERENT_STACK: file, AFFERENT_PORT_HAPI: "38090" });
    expect(config.data).toBe("/ward");
    expect(config.ports).toEqual({ ...defaultConfig.ports, kafka: 29092, hapi: 38090 });
  });

  it("names a port's variable after the port", () => {
    expect(portVariable("questdbHttp")).toBe("AFFERENT_PORT_QUESTDB_HTTP");
  });

  it.each([
    { what: "a port that is no number", environment: { AFFERENT_PORT_KAFKA: "kafka" }, problem: "ports.kafka" },
    { what: "a port that does not exist", environment: { AFFERENT_PORT_KAFKA: "70000" }, problem: "ports.kafka" },
    { what: "one port twice", environment: { AFFERENT_PORT_KAFKA: "1883" }, problem: "ports.mosquitto are both 1883" },
    { what: "an unknown name", environment: { AFFERENT_STACK: fileOf('{"prots": {}}') }, problem: "prots" },
    { what: "a file that isn't JSON", environment: { AFFERENT_STACK: fileOf("ports:") }, problem: "JSON" },
    { what: "no such file", environment: { AFFERENT_STACK: "/nowhere/stack.json" }, problem: "/nowhere/stack.json" },
  ])("refuses $what and says where", ({ environment, problem }) => {
    expect(() => readStackConfig(environment)).toThrowError(problem);
  });
});
