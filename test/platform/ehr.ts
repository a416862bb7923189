/** What an EHR holds, read over FHIR's own interface, whichever server it is. */
import type { Bundle, Observation } from "@medplum/fhirtypes";

const pageSize = 200;

const ask = async (url: string): Promise<unknown> => {
  const response = await fetch(url, { headers: { accept: "application/fhir+json", "cache-control": "no-cache" } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${(await response.text()).slice(0, 500)}`);
  return response.json();
};

/** Every Observation, in the order of their ids. */
export const observationsIn = async (baseUrl: string): Promise<Observation[]> =>
  (await allPages(`${baseUrl}/Observation?_count=${pageSize}`)).sort((a, b) => ((a.id ?? "") < (b.id ?? "") ? -1 : 1));

/** Every version of every Observation, oldest first, by id. */
export const observationVersionsIn = async (baseUrl: string): Promise<ReadonlyMap<string, readonly Observation[]>> => {
  const versions = Map.groupBy(
    await allPages(`${baseUrl}/Observation/_history?_count=${pageSize}`),
    ({ id }) => id ?? "",
  );
  for (const history of versions.values())
    history.sort((a, b) => Number(a.meta?.versionId ?? 0) - Number(b.meta?.versionId ?? 0));
  return versions;
};

const allPages = async (first: string): Promise<Observation[]> => {
  const found: Observation[] = [];
  let next: string | undefined = first;
  while (next !== undefined) {
    const page = (await ask(next)) as Bundle<Observation>;
    for (const { resource } of page.entry ?? []) if (resource !== undefined) found.push(resource);
    next = page.link?.find(({ relation }) => relation === "next")?.url;
  }
  return found;
};

/** How many versions each has, by id. */
export const versionsIn = async (baseUrl: string): Promise<ReadonlyMap<string, string>> =>
  new Map((await observationsIn(baseUrl)).map(({ id, meta }) => [id ?? "", meta?.versionId ?? ""]));

/** HAPI's way to forget everything, with all versions. */
export const purgeEhr = async (baseUrl: string): Promise<void> => {
  const response = await fetch(`${baseUrl}/$expunge`, {
    method: "POST",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify({
      resourceType: "Parameters",
      parameter: [{ name: "expungeEverything", valueBoolean: true }],
    }),
  });
  if (!response.ok) throw new Error(`$expunge: ${response.status} ${(await response.text()).slice(0, 500)}`);
};

/** What a resource is apart from what a server assigns and the order of its tags, as text with sorted keys: equal or not. */
export const withoutAssigned = (observation: Observation): string => {
  const { versionId: _version, lastUpdated: _updated, source: _source, ...meta } = observation.meta ?? {};
  const tag = meta.tag?.toSorted((a, b) => ((a.system ?? "") < (b.system ?? "") ? -1 : 1));
  return JSON.stringify({ ...observation, meta: { ...meta, ...(tag && { tag }) } }, sortedKeys);
};

const sortedKeys = (_key: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
