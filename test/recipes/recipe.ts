/**
 * A recipe of docs/recipes as the steps that its fenced blocks are. What stands after the language says what a block is:
 *   file=PATH                  a new file, whole
 *   file=PATH after='BEGIN'    lines to insert behind the one line that begins so
 *   mistake file=PATH          a piece of the file to spoil (- then +), put right again after the next `fails`
 *   run, fails                 commands that must pass, that must fail
 *   prints                     lines that the commands before it print, in this order; … stands for anything
 * A block with a language alone is an illustration.
 */

export type Step =
  | { readonly kind: "file"; readonly path: string; readonly after: string | null; readonly text: string }
  | { readonly kind: "mistake"; readonly path: string; readonly from: string; readonly to: string }
  | { readonly kind: "run"; readonly script: string; readonly passes: boolean }
  | { readonly kind: "prints"; readonly lines: readonly string[] };

interface Block {
  readonly info: string;
  readonly text: string;
  /** Line of the recipe that opens it, from 1. */
  readonly line: number;
}

const blocksOf = (markdown: string): Block[] => {
  const blocks: Block[] = [];
  let open: { info: string; line: number; lines: string[] } | null = null;
  for (const [i, line] of markdown.split("\n").entries()) {
    const fence = line.startsWith("```");
    if (open === null && fence) open = { info: line.slice(3).trim(), line: i + 1, lines: [] };
    else if (open !== null && fence) {
      blocks.push({ info: open.info, line: open.line, text: open.lines.map((l) => `${l}\n`).join("") });
      open = null;
    } else open?.lines.push(line);
  }
  if (open !== null) throw new Error(`line ${open.line}: the block has no end`);
  return blocks;
};

const spoiledPiece = ({ text, line }: Block): { from: string; to: string } => {
  const [from, to, ...rest] = text.trimEnd().split("\n");
  if (!from?.startsWith("-") || !to?.startsWith("+") || rest.length > 0)
    throw new Error(`line ${line}: a mistake is one line with - and one with +`);
  return { from: from.slice(1).trim(), to: to.slice(1).trim() };
};

const stepOf = (block: Block): Step[] => {
  const [, what = ""] = /^\w+ (.+)$/.exec(block.info) ?? [];
  const file = /^(mistake )?file=(\S+)(?: after='([^']+)')?$/.exec(what);
  const path = file?.[2];
  if (what === "") return [];
  if (path !== undefined && file?.[1] !== undefined) return [{ kind: "mistake", path, ...spoiledPiece(block) }];
  if (path !== undefined) return [{ kind: "file", path, after: file?.[3] ?? null, text: block.text }];
  if (what === "run" || what === "fails") return [{ kind: "run", script: block.text, passes: what === "run" }];
  if (what === "prints") return [{ kind: "prints", lines: block.text.trimEnd().split("\n") }];
  throw new Error(`line ${block.line}: a block can't be ${JSON.stringify(what)}`);
};

/** Throws, with the line, where a block is not one of the above. */
export const parseRecipe = (markdown: string): readonly Step[] => blocksOf(markdown).flatMap(stepOf);
