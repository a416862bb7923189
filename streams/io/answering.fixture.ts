/** An HTTP server that answers as a test tells it, for what real servers do too seldom: hang, hang up, be out of order. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export interface Answering {
  readonly url: string;
  close(): void;
}

export const answering = async (answer: RequestListener): Promise<Answering> => {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
};
