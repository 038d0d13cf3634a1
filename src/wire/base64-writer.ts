/** Base64 (RFC 4648 section 4) straight into bytes: a secret in a string could not be wiped. */

const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;

/** Writes the padded base64 of `bytes` into `target` from `offset`; returns how many bytes it wrote. */
export function writeBase64(bytes: Uint8Array, target: Uint8Array, offset: number): number {
  const wholeGroups = bytes.length - (bytes.length % 3);
  let at = offset;
  for (let i = 0; i < wholeGroups; i += 3, at += 4) writeGroup((bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!, target, at);
  const left = bytes.length - wholeGroups;
  if (left === 0) return at - offset;
  writeGroup((bytes[wholeGroups]! << 16) | ((bytes[wholeGroups + 1] ?? 0) << 8), target, at);
  target.fill(PADDING, at + 1 + left, at + 4);
  return at + 4 - offset;
}

/** Four characters for 24 bits. */
function writeGroup(group: number, target: Uint8Array, at: number): void {
  target[at] = ALPHABET[group >> 18]!;
  target[at + 1] = ALPHABET[(group >> 12) & 0x3f]!;
  target[at + 2] = ALPHABET[(group >> 6) & 0x3f]!;
  target[at + 3] = ALPHABET[group & 0x3f]!;
}
