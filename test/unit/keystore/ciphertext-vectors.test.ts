/** The fixed vectors, recomputed from the written format with node:crypto alone, then opened by the key store. */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canonicalEncryptionContext } from '../../../src/keys/encryption-context.ts';
import type { CiphertextSuite } from '../../../src/keys/key-record.ts';
import { openBlob } from '../../support/key-store-parts.ts';
import { knownMaterial, openFixedStore } from '../../support/software-materials.ts';

interface Vector {
  readonly suite: CiphertextSuite;
  readonly partition: string;
  readonly account: string;
  readonly keyId: string;
  readonly material: string;
  readonly fingerprint: string;
  readonly materialId: string;
  readonly plaintext: string;
  readonly context: Readonly<Record<string, string>>;
  readonly blob: string;
}

const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/ciphertext-blob.json', import.meta.url), 'utf8')) as {
  vectors: readonly Vector[];
};
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const u32 = (value: number): Buffer => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');

function aesCbc(key: Uint8Array, data: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-cbc', key, Buffer.alloc(16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

function derive(vector: Vector, label: string, nonce: Uint8Array): Buffer {
  const material = bytes(vector.material);
  if (vector.suite === 'direct') return material;
  if (vector.suite === 'derived-aes-cbc-data') return aesCbc(material, Buffer.concat([nonce, Buffer.from(label)]));
  return createHmac('sha256', material)
    .update(Buffer.concat([u32(1), Buffer.from(label), Buffer.alloc(1), nonce, u32(256)]))
    .digest();
}

function contextBytes(context: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(context).map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const);
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat([u32(pairs.length), ...pairs.flat().flatMap((text) => [u32(text.length), text])]);
}

describe.each(vectors.map((vector, index) => [`${index} (${vector.suite})`, vector] as const))('ciphertext vector %s', (_name, vector) => {
  const suiteCode = { 'derived-aes-cbc-data': 1, 'derived-sp800-108': 2, direct: 3, composed: 4 }[vector.suite];
  const named = Buffer.concat([
    bytes('0102020078'),
    Buffer.of(1, suiteCode, vector.partition.length),
    Buffer.from(vector.partition),
    bytes(Number(vector.account).toString(16).padStart(16, '0')),
    Buffer.of(vector.keyId.length),
    Buffer.from(vector.keyId),
    bytes(vector.materialId),
  ]);
  const blob = bytes(vector.blob);
  const nonce = blob.subarray(named.length, named.length + 16);
  const header = blob.subarray(0, named.length + 16);
  const iv = blob.subarray(header.length, header.length + 12);
  const sealed = blob.subarray(header.length + 12);

  it('has the fingerprint and the material id of its material', () => {
    const input = Buffer.concat([bytes('ffffffff'), Buffer.from('hsm-kms key material fingerprint v1'), Buffer.alloc(9)]);
    const fingerprint = aesCbc(derive(vector, 'hsm-kms fingerp.', Buffer.alloc(16)), input);
    expect(fingerprint.toString('hex')).toBe(vector.fingerprint);
    const id = createHash('sha256').update('hsm-kms key material id v1').update(Buffer.of(vector.keyId.length)).update(vector.keyId);
    expect(id.update(fingerprint).digest('hex')).toBe(vector.materialId);
  });

  it('begins with the header that the format prescribes', () => {
    expect(header.subarray(0, named.length).toString('hex')).toBe(named.toString('hex'));
  });

  it('opens with AES-256-GCM under the epoch key, header and context authenticated', () => {
    const decipher = createDecipheriv('aes-256-gcm', derive(vector, 'hsm-kms epoch v1', nonce), iv, { authTagLength: 16 });
    decipher.setAAD(Buffer.concat([u32(header.length), header, contextBytes(vector.context)])).setAuthTag(sealed.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    expect(plaintext.toString('hex')).toBe(vector.plaintext);
  });

  it('is opened by the key store', async () => {
    const key = { partition: vector.partition, account: vector.account, region: 'us-east-1', keyId: vector.keyId };
    const store = openFixedStore('other randomness');
    const plaintext = await openBlob(
      store,
      knownMaterial(key, vector.suite, bytes(vector.material)),
      blob,
      canonicalEncryptionContext(vector.context),
    );
    expect(Buffer.from(plaintext).toString('hex')).toBe(vector.plaintext);
  });
});
