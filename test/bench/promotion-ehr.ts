/** A child of the bench: an EHR that has nothing and takes everything at once, so that what is measured is what we do. Prints its address. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const taken = JSON.stringify({ resourceType: "Observation", meta: { versionId: "1" } });
const transacted = JSON.stringify({
  resourceType: "Bundle",
  type: "transaction-response",
  entry: [{ response: { status: "201 Created", etag: 'W/"1"' } }],
});

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    if (request.method === "GET") response.writeHead(404).end("{}");
    else if (request.method === "POST") response.writeHead(200).end(transacted);
    else response.writeHead(201, { etag: 'W/"1"' }).end(taken);
  });
}).listen(0, "127.0.0.1", () =>
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
);
