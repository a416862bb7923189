/** Bytes of a device as people can read them. */
import { Buffer } from "node:buffer";

const shownBytes_max = 2_048;
const printable = /^[\t\n\r -~\u00a0-\uffff]*$/;

/** Text where they are text, else base64 behind "base64:"; the beginning of what is long. */
export const shown = (bytes: Uint8Array): string => {
  const beginning = bytes.subarray(0, shownBytes_max);
  const more = bytes.length > beginning.length ? ` ... (${bytes.length} bytes)` : "";
  const text = new TextDecoder().decode(beginning);
  return (printable.test(text) ? text : `base64:${Buffer.from(beginning).toString("base64")}`) + more;
};
