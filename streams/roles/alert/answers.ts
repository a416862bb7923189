/**
 * What people answer, however it comes: checked here so that whoever answers hears why it was refused, and once more by `paging`, which
 * alone decides what an answer does. Nothing is refused without being counted.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Answer, Page, Standby } from "../../../schemas/records/alert.ts";
import { answerRoot } from "../../../schemas/platform.ts";
import { ok, refuse, type Result } from "../../core/failure.ts";
import { contentHash, digest } from "../../core/hash.ts";
import type { Received } from "../../core/received.ts";
import type { Pages } from "./pages.ts";
import type { Words } from "./words.ts";

const shape = z.object({
  page: z.string().trim().min(1).max(200),
  who: z.string().trim().min(1).max(200),
  what: z.enum(["accept", "reject", "reset"]),
});

const minutesMost = 720;
const standbyShape = z.object({
  device: z.string().trim().min(1).max(200),
  who: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(200),
  /** From now on; 0 ends it. */
  minutes: z.number().min(0).max(minutesMost),
});

export interface AnswersOptions {
  readonly pages: Pages;
  readonly words: Words;
  /** Log time in ms. */
  readonly now: () => number;
  /** Whether the policy in force knows somebody of that name. */
  readonly isKnown: (who: string) => boolean;
  /** Where a device stands by the roster in force; undefined for one that is not in it. */
  readonly unitOf: (device: string) => string | undefined;
  readonly onAnswer: (via: string, outcome: string) => void;
}

type Via = "webhook" | "mqtt" | "command line";

export interface Answers {
  /** Resolves once the answer is durable, or with why it is refused: `answer-malformed`, `nobody`, `page-unknown`, `page-ambiguous`, `page-over`. */
  take(said: unknown, via: Via): Promise<Result<Page>>;
  /**
   * That a device stands by for some minutes, or (0) no longer. Resolves once that is durable, or with why it is refused: `standby-malformed`,
   * `nobody`, `device-unknown`.
   */
  standBy(said: unknown, via: Via): Promise<Result<Standby>>;
  /**
   * One that came on `afferent-answers/<who>`; resolves when it was durable or refused. The same words on the same topic are one answer however
   * often they are delivered; one that the broker had kept may be of another day (`answer-retained`, counted).
   */
  received(message: Received): Promise<void>;
}

export const isAnswer = ({ mqttTopic }: Received): boolean => mqttTopic.split("/", 1)[0] === answerRoot;

export const openAnswers = (options: AnswersOptions): Answers => {
  const { pages, words, onAnswer } = options;
  const take = async (said: unknown, via: Via, id: string): Promise<Result<Page>> => {
    const checked = check(said, options, via);
    if (!checked.ok) {
      onAnswer(via, checked.problem.reason);
      return checked;
    }
    const { page, who, what } = checked.value;
    const word: Answer = {
      kind: "answer",
      id,
      page: page.identity,
      who,
      what,
      at: options.now(),
      via,
    };
    await words.say([{ unit: page.unit, word }]);
    onAnswer(via, what);
    return ok(pages.find(page.identity) ?? page);
  };
  return {
    take: (said, via) => take(said, via, randomUUID()),
    standBy: async (said, via) => {
      const checked = standbyIn(said, options, via);
      onAnswer(via, checked.ok ? "standby" : checked.problem.reason);
      if (checked.ok) await words.say([{ unit: checked.value.unit, word: checked.value }]);
      return checked;
    },
    received: async (message) => {
      if (message.retained) onAnswer("mqtt", "answer-retained");
      else await take(answerIn(message), "mqtt", contentHash(message.mqttTopic, digest(message.payload)));
    },
  };
};

interface Checked {
  readonly page: Page;
  readonly who: string;
  readonly what: Answer["what"];
}

/** At the command line and in a signed POST the beginning of a page's id is enough; by MQTT it has to be whole. */
const check = (said: unknown, { pages, isKnown }: AnswersOptions, via: Via): Result<Checked> => {
  const who = (said as { who?: unknown } | null)?.who;
  if (typeof who !== "string" || who.trim() === "") return refuse("nobody", "an answer is somebody's: who says it?");
  const parsed = shape.safeParse(said);
  if (!parsed.success) return refuse("answer-malformed", parsed.error.issues.map(issueText).join("; "));
  const { what } = parsed.data;
  if (!isKnown(parsed.data.who)) return refuse("nobody", `the policy in force knows nobody called ${parsed.data.who}`);
  const page = via === "mqtt" ? pages.whole(parsed.data.page) : pages.named(parsed.data.page);
  if (!page.ok) return page;
  if (page.value.state === "over") return refuse("page-over", `page ${page.value.identity} is over`);
  return ok({ page: page.value, who: parsed.data.who, what });
};

const standbyIn = (said: unknown, { isKnown, unitOf, now }: AnswersOptions, via: Via): Result<Standby> => {
  const who = (said as { who?: unknown } | null)?.who;
  if (typeof who !== "string" || who.trim() === "") return refuse("nobody", "a standby is somebody's word: whose?");
  const parsed = standbyShape.safeParse(said);
  if (!parsed.success) return refuse("standby-malformed", parsed.error.issues.map(issueText).join("; "));
  const { device, reason, minutes } = parsed.data;
  if (!isKnown(parsed.data.who)) return refuse("nobody", `the policy in force knows nobody called ${parsed.data.who}`);
  const unit = unitOf(device);
  if (unit === undefined) return refuse("device-unknown", `the roster in force knows no device ${device}`);
  const from = now();
  const to = Math.round(from + minutes * 60_000);
  return ok({ kind: "standby", id: randomUUID(), device, unit, bed: null, by: parsed.data.who, reason, from, to, via });
};

const issueText = (issue: z.core.$ZodIssue): string => `${issue.path.join(".") || "(root)"}: ${issue.message}`;

/** Who says it is the topic's, which the broker's access rules keep honest; what the payload claims of it counts for nothing. */
const answerIn = ({ mqttTopic, payload }: Received): unknown => {
  const [, who, ...rest] = mqttTopic.split("/");
  if (who === undefined || rest.length > 0) return null;
  try {
    const said: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return typeof said === "object" && said !== null ? { ...said, who } : { who };
  } catch {
    return { who };
  }
};
