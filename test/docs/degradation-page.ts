/** docs/degradation.md as it follows from schemas/degradation-table.ts: `make docs` writes it, a test compares it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Mode, modes } from "../../schemas/degradation-table.ts";

export const degradationFile = join(import.meta.dirname, "..", "..", "docs", "degradation.md");

const intro = `# What holds when a part is away

Generated from \`schemas/degradation-table.ts\` by \`make docs\`; change it there. The same table gives the banner on displays and board, and entering or
leaving a mode that the circuit finds out about is an event of its own (\`schemas/degradation.ts\`). What to do at each alarm: [runbooks/alert-circuit.md](runbooks/alert-circuit.md).

The bedside device's own alarms hold in every mode: the platform commands no device and replaces none of their alarms.
`;

const overview = [
  "| mode | what is down | priority | who is called | banner |",
  "|---|---|---|---|---|",
  ...modes.map(({ id, down, priority, calls, banner }: Mode) =>
    row([`[${id}](#${id})`, down, priority, calls.join(", "), banner ?? "(none: nothing changes for clinicians)"]),
  ),
];

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

const listed = (title: string, items: readonly string[], mark = "-"): string[] => [
  `**${title}**`,
  "",
  ...items.map((item) => `${mark} ${item}`),
  "",
];

const enteredTexts: Readonly<Record<Mode["entered"], string>> = {
  byTheCircuit: "the circuit enters and leaves it by itself",
  afterwards: "the circuit records it when it is back",
  byAPerson: "no part of the platform enters it by itself: a person reads it here",
};

const thirdEye = (alerts: Mode["alerts"]): string =>
  alerts.length === 0
    ? "none: look at its health line"
    : alerts.map((alert) => `[${alert}](runbooks/alert-circuit.md#${alert.toLowerCase()})`).join(", ");

const section = ({ id, down, entered, noticed, holds, lost, banner, calls, todo, alerts }: Mode): string =>
  [
    `## ${id}`,
    "",
    `Down: ${down}. Noticed: ${noticed}; ${enteredTexts[entered]}. Called: ${calls.join(", ")}.`,
    `The third eye's rules: ${thirdEye(alerts)}.`,
    "",
    ...(banner === null ? [] : [`> ${banner}`, ""]),
    ...listed("Still holds", holds),
    ...listed("Does not", lost),
    ...listed("To do", todo, "1."),
  ]
    .join("\n")
    .trimEnd();

export const degradationPage = (): string => `${[intro, overview.join("\n"), ...modes.map(section)].join("\n\n")}\n`;

if (import.meta.main) writeFileSync(degradationFile, degradationPage());

export const writtenPage = (): string => readFileSync(degradationFile, "utf8");
