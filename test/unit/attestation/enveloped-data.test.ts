import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { envelopedData } from '../../../src/attestation/enveloped-data.ts';
import { recipientKey } from '../../support/attestation-documents.ts';
import { openEnvelopedData } from '../../support/open-enveloped-data.ts';

const random = (lengthBytes: number): Uint8Array => Uint8Array.from(randomBytes(lengthBytes));

describe('CMS EnvelopedData', () => {
  test.each([
    [2_048, 0],
    [2_048, 32],
    [3_072, 4_096],
    [4_096, 1_024],
  ])('for RSA of %i bits and %i bytes of content opens with OpenSSL', (modulusBits, lengthBytes) => {
    const { publicKey, privateKey } = recipientKey(modulusBits);
    const content = random(lengthBytes);
    expect(openEnvelopedData(envelopedData(content, publicKey, random), privateKey)).toEqual(content);
  });

  test('has the outer form that the Nitro Enclaves SDK reads: indefinite lengths, versions 2, a key identifier', () => {
    const { publicKey } = recipientKey();
    const cms = Buffer.from(envelopedData(random(32), publicKey, random)).toString('hex');
    const keyIdentifier = createHash('sha256').update(publicKey).digest('hex');
    const envelopedDataId = '06092a864886f70d010703';
    const oaepSha256 =
      '303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500';
    expect(cms).toMatch(
      new RegExp(`^3080${envelopedDataId}a0803080020102318201[0-9a-f]{2}308201[0-9a-f]{2}0201028020${keyIdentifier}${oaepSha256}04820100`),
    );
    expect(cms).toMatch(/308006092a864886f70d010701301d060960864801650304012a0410[0-9a-f]{32}a0800430[0-9a-f]{96}0{20}$/);
  });

  test('takes a new key and a new vector for each message', () => {
    const { publicKey } = recipientKey();
    const drawn: string[] = [];
    const noted = (lengthBytes: number): Uint8Array => {
      const bytes = random(lengthBytes);
      drawn.push(`${lengthBytes}:${Buffer.from(bytes).toString('hex')}`);
      return bytes;
    };
    envelopedData(random(32), publicKey, noted);
    envelopedData(random(32), publicKey, noted);
    expect(drawn.map((text) => text.split(':')[0])).toEqual(['32', '16', '32', '16']);
    expect(new Set(drawn).size).toBe(4);
  });

  test('leaves no content key behind', () => {
    const keys: Uint8Array[] = [];
    envelopedData(random(8), recipientKey().publicKey, (lengthBytes) => {
      const bytes = random(lengthBytes);
      keys.push(bytes);
      return bytes;
    });
    expect(keys[0]).toEqual(new Uint8Array(32));
  });
});
