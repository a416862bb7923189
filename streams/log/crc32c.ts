/** CRC-32C (Castagnoli), four bytes at a step: what Kafka puts before each batch of records. kafkajs takes one byte at a step. */

const polynomial = 0x82f63b78;
const bytesAtOnce = 4;

/** Table t at n: what the byte n does to the checksum t bytes later. In one array, 256 entries a table. */
const tables = new Int32Array(bytesAtOnce * 256);
for (let n = 0; n < 256; n++) {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  tables[n] = crc;
}
const after = (table: number, byte: number): number => tables[table * 256 + byte] ?? 0;
for (let table = 1; table < bytesAtOnce; table++)
  for (let n = 0; n < 256; n++) {
    const before = after(table - 1, n);
    tables[table * 256 + n] = after(0, before & 0xff) ^ (before >>> 8);
  }

/** Of the bytes from `start` up to `end`, as an unsigned number. */
export const crc32c = (bytes: Buffer, start = 0, end = bytes.length): number => {
  let crc = -1;
  let at = start;
  for (; at + bytesAtOnce <= end; at += bytesAtOnce) {
    const word = crc ^ bytes.readInt32LE(at);
    crc =
      after(3, word & 0xff) ^ after(2, (word >>> 8) & 0xff) ^ after(1, (word >>> 16) & 0xff) ^ after(0, word >>> 24);
  }
  for (; at < end; at++) crc = after(0, (crc ^ (bytes[at] ?? 0)) & 0xff) ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
};
