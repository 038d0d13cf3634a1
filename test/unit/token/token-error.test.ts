import { describe, expect, it } from 'vitest';
import { CryptokiLossError } from '../../../src/token/cryptoki.ts';
import type { TokenError } from '../../../src/token/token-error.ts';
import { kindOf, mayBeTemplate, tokenErrorFrom } from '../../../src/token/token-error.ts';
import { ckr } from '../../support/fake-cryptoki.ts';

describe('the meaning of a return value', () => {
  it.each([
    // One lost login, three codes: SoftHSM, NSS and openCryptoki, tpm2-pkcs11.
    [0x82, 'C_EncryptInit', 'handle'],
    [0x60, 'C_SignInit', 'handle'],
    [0x101, 'C_EncryptInit', 'login'],
    // A wrong tag: SoftHSM, openCryptoki, the standard of 2.40 and of 3.0.
    [0x5, 'C_Decrypt', 'unclear'],
    [0x6, 'C_Decrypt', 'unclear'],
    [0x40, 'C_Decrypt', 'input'],
    [0x42, 'C_Decrypt', 'input'],
    [0x5, 'C_UnwrapKey', 'unclear'],
    [0x110, 'C_UnwrapKey', 'input'],
    // The same codes where no input can be at fault.
    [0x5, 'C_Encrypt', 'device'],
    [0x5, 'C_DecryptInit', 'device'],
    [0x6, 'C_Encrypt', 'device'],
    [0x6, 'C_GenerateKey', 'capacity'],
    [0x31, 'C_CreateObject', 'capacity'],
    [0x31, 'C_Encrypt', 'device'],
    // NSS: a wrong MAC, and a usage flag that forbids the call.
    [0x30, 'C_Verify', 'unclear'],
    [0x150, 'C_Verify', 'unclear'],
    [0x63, 'C_EncryptInit', 'refused'],
    [0x68, 'C_EncryptInit', 'refused'],
    // SoftHSM: OAEP with SHA-256, empty data.
    [0x7, 'C_DecryptInit', 'unsupported'],
    [0x7, 'C_Encrypt', 'input'],
    [0x7, 'C_OpenSession', 'capacity'],
    [0xb1, 'C_OpenSession', 'capacity'],
    [0xb0, 'C_Encrypt', 'session'],
    [0xb3, 'C_Encrypt', 'session'],
    [0x90, 'C_EncryptInit', 'session'],
    [0x30, 'C_Encrypt', 'device'],
    [0x32, 'C_Encrypt', 'device'],
    [0xe0, 'C_OpenSession', 'device'],
    [0x190, 'C_Encrypt', 'device'],
    [0xa0, 'C_Login', 'pin'],
    [0xa4, 'C_Login', 'pin'],
    [0x12, 'C_GenerateKey', 'unsupported'],
    [0xd1, 'C_GenerateKey', 'unsupported'],
    [0x6a, 'C_WrapKey', 'refused'],
    [0x8000_0001, 'C_Encrypt', 'device'],
    [0x8000_0001, 'C_Decrypt', 'unclear'],
  ] as const)('0x%s of %s is %s', (returnValue, functionName, kind) => {
    expect(kindOf(returnValue, functionName)).toBe(kind);
  });
});

describe('errors of the door', () => {
  it('keep function and return value, and the message names both', () => {
    const error = tokenErrorFrom(ckr(0x30, 'C_Sign'));
    expect(error).toMatchObject({ kind: 'device', functionName: 'C_Sign', returnValue: 0x30, message: 'C_Sign returned CKR_DEVICE_ERROR' });
  });

  it.each([
    ['overdue', 'overdue'],
    ['host-exited', 'unavailable'],
    ['closed', 'unavailable'],
    ['overloaded', 'capacity'],
  ] as const)('without an answer (%s) are %s', (reason, kind) => {
    expect(tokenErrorFrom(new CryptokiLossError(reason, 'lost'))).toMatchObject({ kind, returnValue: undefined });
  });

  it('leave mistakes of the program alone', () => {
    const mistake = new TypeError('wrong type');
    expect(tokenErrorFrom(mistake)).toBe(mistake);
  });

  it('may be about the template where NSS says GENERAL_ERROR', () => {
    expect(mayBeTemplate(tokenErrorFrom(ckr(0x5, 'C_GenerateKey')) as TokenError)).toBe(true);
    expect(mayBeTemplate(tokenErrorFrom(ckr(0x12, 'C_GenerateKey')) as TokenError)).toBe(true);
    expect(mayBeTemplate(tokenErrorFrom(ckr(0x30, 'C_GenerateKey')) as TokenError)).toBe(false);
  });
});
