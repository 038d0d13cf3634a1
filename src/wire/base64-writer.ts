/** Base64 (RFC 4648 section 4) straight into bytes: a secret in a string could not be wiped. */

const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;

/** Writes the padded base64 of `bytes` into `target` from `offset`; returns how many bytes it wrote. */
export function writeBase64(bytes: Uint8Array, target: Uint8Array, offset: number): number {
  let at = offset;
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    target[at++] = ALPHABET[group >> 18]!;
    target[at++] = ALPHABET[(group >> 12) & 0x3f]!;
    target[at++] = left > 1 ? ALPHABET[(group >> 6) & 0x3f]! : PADDING;
    target[at++] = left > 2 ? ALPHABET[group & 0x3f]! : PADDING;
  }
  return at - offset;
}
