/** Which hosts are this machine itself: only to these may anything go that is not encrypted. */
const names = new Set(["localhost", "::1", "[::1]"]);

export const isLoopback = (host: string): boolean => names.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
