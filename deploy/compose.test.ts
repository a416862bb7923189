import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { defaultConfig } from "./config.ts";
import type { Place } from "./server.ts";
import { kafkaSettings } from "./servers/kafka/kafka.ts";
import { mosquittoSettings } from "./servers/mosquitto/mosquitto.ts";
import { acl } from "./servers/mosquitto/platform-access.ts";
import { questdbSettings } from "./servers/questdb/questdb.ts";

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly volumes?: readonly string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<"mosquitto" | "mosquitto-acl", { readonly content: string }>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const compose = parse(readFileSync(join(import.meta.dirname, "compose.yaml"), "utf8"), {
  strict: true,
  uniqueKeys: true,
}) as Compose;

const { ports } = defaultConfig;
const place: Place = { ports, kafkaAdvertised: ports.kafka, folder: "/data", software: "", built: "" };

/** `name=value` or `name value` lines, without comments. */
const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

const asEnvironment = (prefix: string, settings: string): Record<string, string> =>
  Object.fromEntries(
    linesOf(settings).map((line) => {
      const at = line.indexOf("=");
      return [`${prefix}_${line.slice(0, at).replaceAll(".", "_").toUpperCase()}`, line.slice(at + 1)];
    }),
  );

/** Addresses and folders differ inside a container: everything else must be the same. */
const withoutPlaces = (settings: Readonly<Record<string, string | number>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([name]) => !/LISTENERS$|VOTERS$|LOG_DIRS$|BIND_TO$|CLUSTER_ID$/.test(name))
      .map(([name, value]) => [name, String(value)]),
  );

describe("compose.yaml", () => {
  it("publishes each server where the configuration says, to this machine only", () => {
    const published = Object.entries(compose.services).flatMap(([name, service]) =>
      (service.ports ?? []).map((mapping) => {
        const [address, outside] = mapping.split(":");
        expect(address, `${name} ${mapping}`).toBe("127.0.0.1");
        return [name, Number(outside)];
      }),
    );
    expect(published).toEqual([
      ["mosquitto", ports.mosquitto],
      ["kafka", ports.kafka],
      ["questdb", ports.questdbHttp],
      ["questdb", ports.questdbPg],
      ["apicurio", ports.apicurio],
      ["hapi", ports.hapi],
      ["alertmanager", ports.alertmanager],
      ["prometheus", ports.prometheus],
    ]);
  });

  it("sets Kafka as we set it", () => {
    const ours = asEnvironment("KAFKA", kafkaSettings(place));
    expect(withoutPlaces(compose.services["kafka"]?.environment ?? {})).toEqual(withoutPlaces(ours));
  });

  it("sets QuestDB as we set it", () => {
    const ours = asEnvironment("QDB", questdbSettings(place));
    expect(withoutPlaces(compose.services["questdb"]?.environment ?? {})).toEqual(withoutPlaces(ours));
  });

  it("sets mosquitto as we set it", () => {
    const here = (text: string): string[] =>
      linesOf(text).filter((line) => !/^(listener|persistence_location|password_file|acl_file|user) /.test(line));
    expect(here(compose.configs.mosquitto.content)).toEqual(here(mosquittoSettings(place)));
    // compose writes a dollar as two
    expect(compose.configs["mosquitto-acl"].content.replaceAll("$$", "$")).toBe(acl);
  });

  it("keeps every server's data in a volume that is declared", () => {
    const used = Object.values(compose.services).flatMap(
      ({ volumes = [] }) => volumes.map((v) => v.split(":")[0] ?? "").filter((name) => !name.startsWith(".")), // a file of ours is no volume
    );
    expect(used.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
    expect(compose.services["apicurio"]?.environment?.["REGISTRY_DATASOURCE_URL"]).toMatch(/h2:file:.*WRITE_DELAY=0/);
  });

  it("takes the versions that the poms pin", () => {
    const pinned = (server: string): string =>
      readFileSync(join(import.meta.dirname, "servers", server, "pom.xml"), "utf8").match(
        /<version>(\d[^<]*\.[^<]+)<\/version>/,
      )?.[1] ?? "?";
    for (const server of ["kafka", "questdb", "apicurio", "hapi"])
      expect(compose.services[server]?.image).toContain(pinned(server));
  });
});
