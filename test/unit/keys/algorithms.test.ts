/** The table of key specs against kms-api.md section 3. */
import { describe, expect, test } from 'vitest';
import {
  customerMasterKeySpec,
  encryptionAlgorithm,
  keySpec,
  keyUsage,
  macAlgorithm,
  signingAlgorithm,
} from '../../../src/api/enumerations.ts';
import {
  assertAlgorithm,
  assertMessage,
  assertPlaintextLength,
  keyAlgorithms,
  keyFamily,
  keySpecs,
  signingAlgorithms,
  usageOfNewKey,
} from '../../../src/keys/algorithms.ts';
import { refusal } from '../../support/kms-fixture.ts';
import type { KeyUsage } from '../../../src/keys/key-record.ts';

const usages = keyUsage.values as readonly KeyUsage[];

describe('the table of key specs', () => {
  test('has every spec of the API and no other', () => {
    expect([...keySpecs.keys()].toSorted()).toEqual(keySpec.values.toSorted());
    expect(customerMasterKeySpec.values.every((spec) => keySpecs.has(spec))).toBe(true);
  });

  test('has only algorithms of the API, and every one of them', () => {
    const all = [...keySpecs.keys()].flatMap((spec) => usages.flatMap((usage) => keyAlgorithms(spec, usage)));
    const known = [...encryptionAlgorithm.values, ...signingAlgorithm.values, ...macAlgorithm.values, 'ECDH', 'ML_KEM'];
    expect([...new Set(all)].toSorted()).toEqual(known.toSorted());
  });

  test('a symmetric key needs no usage, every other does', () => {
    expect(usageOfNewKey('SYMMETRIC_DEFAULT', undefined)).toBe('ENCRYPT_DECRYPT');
    const text = 'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.';
    for (const spec of keySpecs.keys()) {
      if (spec === 'SYMMETRIC_DEFAULT') continue;
      expect(() => usageOfNewKey(spec, undefined)).toThrow(expect.objectContaining(refusal('ValidationException', text)));
    }
  });

  test.each([
    ['RSA_2048', 'KEY_AGREEMENT'],
    ['SYMMETRIC_DEFAULT', 'SIGN_VERIFY'],
    ['ECC_SECG_P256K1', 'KEY_AGREEMENT'],
    ['HMAC_256', 'ENCRYPT_DECRYPT'],
    ['ML_KEM_512', 'KEY_AGREEMENT'],
  ] as const)('%s cannot be used for %s', (spec, usage) => {
    const text = `KeyUsage ${usage} is not compatible with KeySpec ${spec}`;
    expect(() => usageOfNewKey(spec, usage)).toThrow(expect.objectContaining(refusal('ValidationException', text)));
  });

  test('an algorithm of another spec is refused in the words of AWS', () => {
    expect(() => assertAlgorithm('HMAC_SHA_256', 'HMAC_224', 'GENERATE_VERIFY_MAC')).toThrow(
      expect.objectContaining(refusal('InvalidKeyUsageException', 'Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.')),
    );
    expect(() => assertAlgorithm('HMAC_SHA_224', 'HMAC_224', 'GENERATE_VERIFY_MAC')).not.toThrow();
  });

  test('families tell which keys an alias may pass between', () => {
    expect(['SYMMETRIC_DEFAULT', 'HMAC_512', 'RSA_2048', 'ML_KEM_512'].map(keyFamily)).toEqual([
      'symmetric',
      'hmac',
      'asymmetric',
      'asymmetric',
    ]);
    expect(() => keyFamily('DES')).toThrow(RangeError);
  });

  test('has a row for every signing algorithm of the API and no other', () => {
    expect([...signingAlgorithms.keys()].toSorted()).toEqual(signingAlgorithm.values.toSorted());
  });

  test.each([
    ['RSA_2048', 'RSAES_OAEP_SHA_1', 214],
    ['RSA_2048', 'RSAES_OAEP_SHA_256', 190],
    ['RSA_3072', 'RSAES_OAEP_SHA_1', 342],
    ['RSA_3072', 'RSAES_OAEP_SHA_256', 318],
    ['RSA_4096', 'RSAES_OAEP_SHA_1', 470],
    ['RSA_4096', 'RSAES_OAEP_SHA_256', 446],
    ['SM2', 'SM2PKE', 1_024],
  ])('%s with %s encrypts up to %i bytes', (spec, algorithm, bytesMax) => {
    expect(() => assertPlaintextLength(algorithm, spec, bytesMax)).not.toThrow();
    const text = `Algorithm ${algorithm} and key spec ${spec} cannot encrypt data larger than ${bytesMax} bytes.`;
    expect(() => assertPlaintextLength(algorithm, spec, bytesMax + 1)).toThrow(expect.objectContaining(refusal('ValidationException', text)));
  });

  test('messages are of any length when they are raw, and digests of the algorithm’s own', () => {
    for (const [algorithm, { messageTypes }] of signingAlgorithms) {
      for (const messageType of ['RAW', 'DIGEST', 'EXTERNAL_MU'] as const) {
        const accepted = [1, 32, 48, 64, 4096].filter((length) => !throws(() => assertMessage(algorithm, messageType, length)));
        const exact = messageTypes[messageType];
        if (!(messageType in messageTypes)) expect(accepted, algorithm).toEqual([]);
        else expect(accepted, algorithm).toEqual(exact === undefined ? [1, 32, 48, 64, 4096] : [exact]);
      }
    }
  });
});

function throws(act: () => void): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}
