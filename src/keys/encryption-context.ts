/**
 * The encryption context in the one form that is authenticated: pairs sorted by the UTF-8 bytes of their names, each name
 * and value with its length before it, the number of pairs first. Nothing is normalised; equal text means equal code points.
 */

/** Most bytes of a canonical context: what external key store proxies must accept as additional data. */
export const encryptionContextBytesMax = 8192;

/** The context cannot be used. `too-large`: over 8,192 bytes. `malformed-text`: a lone surrogate, which has no UTF-8 form. */
export class EncryptionContextError extends Error {
  override readonly name = 'EncryptionContextError';
  readonly reason: 'too-large' | 'malformed-text';
  constructor(reason: 'too-large' | 'malformed-text', message: string) {
    super(message);
    this.reason = reason;
  }
}

const emptyContext = new Uint8Array(4);
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Canonical bytes: u32 number of pairs, then for each pair u32 length and bytes of the name, u32 length and bytes of the value
 * (big-endian). An absent context equals an empty one. The result may be shared and must not be written to. Throws EncryptionContextError.
 */
export function canonicalEncryptionContext(context: Readonly<Record<string, string>> | undefined): Uint8Array {
  const pairs = context === undefined ? [] : Object.entries(context);
  if (pairs.length === 0) return emptyContext;
  const encoded = pairs.map(([name, value]) => ({ name: encodeText(name), value: encodeText(value) }));
  const length = encoded.reduce((total, pair) => total + 8 + pair.name.length + pair.value.length, 4);
  if (length > encryptionContextBytesMax) throw tooLarge();
  const sorted = encoded.sort((a, b) => Buffer.compare(a.name, b.name));
  return Buffer.concat([
    u32(sorted.length),
    ...sorted.flatMap((pair) => [u32(pair.name.length), pair.name, u32(pair.value.length), pair.value]),
  ]);
}

function encodeText(text: string): Buffer {
  if (text.length > encryptionContextBytesMax) throw tooLarge();
  if (loneSurrogate.test(text))
    throw new EncryptionContextError('malformed-text', 'The encryption context holds text that is not well-formed Unicode');
  return Buffer.from(text, 'utf8');
}

function tooLarge(): EncryptionContextError {
  return new EncryptionContextError('too-large', `The encryption context is longer than ${encryptionContextBytesMax} bytes`);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
