/** Ports that are free now: for tests, and to say before a start which port somebody else holds. */
import { createServer } from "node:net";
import { randomInt } from "node:crypto";
import { host, type PortName, portNames } from "./config.ts";

/** Below the range that the kernel gives to outgoing connections, so that a stopped server finds its port still free. */
const lowest = 12_000;
const highest = 32_000;

/** Whether nobody listens there. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((answer) => {
    const server = createServer();
    server.once("error", () => answer(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => answer(true)));
  });

/** One free port for each of the stack's. */
export const freePorts = async (): Promise<Record<PortName, number>> => {
  const found = new Set<number>();
  while (found.size < portNames.length) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) found.add(port);
  }
  const ports = [...found];
  return Object.fromEntries(portNames.map((name, at) => [name, ports[at]])) as Record<PortName, number>;
};
