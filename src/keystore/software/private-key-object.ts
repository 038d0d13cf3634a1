/**
 * A private key for node:crypto out of its PKCS#8. OpenSSL 3 takes three to four times as long to find its way through PKCS#8 as through
 * the encodings inside it, longer than a signature of P-256 takes: RSA keys are handed over as RSAPrivateKey (RFC 8017, A.1.2), keys on
 * elliptic curves as ECPrivateKey (RFC 5915), all others as they are.
 */
import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { concatBytes } from '../../bytes.ts';

const rsaEncryption = Buffer.from('06092a864886f70d010101', 'hex');
const ecPublicKey = Buffer.from('06072a8648ce3d0201', 'hex');
/** An INTEGER of one byte, as versions are. */
const versionBytes = 3;
/** Context tag of the curve in ECPrivateKey, which PKCS#8 leaves out because it names the curve itself. */
const parametersTag = 0xa0;

/** The key, which OpenSSL overwrites when it is collected. `privateKey` is DER PKCS#8 and stays the caller's to wipe. */
export function privateKeyObject(privateKey: Uint8Array): KeyObject {
  const algorithmAt = contentOf(privateKey, 0).start + versionBytes;
  const algorithm = contentOf(privateKey, algorithmAt);
  const identifier = privateKey.subarray(algorithm.start, algorithm.end);
  const { start, end } = contentOf(privateKey, algorithm.end);
  const encoded = privateKey.subarray(start, end);
  if (startsWith(identifier, rsaEncryption)) return keyObject(encoded, 'pkcs1');
  if (startsWith(identifier, ecPublicKey)) return ecKeyObject(encoded, identifier.subarray(ecPublicKey.length));
  return keyObject(privateKey, 'pkcs8');
}

function ecKeyObject(encoded: Uint8Array, curve: Uint8Array): KeyObject {
  const content = contentOf(encoded, 0);
  const scalar = contentOf(encoded, content.start + versionBytes);
  if (encoded[scalar.end] === parametersTag) return keyObject(encoded, 'sec1');
  const parameters = concatBytes(Uint8Array.of(parametersTag, curve.length), curve);
  const length = content.end - content.start + parameters.length;
  const header = length < 0x80 ? Uint8Array.of(0x30, length) : Uint8Array.of(0x30, 0x81, length);
  const whole = concatBytes(header, encoded.subarray(content.start, scalar.end), parameters, encoded.subarray(scalar.end, content.end));
  try {
    return keyObject(whole, 'sec1');
  } finally {
    whole.fill(0);
  }
}

function keyObject(der: Uint8Array, type: 'pkcs1' | 'pkcs8' | 'sec1'): KeyObject {
  return createPrivateKey({ key: Buffer.from(der.buffer, der.byteOffset, der.length), format: 'der', type });
}

/** Where the content of the DER element at `at` begins and ends (X.690, 8.1.3). */
function contentOf(der: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + lengthBytes;
  let length = lengthBytes === 0 ? first : 0;
  for (let index = at + 2; index < start; index++) length = length * 256 + (der[index] ?? 0);
  return { start, end: start + length };
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0;
}
