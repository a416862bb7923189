/**
 * The roster's own interface, on loopback: what holds, what was changed by whom, and changes, each with an actor and a reason. Everything but health and
 * numbers wants the token. Names are not shown; a record number is taken in a body, never in an address, and never given back.
 */
import { hash, timingSafeEqual } from "node:crypto";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import type { ActRequest } from "../../../topologies/roster/acts.ts";
import { patientKeyOf } from "../../../topologies/roster/base.ts";
import type { RosterView } from "../../../topologies/roster/derive.ts";
import type { Off } from "./off.ts";
import type { RosterService } from "./service.ts";
import type { HistoryLine, RosterStore } from "./store.ts";

export interface ApiOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly service: RosterService;
  readonly store: RosterStore;
  readonly now: () => number;
  readonly off: () => readonly Off[];
  readonly health: () => { readonly ok: boolean; readonly detail: string };
  readonly metrics: () => Promise<string>;
}

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const said = z.string().trim().min(1).max(500);

const actShape = z.strictObject({
  act: z.enum(["place", "bind", "confirm", "unbind", "wrong", "interruption"]),
  by: said,
  because: said,
  device: said.optional(),
  patient: said.optional(),
  /** Instead of `patient`: an identifier by the first authority. */
  recordNumber: said.optional(),
  bed: said.nullable().optional(),
  link: said.optional(),
  at: instant.optional(),
  what: z.enum(["powerCycle", "deviceGap"]).optional(),
});

const statuses: Readonly<Record<string, number>> = {
  "link-unknown": 404,
  "device-unknown": 404,
  "patient-unknown": 404,
  "bed-unknown": 404,
  "confirmed-already": 409,
  "ended-already": 409,
  "file-owned": 409,
};
const bodyBytesMax = 16 * 1024;

/** What `list` shows: what is off, who is measured where, what is unclear, what was told in vain. */
export interface ShownRoster {
  readonly nowMs: number;
  readonly off: readonly Off[];
  readonly links: RosterView["links"];
  readonly stays: readonly { readonly bed: string; readonly patientKey: string; readonly fromMs: number }[];
  readonly problems: RosterView["problems"];
}

/** A line of `history`: a record's change and what made it. */
export interface ShownChange {
  readonly atMs: number;
  readonly cause: string;
  /** The person, and why in his words; null: a system. */
  readonly by: string | null;
  readonly because: string | null;
  readonly what: string;
}

const showRoster = (view: RosterView, off: readonly Off[], nowMs: number): ShownRoster => ({
  nowMs,
  off,
  links: view.links.filter(({ toMs }) => toMs === null || toMs > nowMs),
  stays: view.stays.flatMap(({ bed, patientKey, fromMs, toMs }) =>
    bed === null || (toMs !== null && toMs <= nowMs) ? [] : [{ bed, patientKey, fromMs }],
  ),
  problems: view.problems,
});

const instantText = (ms: number | null): string => (ms === null ? "now" : new Date(ms).toISOString());

const showChange = ({ atMs, cause, event, body }: HistoryLine): ShownChange => {
  const act = event?.kind === "act" ? event : null;
  const shown = { atMs, cause, by: act?.by ?? null, because: act?.because ?? null };
  switch (body.kind) {
    case "association": {
      const { id, revision, device, bed, patientKey, from, to, confirmedBy, voided, conflict, mergedFrom } = body;
      const standing = voided ? "VOIDED" : confirmedBy === null ? "asserted" : `confirmed by ${confirmedBy}`;
      const span = `from ${instantText(from)} to ${instantText(to)}`;
      const notes = [
        conflict === null ? "" : `, conflict: ${conflict}`,
        mergedFrom === null ? "" : `, merged from ${mergedFrom}`,
      ];
      return {
        ...shown,
        what: `${id} revision ${revision}: ${device} at ${bed}, ${patientKey}, ${span}, ${standing}${notes.join("")}`,
      };
    }
    case "patient":
      return {
        ...shown,
        what: `${body.patientKey} version ${body.version}${body.mergedInto === null ? "" : `, merged into ${body.mergedInto}`}`,
      };
    case "device":
      return { ...shown, what: `${body.device} version ${body.version}: ${body.model} in ${body.unit}` };
  }
};

/** Codes as fastify has them: `EADDRINUSE`. */
export const serveRosterApi = async (
  options: ApiOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const { service, store, now, token } = options;
  const server = Fastify({ bodyLimit: bodyBytesMax, forceCloseConnections: true });
  const guarded = async ({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!isSame(headers.authorization ?? "", `Bearer ${token}`))
      await reply.code(401).send({ refused: "token-wrong", detail: "the token is not this roster's" });
  };
  server.get("/roster", { preHandler: guarded }, () => showRoster(service.view, options.off(), now()));
  server.get<{ Querystring: { of?: string } }>("/history", { preHandler: guarded }, ({ query }) => ({
    changes: store.history(query.of ?? "").map(showChange),
  }));
  server.post("/acts", { preHandler: guarded }, (request, reply) => {
    const read = actShape.safeParse(request.body);
    if (!read.success) {
      const places = read.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
      return reply.code(400).send({ refused: "shape", detail: places.join("; ") });
    }
    const { at, recordNumber, ...asked } = read.data;
    const acted = service.act({ ...asked, atMs: at, patient: asked.patient ?? keyOf(recordNumber, service) });
    if (acted.ok) return reply.code(201).send(acted.value);
    const { reason, detail } = acted.problem;
    return reply.code(statuses[reason] ?? 400).send({ refused: reason, detail });
  });
  server.get("/health", async (_request, reply) => {
    const health = options.health();
    return reply.code(health.ok ? 200 : 503).send(health);
  });
  server.get("/metrics", async (_request, reply) =>
    reply.type("text/plain; version=0.0.4").send(await options.metrics()),
  );
  const url = await server.listen({ host: options.host, port: options.port });
  return { url, close: () => server.close() };
};

const keyOf = (recordNumber: string | undefined, { naming, view }: RosterService): ActRequest["patient"] => {
  const system = naming.authorities[0]?.system;
  if (recordNumber === undefined || system === undefined) return undefined;
  const key = patientKeyOf(naming.secret, system, recordNumber);
  return view.stays.find(({ patient }) => patient === key)?.patientKey ?? key;
};

const isSame = (a: string, b: string): boolean =>
  timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
