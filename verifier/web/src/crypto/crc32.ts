/** CRC-32 as ZIP uses it (APPNOTE 4.4.7: polynomial 0xDEBB20E3, here the other way round), eight bytes at a time. */

const TABLE = new Uint32Array(8 * 256);

/** What a byte makes of the checksum when `more` bytes follow it. */
const look = (byte: number, more: number): number => TABLE[256 * more + (byte & 0xff)] as number;

for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  TABLE[byte] = value;
}
for (let at = 256; at < TABLE.length; at++) {
  const before = TABLE[at - 256] as number;
  TABLE[at] = (before >>> 8) ^ look(before, 0);
}

/** The checksum of what came before and this; 0 is that of nothing. */
export function crc32(before: number, data: Uint8Array): number {
  let value = ~before;
  const wholes = data.length & ~7;
  for (let at = 0; at < wholes; at += 8) {
    const low =
      value ^
      ((data[at] as number) |
        ((data[at + 1] as number) << 8) |
        ((data[at + 2] as number) << 16) |
        ((data[at + 3] as number) << 24));
    value =
      look(low, 7) ^
      look(low >>> 8, 6) ^
      look(low >>> 16, 5) ^
      look(low >>> 24, 4) ^
      look(data[at + 4] as number, 3) ^
      look(data[at + 5] as number, 2) ^
      look(data[at + 6] as number, 1) ^
      look(data[at + 7] as number, 0);
  }
  for (let at = wholes; at < data.length; at++) value = (value >>> 8) ^ look(value ^ (data[at] as number), 0);
  return ~value >>> 0;
}
