/** A process that faults strike, and what a supervisor does about it: a role or a server, started again whenever it has ended. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerHandle } from "../../deploy/handle.ts";
import { type RoleName, type RoleProcess, spawnRole } from "../platform/role.ts";

export interface Supervised {
  readonly name: string;
  readonly kind: "role" | "server";
  start(): Promise<void>;
  /** SIGKILL, and a new start after so long. */
  kill(downMs: number): Promise<void>;
  /** SIGSTOP, and SIGCONT after so long: it doesn't know that time has passed. */
  hang(forMs: number): Promise<void>;
  /** SIGTERM, and a new start at once. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const startAgainMs = 1_000;
/** The exit code of a role whose configuration is wrong: no new start cures that. */
const refusedCode = 2;

export interface RoleOptions {
  /** Of this one process among those of its role. */
  readonly name: string;
  readonly role: RoleName;
  readonly configFile: string;
  readonly options?: readonly string[];
  /** Told what it did of its own accord. */
  readonly tell: (line: string) => void;
}

/** A role's process. It may fail to start while a server is away, and is started again then. */
export class SupervisedRole implements Supervised {
  readonly kind = "role";
  readonly name: string;
  readonly role: RoleName;
  readonly #options: RoleOptions;
  /** What every process of it said so far. */
  readonly #said: (() => string)[] = [];
  #process: RoleProcess | undefined;
  #wanted = false;
  #raising: Promise<void> = Promise.resolve();
  #build: string | undefined;

  constructor(options: RoleOptions) {
    this.#options = options;
    this.name = options.name;
    this.role = options.role;
  }

  said(): string {
    return this.#said.map((said) => said()).join("");
  }

  start(): Promise<void> {
    this.#wanted = true;
    return this.#raise();
  }

  async kill(downMs: number): Promise<void> {
    await this.#end(async (process) => process.kill());
    await sleep(downMs);
    await this.#raise();
  }

  async hang(forMs: number): Promise<void> {
    await this.#raising.catch(() => undefined);
    const process = this.#process;
    process?.signal("SIGSTOP");
    await sleep(forMs);
    process?.signal("SIGCONT");
  }

  async restart(): Promise<void> {
    await this.#end(async (process) => process.stop());
    await this.#raise();
  }

  /** The same, with another build of the project, which it runs from now on. */
  deploy(build: string): Promise<void> {
    this.#build = build;
    return this.restart();
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#end(async (process) => process.stop());
  }

  async #end(how: (process: RoleProcess) => Promise<void>): Promise<void> {
    await this.#raising.catch(() => undefined);
    const process = this.#process;
    this.#process = undefined; // what ends now was told to
    if (process === undefined) return;
    process.signal("SIGCONT");
    await how(process);
  }

  #raise(): Promise<void> {
    this.#raising = this.#startUntilItRuns();
    return this.#raising;
  }

  async #startUntilItRuns(): Promise<void> {
    const { name, role, configFile, options = [], tell } = this.#options;
    while (this.#wanted) {
      const process = spawnRole(role, configFile, options, this.#build);
      this.#said.push(process.said);
      const ready = await process.ready.then(
        () => true,
        () => false,
      );
      if (ready) {
        this.#process = process;
        void process.ended.then((code) => this.#ended(process, code));
        return;
      }
      const code = await Promise.race([process.ended, process.kill().then(() => null)]);
      if (code === refusedCode) throw new Error(`${name} was refused: ${lastLine(process.said())}`);
      tell(`${name} could not start: ${lastLine(process.said())}`);
      await sleep(startAgainMs);
    }
  }

  #ended(process: RoleProcess, code: number | null): void {
    if (process !== this.#process || !this.#wanted) return;
    this.#process = undefined;
    this.#options.tell(`${this.name} ended by itself with ${code}: ${lastLine(process.said())}`);
    this.#raise().catch((error: unknown) => this.#options.tell(String(error)));
  }
}

const lastLine = (said: string): string => said.trimEnd().split("\n").at(-1)?.slice(0, 300) ?? "";

/** A server of the stack. */
export const supervisedServer = (server: ServerHandle): Supervised => ({
  name: server.name,
  kind: "server",
  start: () => server.start(),
  async kill(downMs) {
    await server.kill("SIGKILL");
    await sleep(downMs);
    await server.start();
  },
  async hang(forMs) {
    await server.kill("SIGSTOP");
    await sleep(forMs);
    await server.kill("SIGCONT");
  },
  async restart() {
    await server.stop();
    await server.start();
  },
  stop: () => server.stop(),
});
