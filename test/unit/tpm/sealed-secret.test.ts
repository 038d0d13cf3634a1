import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TpmWriter } from '../../../src/tpm/marshalling.ts';
import { changedPcrs, pcrPolicy } from '../../../src/tpm/pcr-values.ts';
import { decodeSealedSecret, encodeSealedSecret, sealedFileBytesMax, type SealedSecret } from '../../../src/tpm/sealed-secret.ts';
import { writeSealedPublicHead } from '../../../src/tpm/structures.ts';
import { TpmError } from '../../../src/tpm/tpm-error.ts';
import { propertyRuns } from '../../support/property-runs.ts';

function sealedTo(pcrs: readonly number[]): SealedSecret {
  const values = new Map(pcrs.map((pcr) => [pcr, new Uint8Array(32).fill(pcr)]));
  const publicArea = new TpmWriter();
  writeSealedPublicHead(publicArea, pcrPolicy(values));
  return {
    purpose: 'root key',
    primaryName: new Uint8Array(34).fill(1),
    pcrs: values,
    publicArea: publicArea.sized(new Uint8Array(32).fill(2)).written(),
    privateArea: new Uint8Array(158).fill(3),
  };
}

function attempt(decode: () => SealedSecret): { readonly decoded?: SealedSecret; readonly error?: unknown } {
  try {
    return { decoded: decode() };
  } catch (error) {
    return { error };
  }
}

describe('the file of a sealed secret', () => {
  test.each([[[]], [[7]], [[0, 7, 23]], [Array.from({ length: 24 }, (_, pcr) => pcr)]])('holds what was sealed to PCRs %j', (pcrs) => {
    const file = encodeSealedSecret(sealedTo(pcrs));
    expect(file.length).toBeLessThanOrEqual(sealedFileBytesMax);
    expect(decodeSealedSecret(file)).toEqual(sealedTo(pcrs));
  });

  test('is told from other files, and from those of another version', () => {
    expect(() => decodeSealedSecret(new Uint8Array(32))).toThrow('holds nothing that hsm-kms sealed');
    expect(() => decodeSealedSecret(new Uint8Array())).toThrow('holds nothing that hsm-kms sealed');
    const file = encodeSealedSecret(sealedTo([7]));
    file[16] = 2;
    expect(() => decodeSealedSecret(file)).toThrow('has the version 2; this program knows 1');
  });

  test('is refused when the PCRs that it records are not those of its policy', () => {
    const { publicArea } = sealedTo([0, 7]);
    expect(() => decodeSealedSecret(encodeSealedSecret({ ...sealedTo([7]), publicArea }))).toThrow(
      'its recorded PCRs are not those of its policy',
    );
    expect(() => decodeSealedSecret(encodeSealedSecret({ ...sealedTo([]), publicArea }))).toThrow(
      'its recorded PCRs are not those of its policy',
    );
  });

  test('is refused, cut off or with anything changed in it, by an error of the client and no other', () => {
    const whole = encodeSealedSecret(sealedTo([0, 7]));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, to, cut) => {
        const file = whole.slice(0, whole.length - cut);
        if (at < file.length) file[at] = to;
        const { error, decoded } = attempt(() => decodeSealedSecret(file));
        // What still decodes asks of the TPM what was asked at sealing.
        if (decoded !== undefined) expect({ cut, pcrs: decoded.pcrs }).toEqual({ cut: 0, pcrs: sealedTo([0, 7]).pcrs });
        else expect(error).toBeInstanceOf(TpmError);
      }),
      propertyRuns({ quick: 1_000, full: 50_000 }),
    );
  });
});

test('PCRs that changed are those whose value is another one, or is not there any more', () => {
  const { pcrs } = sealedTo([0, 4, 7]);
  expect(changedPcrs(pcrs, pcrs)).toEqual([]);
  expect(changedPcrs(pcrs, new Map([...pcrs, [4, new Uint8Array(32)]]))).toEqual([4]);
  expect(changedPcrs(pcrs, new Map())).toEqual([0, 4, 7]);
});
