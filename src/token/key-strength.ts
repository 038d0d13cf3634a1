/**
 * Is a key that a token made as strong as the one that was asked for? Compares a template with the attributes read back:
 * openCryptoki drops SENSITIVE and EXTRACTABLE of an unwrapped key and says CKR_OK, CloudHSM can drop every usage flag.
 */
import type { AttributeName, Template } from './mechanism.ts';

/** Attributes that decide what can be done with a key, or to it. */
const SECURITY_ATTRIBUTES: readonly AttributeName[] = [
  'TOKEN',
  'PRIVATE',
  'SENSITIVE',
  'EXTRACTABLE',
  'MODIFIABLE',
  'TRUSTED',
  'KEY_TYPE',
  'VALUE_LEN',
  'ENCRYPT',
  'DECRYPT',
  'SIGN',
  'VERIFY',
  'WRAP',
  'UNWRAP',
  'DERIVE',
];

/** Where the better of two values is known, it may come instead of the one asked for. */
const STRONGER: Template = { SENSITIVE: true, EXTRACTABLE: false, PRIVATE: true, MODIFIABLE: false, WRAP_WITH_TRUSTED: true };

/** Attributes that must be read back to judge a key made from `template`. `essential` are optional ones that the caller insists on. */
export function attributesToCheck(template: Template, essential: readonly AttributeName[]): AttributeName[] {
  const names = SECURITY_ATTRIBUTES.filter((name) => template[name] !== undefined);
  for (const name of essential) if (template[name] !== undefined && !names.includes(name)) names.push(name);
  return names;
}

/** The attributes among `names` in which the key falls short of `template`; empty when it is as asked for. */
export function weaknesses(template: Template, actual: Template, names: readonly AttributeName[]): AttributeName[] {
  return names.filter((name) => !isAsStrong(name, template[name], actual[name]));
}

function isAsStrong(name: AttributeName, asked: unknown, actual: unknown): boolean {
  // SoftHSM gives length 0 for a key whose length it did not record.
  if (name === 'VALUE_LEN') return actual === asked || actual === undefined || actual === 0;
  if (name === 'ALLOWED_MECHANISMS' || typeof asked === 'object') return actual !== undefined;
  return actual === asked || (actual !== undefined && actual === STRONGER[name]);
}
