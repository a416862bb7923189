#!/usr/bin/env node
/** The command line. Exit codes: 0 done, 1 failed while running, 2 refused (usage or configuration), 3 `check` found problems. */
import { Command, InvalidArgumentError, Option } from "commander";
import { OperatingError } from "./core/failure.ts";

const refused = 2;
const refusals = new Set([
  "config-invalid",
  "config-unreadable",
  "roster-invalid",
  "rules-invalid",
  "file-unreadable",
  "speed-differs",
  "scale-unknown",
  "unknown-topic",
  "unknown-stage",
  "offset-out-of-range",
  "input-trimmed",
  "act-unnamed",
  "wrong-intake",
  "ward-invalid",
  "answer-refused",
  "act-refused",
  "parked-unknown",
  "parked-superseded",
  "event-unknown",
  "event-ambiguous",
  "usage",
  "plan-invalid",
  "override-refused",
  "observed-refused",
]);

const whole = (value: string): number => {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 0) throw new InvalidArgumentError("a whole number is wanted");
  return n;
};
/** Ward time over real time; "max": for `sim` as fast as the broker acknowledges, for `demo` a fixed factor (roles/demo.ts). */
const pace = (value: string): number => {
  if (value === "max") return Number.POSITIVE_INFINITY;
  const n = Number(value);
  if (!(n > 0)) throw new InvalidArgumentError("a positive number or max is wanted");
  return n;
};

const configured = (command: Command): Command =>
  command.option(
    "-c, --config <file>",
    "configuration; default: what the last demo or up wrote",
    ".afferent/current.json",
  );

const program = new Command("afferent")
  // what stands behind a command of a command is that one's own
  .enablePositionalOptions()
  .description("Stream processing for medical device telemetry, with a checked way into the clinical record.")
  .configureHelp({ showGlobalOptions: true })
  .exitOverride((error) => {
    process.exitCode = error.exitCode === 0 ? 0 : refused;
    throw error;
  });

program
  .command("demo")
  .description("a simulated (or recorded) ward on the embedded stack, with its page")
  .option("--beds <n>", "beds of the ward", whole, 24)
  .option("--seed <n>", "the same seed gives the same ward", whole, 1)
  .option("--speed <k>", "ward time over real time, or max (60)", pace, 1)
  .option("--port <n>", "port of the page", whole, 8080)
  .option("--mqtt-port <n>", "port that devices connect to", whole, 1883)
  .option("--recordings <folder>", "play the recorded patients of this folder instead")
  .option("--data <folder>", "where state is kept", ".afferent")
  .action(async (options) => (await import("./roles/demo.ts")).demo(options));

const role = (
  name: string,
  description: string,
  start: (config: string, options: Record<string, unknown>) => Promise<void>,
): Command =>
  configured(program.command(name).description(description))
    .option("--metrics-port <n>", "serve /metrics here", whole)
    .action((options: Record<string, unknown>) => start(String(options["config"]), options));

const runRole =
  (name: "listen" | "ingest" | "process" | "store" | "promote" | "board" | "roster") =>
  async (config: string, options: Record<string, unknown>): Promise<void> =>
    (await import("./roles/run.ts")).runRole(name, config, options);

role("listen", "terminate MQTT and acknowledge what the raw log holds", runRole("listen"));
role("ingest", "subscribe at a broker and acknowledge what the raw log holds", runRole("ingest"));
role("process", "run the topology's stages", runRole("process")).option("--stages <names...>", "only these");
role("store", "write vitals, waveforms, windows and episodes to the series store", runRole("store"));
role("promote", "write promoted events to their destinations", runRole("promote"));
role("board", "serve the page", runRole("board"));

const roster = role(
  "roster",
  "hear ADT, a FHIR server and people, and say whose a measurement is",
  runRole("roster"),
).enablePositionalOptions();
const aboutRoster = (name: string, description: string): Command =>
  configured(roster.command(name).description(description));
const rosterAct = (name: string, description: string): Command =>
  aboutRoster(name, description)
    .requiredOption("--as <who>", "who says so; recorded")
    .requiredOption("--because <why>", "why; recorded")
    .option("--at <time>", "since when, ISO 8601 with a zone; default: now");
aboutRoster("list", "what is off, who is measured where, what is unclear, what was told in vain")
  .option("--json", "as JSON")
  .action(async (options) => (await import("./roles/roster-acts.ts")).list(options));
rosterAct("bind <device>", "say whom a device measures; with a bed alone, where it stands (none: nowhere)")
  .option("--patient <key>", "the patient's key")
  .option("--record-number <number>", "or his record number")
  .option("--bed <bed>", "the bed; default: where ADT has him")
  .action(async (device: string, options) => (await import("./roles/roster-acts.ts")).bind(device, options));
for (const [name, description] of [
  ["confirm", "confirm a link that was asserted, or once more one that is in conflict"],
  ["unbind", "end a confirmed link"],
  ["wrong", "say that a link never held: what was written by it is retracted"],
] as const)
  rosterAct(`${name} <link>`, description).action(async (link: string, options) =>
    (await import("./roles/roster-acts.ts")).aboutLink(name, link, options),
  );
rosterAct(
  "interrupted <device>",
  "say that a device was switched off or away for too long: who it measures must be confirmed",
)
  .option("--gap", "it was silent for longer than policy allows, rather than switched off")
  .action(async (device: string, options) => (await import("./roles/roster-acts.ts")).interrupted(device, options));
aboutRoster("history <of>", "what was ever changed about a device or a patient (his key), by whom and why")
  .option("--json", "a JSON line each")
  .action(async (of: string, options) => (await import("./roles/roster-acts.ts")).history(of, options));

const alerting = (command: Command): Command =>
  command.option(
    "-c, --config <file>",
    "the circuit's configuration; default: what the last demo or up wrote",
    ".afferent/alert.json",
  );

alerting(program.command("alert"))
  .description("the alert circuit: rules, devices' own alarms and what is wrong with them, to people")
  .action(async ({ config }: { config: string }) => (await import("./roles/alert.ts")).runAlert(config));
alerting(program.command("alarms"))
  .description("the circuit's open pages, and who is expected to answer")
  .option("--json", "one JSON line each")
  .action(async (options) => (await import("./roles/alert-answer.ts")).alarms(options.config, options));
for (const [name, what, description] of [
  ["accept", "accept", "take an alarm: nobody else is told from then on, and the bedside is not changed"],
  ["reject", "reject", "refuse an alarm: the next in its chain is told at once"],
  ["reset-alarm", "reset", "end a latched alarm"],
] as const)
  alerting(program.command(`${name} <id>`).description(`${description}; the beginning of its id will do`))
    .requiredOption("--as <who>", "who says so: a recipient of the policy")
    .action(async (id: string, options) =>
      (await import("./roles/alert-answer.ts")).answer(options.config, id, what, options),
    );

alerting(program.command("standby <device>"))
  .description("its silence pages nobody for a while; what it alarms pages as ever")
  .requiredOption("--as <who>", "who says so: a recipient of the policy")
  .requiredOption("--for <time>", "30m, 2h; 12 hours at most; 0 ends it")
  .requiredOption("--because <why>", "what people read of it while it lasts")
  .action(async (device: string, options) =>
    (await import("./roles/alert-answer.ts")).standBy(options.config, device, options),
  );

program
  .command("watch")
  .description("the dead man's switch, for another machine: sounds when test alarms or the circuit's sign of life stop")
  .option("-c, --config <file>", "the watch's configuration", ".afferent/watch.json")
  .action(async ({ config }: { config: string }) => (await import("./roles/watch.ts")).runWatch(config));

configured(program.command("check"))
  .description("validate configuration, rules, roster, schemas and device mappings; print every problem with its place")
  .action(async ({ config }: { config: string }) => {
    process.exitCode = await (await import("./roles/check.ts")).check(config);
  });

program
  .command("graph")
  .description("draw the topology as Mermaid, from the code")
  .action(async () => (await import("./roles/graph.ts")).graph());

configured(program.command("tap <topic>"))
  .description("print a topic's decoded records as they come")
  .option("--key <key>", "only this key")
  .addOption(new Option("--from <where>", "where to begin").choices(["start", "end"]).default("end"))
  .option("--limit <n>", "stop after this many", whole)
  .option("--ticks", "print ticks too")
  .action(async (topic: string, options) => (await import("./roles/tap.ts")).tap(topic, options));

configured(program.command("state <stage> <key>"))
  .description("show one key's state in a stage, as committed or as it was before an offset")
  .option("--at <offset>", "before the entry at this offset of the key's partition", whole)
  .action(async (stage: string, key: string, options) => (await import("./roles/look.ts")).state(stage, key, options));

configured(
  program
    .command("step <stage>")
    .argument("<partition>", "of the topic that the stage reads", whole)
    .argument("<offset>", "of the entry", whole),
)
  .description("decode one entry and step it alone: its key's state before and after, and what comes out")
  .action(async (stage: string, partition: number, offset: number, options) =>
    (await import("./roles/look.ts")).step(stage, partition, offset, options),
  );

configured(program.command("why [id]"))
  .description("an event's whole way: bytes, measurement, rule, link, consent, gates, and each destination's answer")
  .option("--device <name>", "what went on at this device ...")
  .option("--at <time>", "... at this time (ISO 8601 with a zone)")
  .option("--json", "the same as JSON")
  .action(async (id: string | undefined, options) => (await import("./roles/why.ts")).why(id, options));

configured(program.command("override"))
  .description(
    "break glass: open one destination for one patient's events for some hours; recorded for ever, and no consent",
  )
  .requiredOption("--patient <key>", "the patient's key")
  .requiredOption("--destination <name>", "one of the configuration's")
  .requiredOption("--as <who>", "who does it; recorded")
  .requiredOption("--because <why>", "why; recorded")
  .requiredOption("--for <duration>", "e.g. 4h or 30m; a day at most")
  .action(async (options) => (await import("./roles/override.ts")).override(options));

configured(program.command("observed"))
  .description("say what was seen of a patient, for his scores: NEWS2 and Kt/V; recorded for ever")
  .requiredOption("--patient <key>", "the patient's key")
  .requiredOption(
    "--what <name>",
    "oxygen (air, oxygen), consciousness (A, C, V, P, U), spo2Scale (1, 2: an order), pregnant (yes, no), ureaBefore, ureaAfter, weightAfter",
  )
  .requiredOption("--value <value>", "in the words above, or a number")
  .option("--unit <ucum>", "mmol/L of urea, kg of weight; others have none")
  .requiredOption("--as <who>", "who says so; recorded")
  .option("--at <time>", "when it was so, ISO 8601 with a zone; default: now")
  .action(async (options) => (await import("./roles/observed.ts")).observed(options));

const correct = program
  .command("correct")
  .description("what a faulty transform or rule version wrote: list it, have it reviewed, amend or retract it");
configured(correct.command("plan"))
  .description("list what stands at a destination, with what would become of each; changes nothing")
  .requiredOption("--destination <name>", "where")
  .option("--transform <name@version>", "what built it")
  .option("--rule <id@version>", "what asked for it")
  .addOption(new Option("--how <how>", "what is to become of it").choices(["amend", "retract"]).makeOptionMandatory())
  .requiredOption("--as <who>", "who plans it; recorded")
  .requiredOption("--because <why>", "what was wrong; it is said in each resource")
  .requiredOption("--out <file>", "the plan")
  .action(async (options) => (await import("./roles/correct.ts")).plan(options));
correct
  .command("review <plan>")
  .description("put a second person's name under a plan; rows may be taken out before, nothing may be changed after")
  .requiredOption("--as <who>", "who reviewed it: not who made it")
  .action(async (file: string, options) => (await import("./roles/correct.ts")).review(file, options));
configured(correct.command("apply <plan>"))
  .description("carry out a reviewed plan; stopped in the middle it can be started again")
  .requiredOption("--as <who>", "who carries it out; recorded")
  .action(async (file: string, options) => (await import("./roles/correct.ts")).apply(file, options));

configured(program.command("lag"))
  .description("how far each stage is behind in seconds of log time, and why a window is still open")
  .option("--stage <name>", "only this stage")
  .action(async (options) => (await import("./roles/look.ts")).lag(options));

const act = (name: string, description: string): Command =>
  configured(program.command(`${name} <stage>`).description(description))
    .requiredOption("--by <name>", "who does it; recorded")
    .requiredOption("--reason <text>", "why; recorded");

act("export", "print a stage's whole state as JSON lines").action(async (stage: string, options) =>
  (await import("./roles/look.ts")).exportStage(stage, options),
);
act("reset", "empty a stage's state: it begins again at the start of its log").action(async (stage: string, options) =>
  (await import("./roles/look.ts")).resetStage(stage, options),
);
configured(program.command("acts"))
  .description("who exported or reset which stage's state, and sent again or dropped what was parked, when and why")
  .action(async (options) => (await import("./roles/look.ts")).acts(options));

const parked = program
  .command("parked")
  .description("what destinations refused for good: listed, sent again or dropped by a named person");
configured(parked.command("list", { isDefault: true }).description("what is parked now, oldest first"))
  .option("--json", "one JSON line each")
  .action(async (options) => (await import("./roles/parked.ts")).list(options));
for (const [name, description] of [
  ["retry", "send one once more; consent is asked anew"],
  ["drop", "give one up for good"],
] as const)
  configured(parked.command(`${name} <id>`).description(`${description}; the beginning of its id will do`))
    .requiredOption("--as <who>", "who says so; recorded")
    .requiredOption("--because <why>", "why; recorded")
    .action(async (id: string, options) => (await import("./roles/parked.ts"))[name](id, options));

program
  .command("sim")
  .description("the ward alone, against any broker")
  .requiredOption("--url <url>", "broker, e.g. mqtt://127.0.0.1:1883")
  .option("--beds <n>", "beds of the ward", whole, 24)
  .option("--seed <n>", "the same seed gives the same ward", whole, 1)
  .option("--speed <k>", "ward time over real time, or max", pace, 1)
  .option("--minutes <n>", "stop after this much ward time", Number)
  .addOption(new Option("--protocol <version>", "MQTT version").choices(["4", "5"]).default("4"))
  .option("--recordings <folder>", "play the recorded patients of this folder instead")
  .option("--roster <file>", "write the ward's roster here and stop")
  .action(async (options) => (await import("./roles/sim.ts")).sim(options));

const exitCodeOf = (error: unknown): number =>
  error instanceof OperatingError && refusals.has(error.code) ? refused : 1;

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Error && "exitCode" in error)) {
    process.exitCode = exitCodeOf(error);
    console.error(error instanceof OperatingError ? `afferent: ${error.message} [${error.code}]` : error);
  }
}
