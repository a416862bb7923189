import { describe, expect, it } from "vitest";
import { anAssociation, anEpisode, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { drive } from "../streams/sim/drive.ts";
import { candidates } from "./candidates.ts";

const offered = (associations: readonly Association[], episode: Episode) => {
  const driver = drive(candidates);
  for (const association of associations) driver.send(association.subject, two, association);
  driver.send(episode.subject, two + minutes(5), episode);
  const [candidate] = driver.outputs("events");
  if (candidate?.body.kind !== "candidate") throw new Error("no candidate");
  return { key: candidate.key, ...candidate.body };
};

describe("candidates", () => {
  it("go to the patient whose link was in force at the episode's start", () => {
    expect(offered([anAssociation()], anEpisode())).toMatchObject({
      key: "pk-7",
      patientKey: "pk-7",
      association: { id: "link-7", confirmedBy: "Nurse K. Okafor" },
    });
  });

  it("carry the newest revision of the link, whatever order revisions come in", () => {
    const first = anAssociation({ confirmedBy: null, confirmedAt: null });
    const second = anAssociation({ revision: 2 });
    for (const order of [
      [first, second],
      [second, first],
    ])
      expect(offered(order, anEpisode()).association).toMatchObject({ revision: 2, confirmedBy: "Nurse K. Okafor" });
  });

  it("tell a link from its successor by the episode's start, not by which is newer", () => {
    const earlier = anAssociation({ to: two + minutes(60) });
    const later = anAssociation({ id: "link-8", patientKey: "pk-8", from: two + minutes(60) });
    expect(offered([earlier, later], anEpisode())).toMatchObject({ key: "pk-7", association: { id: "link-7" } });
  });

  it("name the link that the episode was measured under where none was in force, for the gates to refuse", () => {
    const over = anAssociation({ to: two });
    expect(offered([over], anEpisode())).toMatchObject({ key: "pk-7", association: { id: "link-7", to: two } });
  });

  it("stand under their device where nobody is linked to it: the gates leave a decision there", () => {
    const episode = anEpisode({ subject: "mon-07", association: null, associationRevision: null });
    expect(offered([], episode)).toMatchObject({ key: "unassociated/mon-07", association: null });
    expect(offered([anAssociation({ device: "mon-08", subject: "mon-07" })], episode)).toMatchObject({
      key: "unassociated/mon-07",
    });
  });

  it("keep their links over a restart", () => {
    const driver = drive(candidates);
    driver.send("subject-7", two, anAssociation());
    driver.restart();
    driver.send("subject-7", two, anEpisode());
    expect(driver.outputs("events")).toMatchObject([{ key: "pk-7" }]);
  });
});
