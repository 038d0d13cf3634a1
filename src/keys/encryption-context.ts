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

/** Length fields: of the number of pairs, and of each name and value. */
const LENGTH_BYTES = 4;
const pairsMax = (encryptionContextBytesMax - LENGTH_BYTES) / (2 * LENGTH_BYTES);
const emptyContext = new Uint8Array(LENGTH_BYTES);
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Canonical bytes: u32 number of pairs, then for each pair u32 length and bytes of the name, u32 length and bytes of the value
 * (big-endian). An absent context equals an empty one. The result may be shared and must not be written to. Throws EncryptionContextError.
 */
export function canonicalEncryptionContext(context: Readonly<Record<string, string>> | undefined): Uint8Array {
  const pairs = context === undefined ? [] : Object.entries(context);
  if (pairs.length === 0) return emptyContext;
  // Judged before anything is encoded: a request has room for many more pairs than a context may have.
  if (pairs.length > pairsMax) throw tooLarge();
  let lengthBytes = LENGTH_BYTES;
  for (const [name, value] of pairs) lengthBytes += 2 * LENGTH_BYTES + utf8Length(name) + utf8Length(value);
  if (lengthBytes > encryptionContextBytesMax) throw tooLarge();
  if (pairs.length > 1) pairs.sort(([a], [b]) => compareAsUtf8(a, b));
  const bytes = Buffer.allocUnsafe(lengthBytes);
  let offset = bytes.writeUInt32BE(pairs.length, 0);
  for (const [name, value] of pairs) offset = writeText(value, bytes, writeText(name, bytes, offset));
  return bytes;
}

function utf8Length(text: string): number {
  if (text.length > encryptionContextBytesMax) throw tooLarge();
  if (loneSurrogate.test(text))
    throw new EncryptionContextError('malformed-text', 'The encryption context holds text that is not well-formed Unicode');
  return Buffer.byteLength(text, 'utf8');
}

/** Writes length and bytes; returns the offset behind them. */
function writeText(text: string, bytes: Buffer, offset: number): number {
  const lengthBytes = bytes.write(text, offset + LENGTH_BYTES, 'utf8');
  return bytes.writeUInt32BE(lengthBytes, offset) + lengthBytes;
}

/** Order of the UTF-8 bytes, which is that of the code points: as in UTF-16, but with surrogate pairs after all other characters. */
function compareAsUtf8(a: string, b: string): number {
  const commonLength = Math.min(a.length, b.length);
  for (let i = 0; i < commonLength; i++) {
    const [unitA, unitB] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (unitA !== unitB) return utf8Rank(unitA) - utf8Rank(unitB);
  }
  return a.length - b.length;
}

function utf8Rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function tooLarge(): EncryptionContextError {
  return new EncryptionContextError('too-large', `The encryption context is longer than ${encryptionContextBytesMax} bytes`);
}
