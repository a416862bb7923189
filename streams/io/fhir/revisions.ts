/** Which of our revisions stands at a FHIR server, and which have: each carries its number in a tag. */
import { systems } from "../../../schemas/fhir/systems.ts";
import { member } from "../json.ts";
import type { FhirAnswer } from "./client.ts";

/** The highest of our revision tags; a server may keep earlier ones beside it. Null: none of ours. */
export const revisionOf = (resource: unknown): number | null => {
  const tags = member(member(resource, "meta"), "tag");
  const revisions = (Array.isArray(tags) ? tags : [])
    .filter((tag) => member(tag, "system") === systems.revision)
    .map((tag) => Number(member(tag, "code")))
    .filter(Number.isSafeInteger);
  return revisions.length === 0 ? null : Math.max(...revisions);
};

interface Version {
  readonly resource: unknown;
  readonly revision: number;
}

/** Those versions of a history Bundle that are ours, the highest revision first. */
export const versionsIn = (history: unknown): readonly Version[] => {
  const entries = member(history, "entry");
  return (Array.isArray(entries) ? entries : [])
    .map((entry) => member(entry, "resource"))
    .flatMap((resource) => {
      const revision = revisionOf(resource);
      return revision === null ? [] : [{ resource, revision }];
    })
    .sort((a, b) => b.revision - a.revision);
};

/** True where an answer is a history Bundle with no further page behind it. */
export const isWhole = ({ status, json }: FhirAnswer): boolean => {
  const links = member(json, "link");
  const isLast = !Array.isArray(links) || links.every((link) => member(link, "relation") !== "next");
  return status === 200 && member(json, "resourceType") === "Bundle" && isLast;
};
