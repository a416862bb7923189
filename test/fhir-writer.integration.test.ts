/** The writer against the real HAPI FHIR server of the stack: its 409s, its dangling references, its tags that add up. */
import { beforeAll, describe, expect, it } from "vitest";
import { anEpisode, aPatient, ended } from "../schemas/fhir/clinical.fixture.ts";
import { observationId, observationOf } from "../schemas/fhir/observation.ts";
import { systems } from "../schemas/fhir/systems.ts";
import { aRetraction } from "../schemas/hl7v2/pcd01.fixture.ts";
import { type Delivery, type Intent, writesAlone } from "../schemas/records/clinical.ts";
import type { Patient } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { logTime } from "../streams/core/time.ts";
import { seedPatients } from "../streams/io/fhir/patients.ts";
import { entryOf, firstAnswer, transactionOf } from "../streams/io/fhir/bundle.ts";
import { fhirClient } from "../streams/io/fhir/client.ts";
import { fhirAdapter } from "../streams/io/fhir.ts";
import { entriesOf, sinkTo } from "../streams/io/outbox/outbox.fixture.ts";
import { sharedStack } from "./stack.ts";

let baseUrl: string;
/** Other tests share the server: this file has patients and episodes of its own. */
const patient = aPatient({ patientKey: "pk-writer", fhirId: "p-writer", encounterFhirId: "e-writer" });
const episodeOf = (story: string): Episode => anEpisode({ identity: `writer-${story}` });

beforeAll(async () => {
  baseUrl = sharedStack().server("hapi").url;
  await seedPatients(baseUrl, [
    patient,
    aPatient({ patientKey: "pk-writer-2", fhirId: "p-writer-2", encounterFhirId: null }),
  ]);
});

const intent = (episode: Episode, of: Patient = patient): Intent => ({
  kind: "intent",
  ...writesAlone,
  identity: episode.identity,
  revision: episode.revision,
  patientKey: of.patientKey,
  destination: "ehr",
  resourceType: "Observation",
  resourceId: observationId(episode, of),
  resource: JSON.stringify(
    observationOf({
      episode,
      patient: of,
      revision: episode.revision,
      status: episode.phase === "end" ? "final" : "preliminary",
      transform: "gates@1",
      note: null,
    }),
  ),
  at: logTime(0),
});

const provenance = (id: string, of: Episode): string =>
  JSON.stringify({
    resourceType: "Provenance",
    id,
    target: [{ reference: `Observation/${observationId(of, patient)}` }],
    recorded: "2026-11-21T14:06:00.000Z",
    agent: [{ who: { display: "Afferent" } }],
  });

const deliveriesOf = async (intents: readonly Intent[]): Promise<Delivery[]> => {
  const { sink } = sinkTo(fhirAdapter(fhirClient({ baseUrl, timeoutMs: 30_000, now: Date.now })));
  return (await sink.write(entriesOf(intents))).flatMap(({ body }) => (body.kind === "delivery" ? [body] : []));
};
const write = async (intents: readonly Intent[]): Promise<string[]> =>
  (await deliveriesOf(intents)).map(({ outcome, detail }) => `${outcome} ${detail}`);

interface Written {
  readonly status: string;
  readonly meta: { readonly versionId: string; readonly tag: readonly { system: string; code: string }[] };
}
const inEhr = async (of: Intent): Promise<Written> =>
  (await (await fetch(`${baseUrl}/Observation/${of.resourceId}`)).json()) as Written;

describe("writing to HAPI", () => {
  it("creates, amends, and repeats without a new version; the newest revision's tag stands alone", async () => {
    const [start, end] = [intent(episodeOf("twice")), intent(ended(episodeOf("twice")))];
    expect(await write([start, end])).toEqual(["written 201", "written 200"]);
    expect(await write([start, end])).toEqual(["alreadyThere revision 1 is there", "alreadyThere revision 1 is there"]);
    const written = await inEhr(end);
    expect(written).toMatchObject({ status: "final", meta: { versionId: "2" } });
    expect(written.meta.tag.filter(({ system }) => system === systems.revision).map(({ code }) => code)).toEqual(["1"]);
  });

  it("knows after a crash which revisions were disclosed, covered ones too, and which never stood there", async () => {
    const audited = (of: Intent): Intent => ({ ...of, audit: `audit of ${of.revision}` });
    const [start, end] = [audited(intent(episodeOf("crash"))), audited(intent(ended(episodeOf("crash"))))];
    await write([start, end]);
    expect((await deliveriesOf([start, end])).map(({ audit }) => audit)).toEqual(["audit of 0", "audit of 1"]);
    const [forestalled, only] = [audited(intent(episodeOf("late"))), audited(intent(ended(episodeOf("late"))))];
    await write([only]);
    expect((await deliveriesOf([forestalled, only])).map(({ audit }) => audit)).toEqual([null, "audit of 1"]);
  });

  it("keeps what it has in every element but those that the server assigns", async () => {
    const sent = intent(episodeOf("whole"));
    await write([sent]);
    const { meta, ...kept } = await inEhr(sent);
    const { meta: sentMeta, ...rest } = JSON.parse(sent.resource) as Written;
    expect(kept).toEqual(rest);
    expect(meta.tag).toEqual(expect.arrayContaining([...sentMeta.tag]));
  });

  it.each(Array.from({ length: 8 }, (_, race) => race))(
    "ends at the highest revision, however many write over one that stands (race %i)",
    async (race) => {
      const start = episodeOf(`race-${race}`);
      const end = ended(start);
      await write([intent(start)]);
      const revisions = [end, { ...end, revision: 2, max: 141 }, { ...end, revision: 3, max: 142 }, start];
      const outcomes = await Promise.all(revisions.map((episode) => write([intent(episode)])));
      for (const [outcome] of outcomes) expect(outcome).toMatch(/^(written|alreadyThere)/);
      const { tag } = (await inEhr(intent(start))).meta;
      expect(tag.filter(({ system }) => system === systems.revision).map(({ code }) => code)).toEqual(["3"]);
    },
  );

  it("keeps all of a transaction or nothing of it, and of two creations the higher revision", async () => {
    const start = { ...intent(episodeOf("beside")), beside: [provenance("pr-writer-0", episodeOf("beside"))] };
    const end = { ...intent(ended(episodeOf("beside"))), beside: [provenance("pr-writer-1", episodeOf("beside"))] };
    expect(await write([start, end])).toEqual(["written 201", "written 200"]);
    expect(await write([start, end])).toEqual(["alreadyThere revision 1 is there", "alreadyThere revision 1 is there"]);
    expect(await inEhr(end)).toMatchObject({ status: "final", meta: { versionId: "2" } });
    expect((await fetch(`${baseUrl}/Provenance/pr-writer-1`)).status).toBe(200);

    const client = fhirClient({ baseUrl, timeoutMs: 30_000, now: Date.now });
    const stale = { ...start, beside: [provenance("pr-writer-stale", episodeOf("beside"))] };
    const main = { type: "Observation", id: start.resourceId, resource: start.resource };
    const entry = entryOf(stale.beside[0] ?? "");
    const answer = await client.transaction(transactionOf(baseUrl, main, entry === null ? [] : [entry], "1"));
    expect(answer.status).toBe(409);
    expect((await fetch(`${baseUrl}/Provenance/pr-writer-stale`)).status).toBe(404);
    // no condition on what must not exist: an update, told by the status of its entry
    const covered = await client.transaction(transactionOf(baseUrl, main, entry === null ? [] : [entry], null));
    expect(firstAnswer(covered)).toMatchObject({ status: 200, versionId: "3" });
  });

  it("puts what is entered in error over what stands, and creates nothing where nothing was written", async () => {
    const start = intent(episodeOf("retracted"));
    const back = aRetraction(start);
    expect(await write([back])).toEqual(["alreadyThere 404: nothing to take back there"]);
    expect((await fetch(`${baseUrl}/Observation/${start.resourceId}`)).status).toBe(404);
    expect(await write([start, back])).toEqual(["written 201", "written 200"]);
    expect(await inEhr(start)).toMatchObject({ status: "entered-in-error", meta: { versionId: "2" } });
    expect(await write([start])).toEqual(["alreadyThere revision 1 is there"]);
  });

  it("is refused for a patient whom the EHR does not know, beside one who is written", async () => {
    const unknown = intent(
      episodeOf("dangling"),
      aPatient({ patientKey: "pk-unknown", fhirId: "p-unknown", encounterFhirId: null }),
    );
    const outcomes = await write([unknown, intent(episodeOf("twin"))]);
    expect(outcomes[0]).toMatch(/^refused 400: /);
    expect(outcomes[1]).toBe("written 201");
    expect((await fetch(`${baseUrl}/Observation/${unknown.resourceId}`)).status).toBe(404);
  });
});
