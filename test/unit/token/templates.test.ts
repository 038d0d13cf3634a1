import { describe, expect, it } from 'vitest';
import type { AttributeName, Template } from '../../../src/token/mechanism.ts';
import { attributesToCheck, weaknesses } from '../../../src/token/key-strength.ts';
import {
  aesForm,
  agreedSecret,
  arrivingKey,
  epochKey,
  fingerprintKey,
  macForm,
  privateForm,
  recordMacKey,
  residentKey,
  tokenMaterial,
  transportKey,
  transportMacKey,
  travellingKey,
  unwrappedKey,
  unwrappedMaterial,
  without,
  wrappableKey,
  wrappableMaterial,
  wrappingKey,
} from '../../../src/token/templates.ts';

const names = { id: new Uint8Array(16).fill(1), label: 'label' };
const USES: readonly AttributeName[] = ['ENCRYPT', 'DECRYPT', 'SIGN', 'VERIFY', 'WRAP', 'UNWRAP', 'DERIVE'];

const templates: readonly { readonly what: string; readonly template: Template; readonly uses: readonly string[] }[] = [
  { what: 'a material that derives', template: tokenMaterial('derive', names), uses: ['DERIVE'] },
  { what: 'a material that encrypts', template: tokenMaterial('encrypt', names), uses: ['ENCRYPT', 'DECRYPT'] },
  { what: 'a material to be exported', template: wrappableMaterial('derive', names), uses: ['DERIVE'] },
  { what: 'a material that came back', template: unwrappedMaterial('derive', names), uses: ['DERIVE'] },
  { what: 'an epoch key', template: epochKey('label'), uses: ['ENCRYPT', 'DECRYPT'] },
  { what: 'a fingerprint key', template: fingerprintKey('label'), uses: ['ENCRYPT'] },
  { what: 'the wrapping key', template: wrappingKey(names, true), uses: ['WRAP', 'UNWRAP'] },
  { what: 'a MAC key', template: residentKey(macForm(48), names, ['SHA384_HMAC']), uses: ['SIGN'] },
  { what: 'a MAC key to be exported', template: wrappableKey(macForm(48), names, []), uses: ['SIGN'] },
  { what: 'a material that can travel', template: travellingKey(aesForm('derive'), names, []), uses: ['DERIVE'] },
  { what: 'a material that arrives', template: arrivingKey(aesForm('derive'), names, []), uses: ['DERIVE'] },
  { what: 'the transport key', template: transportKey(names), uses: ['WRAP', 'UNWRAP'] },
  { what: 'the transport MAC key', template: transportMacKey(names), uses: ['SIGN'] },
  { what: 'the record MAC key', template: recordMacKey(names), uses: ['SIGN'] },
];

describe.each(templates)('the template of $what', ({ template, uses }) => {
  it('names every usage flag, and turns on only those it needs', () => {
    for (const use of USES) expect(template[use], use).toBe(uses.includes(use));
  });

  it('keeps the key inside: sensitive, and extractable only under a trusted key', () => {
    expect(template.SENSITIVE).toBe(true);
    if (template.EXTRACTABLE !== false) expect(template.WRAP_WITH_TRUSTED).toBe(true);
    if (template.TOKEN === true) expect(template.MODIFIABLE).toBe(false);
    expect(template.COPYABLE).toBe(false);
  });
});

describe.each(['SIGN', 'DECRYPT', 'DERIVE'] as const)('the template of a private key for %s', (use) => {
  const form = privateForm('EC', use);
  const made = [residentKey(form, names, ['ECDSA']), wrappableKey(form, names, []), unwrappedKey(form, names, [])];
  const flags: readonly AttributeName[] = ['DECRYPT', 'SIGN', 'SIGN_RECOVER', 'UNWRAP', 'DERIVE'];

  it('names every usage flag of private keys and no other, and turns on one', () => {
    for (const template of made) {
      for (const flag of flags) expect(template[flag], flag).toBe(flag === use);
      for (const flag of ['ENCRYPT', 'VERIFY', 'WRAP', 'VALUE_LEN']) expect(template).not.toHaveProperty(flag);
    }
  });

  it('keeps the key inside: sensitive, and extractable only under a trusted key', () => {
    const [resident, wrappable, unwrapped] = made;
    expect(resident).toMatchObject({ TOKEN: true, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, MODIFIABLE: false });
    expect(resident?.ALLOWED_MECHANISMS).toEqual(['ECDSA']);
    expect(wrappable).toMatchObject({ TOKEN: false, SENSITIVE: true, EXTRACTABLE: true, WRAP_WITH_TRUSTED: true });
    expect(unwrapped).toMatchObject({ TOKEN: false, SENSITIVE: true, EXTRACTABLE: false });
  });
});

describe('templates', () => {
  it('let nothing but an agreed secret be read, which can do nothing', () => {
    const secret = agreedSecret(32);
    expect(secret).toMatchObject({ TOKEN: false, SENSITIVE: false, EXTRACTABLE: true, VALUE_LEN: 32 });
    for (const use of USES) expect(secret[use], use).toBe(false);
  });

  it('say where a key lives', () => {
    expect(tokenMaterial('derive', names).TOKEN).toBe(true);
    for (const template of [wrappableMaterial('derive', names), unwrappedMaterial('derive', names), epochKey('label')])
      expect(template.TOKEN).toBe(false);
  });

  it('give no length to a key that brings its own, which SoftHSM refuses', () => {
    expect(unwrappedMaterial('derive', names)).not.toHaveProperty('VALUE_LEN');
  });

  it('make the wrapping key public and trusted, or private where nobody can trust it', () => {
    expect(wrappingKey(names, true)).toMatchObject({
      PRIVATE: false,
      TRUSTED: true,
      UNWRAP_TEMPLATE: { SENSITIVE: true, EXTRACTABLE: false },
    });
    expect(wrappingKey(names, false)).toMatchObject({ PRIVATE: true });
    expect(wrappingKey(names, false)).not.toHaveProperty('TRUSTED');
  });

  it('leave attributes out by name', () => {
    expect(without({ LABEL: 'a', COPYABLE: false }, new Set(['COPYABLE']))).toEqual({ LABEL: 'a' });
  });
});

describe('the strength of a key', () => {
  const asked: Template = {
    SENSITIVE: true,
    EXTRACTABLE: false,
    WRAP: false,
    ENCRYPT: true,
    VALUE_LEN: 32,
    KEY_TYPE: 'AES',
    COPYABLE: false,
  };
  const strong: Template = { ...asked };
  const check = (actual: Template, essential: readonly AttributeName[] = []): AttributeName[] =>
    weaknesses(asked, actual, attributesToCheck(asked, essential));

  it('is enough when every attribute is as asked for', () => {
    expect(check(strong)).toEqual([]);
  });

  it.each<[AttributeName, Template]>([
    ['SENSITIVE', { SENSITIVE: false }],
    ['EXTRACTABLE', { EXTRACTABLE: true }],
    ['WRAP', { WRAP: true }],
    ['ENCRYPT', { ENCRYPT: false }],
    ['VALUE_LEN', { VALUE_LEN: 16 }],
    ['KEY_TYPE', { KEY_TYPE: 'GENERIC_SECRET' }],
  ])('is not enough with another %s', (name, change) => {
    expect(check({ ...strong, ...change })).toEqual([name]);
  });

  it('is not enough when it cannot be read', () => {
    const { SENSITIVE: _hidden, ...rest } = strong;
    expect(check(rest)).toEqual(['SENSITIVE']);
  });

  it('takes a length of zero for unknown, which SoftHSM gives for unwrapped keys', () => {
    expect(check({ ...strong, VALUE_LEN: 0 })).toEqual([]);
  });

  it('counts optional attributes only when they are essential', () => {
    const copyable = { ...strong, COPYABLE: true };
    expect(check(copyable)).toEqual([]);
    expect(check(copyable, ['COPYABLE'])).toEqual(['COPYABLE']);
  });
});
