/** Key ids of new keys: version 4 UUIDs (RFC 9562 section 5.4) from the service's random source; without hyphens after `mrk-` for multi-Region keys. */
import { toHex } from '../bytes.ts';

const UUID_BYTES = 16;
const MULTI_REGION_PREFIX = 'mrk-';

export function newKeyId(randomBytes: (lengthBytes: number) => Uint8Array): string {
  const bytes = randomBytes(UUID_BYTES).slice();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function newMultiRegionKeyId(randomBytes: (lengthBytes: number) => Uint8Array): string {
  return MULTI_REGION_PREFIX + newKeyId(randomBytes).replaceAll('-', '');
}
