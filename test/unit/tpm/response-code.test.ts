import { expect, test } from 'vitest';
import { isPassing, refusal, responseCodeName } from '../../../src/tpm/response-code.ts';

// Each with the words that tpm2_rc_decode of tpm2-tools 5.4 has for it.
test.each([
  [0x99d, 'POLICY_FAIL', 'tpm:session(1):a policy check failed'],
  [0x98e, 'AUTH_FAIL', 'tpm:session(1):the authorization HMAC check failed and DA counter incremented'],
  [0x9a2, 'BAD_AUTH', 'tpm:session(1):authorization failure without DA implications'],
  [0x1df, 'INTEGRITY', 'tpm:parameter(1):integrity check failed'],
  [0x18b, 'HANDLE', 'tpm:handle(1):the handle is not correct for the use'],
  [0x902, 'OBJECT_MEMORY', 'tpm:warn(2.0): out of memory for object contexts'],
  [
    0x921,
    'LOCKOUT',
    'tpm:warn(2.0): authorizations for objects subject to DA protection are not allowed at this time because the TPM is in DA lockout mode',
  ],
  [0x922, 'RETRY', 'tpm:warn(2.0): the TPM was not able to start the command'],
  [0x100, 'INITIALIZE', 'tpm:error(2.0): TPM not initialized by TPM2_Startup or already initialized'],
  [0x125, 'AUTH_MISSING', 'tpm:error(2.0): command requires an authorization session for handle and it is not present'],
])('0x%s is TPM_RC_%s: %s', (code, name) => {
  expect(responseCodeName(code)).toBe(name);
});

test.each([0x0, 0x1ff, 0x9bf, 0x80280400, 0xffff_ffff])('a code without a name (%i) is given in hexadecimal', (code) => {
  expect(responseCodeName(code)).toBe(`0x${code.toString(16).padStart(3, '0')}`);
});

test('only what the TPM asks to have again is sent again', () => {
  expect([0x908, 0x90a, 0x920, 0x922].every(isPassing)).toBe(true);
  expect([0x100, 0x101, 0x902, 0x921, 0x99d, 0x9a2].some(isPassing)).toBe(false);
});

test('a refusal names command and code, and says what to do', () => {
  const refused = refusal('CreatePrimary', 0x9a2);
  expect(refused).toMatchObject({ kind: 'refused', responseCode: 'TPM_RC_BAD_AUTH' });
  expect(refused.message).toBe(
    'the TPM refused CreatePrimary: TPM_RC_BAD_AUTH (0x9a2). Its owner hierarchy has a password; the empty one is expected. Clear it with: tpm2_changeauth -c owner -p PASSWORD',
  );
  expect(refusal('Load', 0x184).message).toBe('the TPM refused Load: TPM_RC_VALUE (0x184)');
});
