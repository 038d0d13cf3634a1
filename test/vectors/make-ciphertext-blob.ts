/**
 * Wrote test/vectors/ciphertext-blob.json, once: run with tsx, it prints the file. The vectors are permanent; the test
 * recomputes them with node:crypto alone. A new format gets new vectors beside these.
 */
import { createHash } from 'node:crypto';
import { canonicalEncryptionContext } from '../../src/keys/encryption-context.ts';
import type { CiphertextSuite } from '../../src/keys/key-record.ts';
import { knownMaterial, openFixedStore } from '../support/software-materials.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const long = Buffer.concat(Array.from({ length: 128 }, (_none, index) => createHash('sha256').update(String(index)).digest()));

const cases: readonly { suite: CiphertextSuite; keyId: string; plaintext: Uint8Array; context: Record<string, string> }[] = [
  { suite: 'derived-aes-cbc-data', keyId: '1234abcd-12ab-34cd-56ef-1234567890ab', plaintext: Buffer.from('00', 'hex'), context: {} },
  {
    suite: 'derived-aes-cbc-data',
    keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
    plaintext: Buffer.alloc(32, 7),
    context: { purpose: 'test', Ünïcode: '\u{1f511}', '': '' },
  },
  { suite: 'derived-aes-cbc-data', keyId: 'mrk-1234abcd12ab34cd56ef1234567890ab', plaintext: long, context: { a: 'b' } },
  {
    suite: 'derived-sp800-108',
    keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
    plaintext: Buffer.from('attack at dawn'),
    context: { a: '1', b: '2' },
  },
  { suite: 'direct', keyId: '1234abcd-12ab-34cd-56ef-1234567890ab', plaintext: Buffer.from('attack at dawn'), context: {} },
];

const vectors = [];
for (const [index, { suite, keyId, plaintext, context }] of cases.entries()) {
  const key = { partition: 'aws', account: '000122223333', region: 'eu-central-1', keyId };
  const material = createHash('sha256').update(`material ${index}`).digest();
  const bound = knownMaterial(key, suite, material);
  const store = openFixedStore(`vector ${index}`);
  const blob = await store.encrypt(bound, plaintext, canonicalEncryptionContext(context));
  vectors.push({
    suite,
    partition: key.partition,
    account: key.account,
    keyId,
    material: hex(material),
    fingerprint: hex(bound.material.fingerprint),
    materialId: bound.material.materialId,
    plaintext: hex(plaintext),
    context,
    blob: hex(blob),
  });
}

const origin =
  'Made once by make-ciphertext-blob.ts from the software key store with fixed randomness. Checked against node:crypto by test/unit/keystore/ciphertext-vectors.test.ts.';
process.stdout.write(`${JSON.stringify({ origin, vectors }, undefined, 2)}\n`);
