/** `node deploy/cli.ts up | down | status | fetch | handheld`: the full stack and the platform's roles on this machine. Exit codes: 0 all well, 1 not, 2 wrong use. */
import { join } from "node:path";
import { Command } from "commander";
import { OperatingError } from "../streams/core/failure.ts";
import { readStackConfig } from "./config.ts";
import { roleLines, runningRoles, startRoles, stopRoles } from "./roles.ts";
import { type ServerName, serverNames } from "./server.ts";
import { handheldPassword } from "./servers/mosquitto/platform-access.ts";
import { healthLine, provide, provideSoftware, runningStack, startStack } from "./stack.ts";
import { provideSystemPrograms } from "./system-packages.ts";

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

// kafkajs 2.2.4 gives Node 26 a negative timeout at each connection; harmless, and a line of noise per probe.
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  if (warning.name !== "TimeoutNegativeWarning") console.error(warning);
});

interface WardOptions {
  readonly beds: number;
  readonly seed: number;
  readonly boardPort: number;
}

/** With all servers, the platform's own roles and a simulated ward too. */
const up = async (names: readonly ServerName[], { beds, seed, boardPort }: WardOptions): Promise<void> => {
  const from = performance.now();
  const config = readStackConfig();
  const stack = await startStack({ config, servers: names.length === 0 ? serverNames : names, onLine: say });
  const roles = names.length === 0 ? await startRoles({ stack, beds, seed, boardPort, onLine: say }) : undefined;
  say(`up after ${((performance.now() - from) / 1000).toFixed(1)} s; data in ${config.data}`);
  if (roles !== undefined) say(`page ${roles.page}\nADT  ${roles.adt}`);
};

const down = async (): Promise<void> => {
  const stack = runningStack(readStackConfig());
  const running = [...runningRoles(stack.config), ...stack.servers.filter(({ pid }) => pid !== undefined)];
  await stopRoles(stack.config);
  await stack.stop();
  say(running.length === 0 ? "nothing was running" : `stopped ${running.map(({ name }) => name).join(", ")}`);
};

/** Exit code 1 unless every server does its work and every role that was started still runs. */
const status = async (): Promise<void> => {
  const { servers, config } = runningStack(readStackConfig());
  for (const server of servers) say(await healthLine(server));
  const roles = await roleLines(config);
  for (const { line } of roles) say(line);
  const healthy = await Promise.all(servers.map((server) => server.pid !== undefined && server.health()));
  if (healthy.includes(false) || roles.some(({ running }) => !running)) process.exitCode = 1;
};

/** With what only the tests need: the offline validator, Chromium, and Prometheus and Alertmanager with their tools. */
const fetchAll = async (): Promise<void> => {
  const config = readStackConfig();
  await provide(config, serverNames, say);
  await provideSoftware(config, ["validator"], say);
  await provideSystemPrograms(["chromium", "promtool", "amtool"], say);
  say(`all servers and test tools are here (${config.software})`);
};

/** The broker that runs reads its passwords anew; connections stay. */
const handheld = async (who: string): Promise<void> => {
  const stack = runningStack(readStackConfig());
  const password = await handheldPassword(join(stack.config.data, "mosquitto"), who);
  await stack.server("mosquitto").kill("SIGHUP");
  say(`user ${who} password ${password}`);
};

const program = new Command("deploy/cli.ts").description(
  "The full stack as processes of this machine. Ports and folders: deploy/config.ts.",
);
program
  .command("up")
  .description("download what is missing, start what doesn't run, wait until it answers")
  .argument("[server...]", `some of ${serverNames.join(", ")} (all)`, serverNameFrom, [] as readonly ServerName[])
  .option("--beds <n>", "beds of the simulated ward", wholeFrom, 24)
  .option("--seed <n>", "the same seed gives the same ward", wholeFrom, 1)
  .option("--board-port <n>", "port of the page", wholeFrom, 8080)
  .action(up);
program.command("down").description("stop what `up` started, and nothing else").action(down);
program.command("status").description("one line per server; exit code 1 unless all are healthy").action(status);
program
  .command("handheld")
  .description("give a recipient's handheld its user and password at the broker, and print them (docs/handheld.md)")
  .argument("<who>", "the recipient's id in the policy")
  .action(handheld);
program.command("fetch").description("download everything that `up` and the tests need").action(fetchAll);

function serverNameFrom(text: string, earlier: readonly ServerName[]): readonly ServerName[] {
  const name = serverNames.find((known) => known === text);
  if (name === undefined)
    return program.error(`no server is called ${text}: ${serverNames.join(", ")}`, { exitCode: 2 });
  return [...earlier, name];
}

function wholeFrom(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    return program.error(`a whole number is wanted, not ${text}`, { exitCode: 2 });
  return value;
}

program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
await program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof OperatingError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
