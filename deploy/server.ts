/** What the stack must know to run one server. One file per server fills this in: `servers/<name>/<name>.ts`. */
import type { StackConfig } from "./config.ts";
import type { SystemProgram } from "./system-packages.ts";

/** What is written to comes before what writes; they are stopped in the opposite order. */
export const serverNames = ["kafka", "apicurio", "questdb", "hapi", "mosquitto", "alertmanager", "prometheus"] as const;
export type ServerName = (typeof serverNames)[number];

/** A module of `servers/pom.xml`. */
export type SoftwareName = "kafka" | "questdb" | "apicurio" | "hapi" | "validator";

/** One server's surroundings in one stack. */
export interface Place {
  readonly ports: StackConfig["ports"];
  /** The port that Kafka tells its clients to come to: its own, or a proxy's. */
  readonly kafkaAdvertised: number;
  /** Where this server keeps its data and its written configuration. */
  readonly folder: string;
  /** Its downloaded libraries; empty for what the operating system's packages bring. */
  readonly software: string;
  /** The folder of the jar compiled from the Java files beside its pom. */
  readonly built: string;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ServerSpec {
  readonly name: ServerName;
  readonly software?: SoftwareName;
  /** Installed by the system's package manager. */
  readonly systemPackage?: SystemProgram;
  /** The ports it listens on; the first is the one that clients use. */
  ports(ports: StackConfig["ports"]): readonly [number, ...number[]];
  /** What a client connects to. */
  url(ports: StackConfig["ports"]): string;
  /** Writes its configuration and formats its storage where that's still to do. */
  prepare(place: Place): Promise<void>;
  command(place: Place): Command;
  /** Whether it does its work: a real question over its own protocol, answered before the limit. Never throws. */
  healthy(ports: StackConfig["ports"], limitMs: number): Promise<boolean>;
  /** What it must be told once it answers. */
  afterStart?(ports: StackConfig["ports"]): Promise<void>;
  /** How long a start may take before it counts as failed. */
  readonly startMs_max: number;
  /** How long it gets to stop by itself. */
  readonly stopMs_max: number;
}
