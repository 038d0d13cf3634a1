/** What each suite asks of its material in the token: usage, allowed mechanisms, names. */
import { randomBytes } from 'node:crypto';
import type { CiphertextSuite } from '../../keys/key-record.ts';
import type { Mechanism, MechanismName, Template } from '../../token/mechanism.ts';
import type { AesUse, ObjectNames } from '../../token/templates.ts';
import { epochKey, fingerprintKey, tokenMaterial, unwrappedMaterial, wrappableMaterial } from '../../token/templates.ts';

interface SuiteMaterial {
  readonly use: AesUse;
  readonly mechanisms: readonly MechanismName[];
}

const suiteMaterials: Readonly<Record<Exclude<CiphertextSuite, 'composed'>, SuiteMaterial>> = {
  'derived-aes-cbc-data': { use: 'derive', mechanisms: ['AES_CBC_ENCRYPT_DATA'] },
  'derived-sp800-108': { use: 'derive', mechanisms: ['SP800_108_COUNTER_KDF'] },
  // AES-CBC makes the fingerprint.
  direct: { use: 'encrypt', mechanisms: ['AES_GCM', 'AES_CBC'] },
};

/** A suite that this key store can make and use. */
export type TokenSuite = keyof typeof suiteMaterials;

export function isTokenSuite(suite: CiphertextSuite): suite is TokenSuite {
  return suite in suiteMaterials;
}

/** Every material is an AES-256 key. */
export const generationMechanism: Mechanism = { name: 'AES_KEY_GEN' };

/** A material that stays in the token. */
export function residentTemplate(suite: TokenSuite, names: ObjectNames): Template {
  const { use, mechanisms } = suiteMaterials[suite];
  return tokenMaterial(use, names, mechanisms);
}

/** A material for the moment between its generation and its wrapping. `trustedOnly`: only a TRUSTED key may wrap it. */
export function exportableTemplate(suite: TokenSuite, trustedOnly: boolean): Template {
  const { use, mechanisms } = suiteMaterials[suite];
  const { WRAP_WITH_TRUSTED: onlyTrusted, ...template } = wrappableMaterial(use, sessionNames(), mechanisms);
  return trustedOnly ? { ...template, WRAP_WITH_TRUSTED: onlyTrusted ?? true } : template;
}

/** A material as a session object, unwrapped for use. */
export function unwrappedTemplate(suite: TokenSuite): Template {
  const { use, mechanisms } = suiteMaterials[suite];
  return unwrappedMaterial(use, sessionNames(), mechanisms);
}

/** The AES-256 key of an epoch. */
export const epochKeyTemplate: Template = epochKey('hsm-kms epoch');

/** The AES-256 key that makes the fingerprint of a material. */
export const fingerprintKeyTemplate: Template = fingerprintKey('hsm-kms fingerprint');

function sessionNames(): ObjectNames {
  return { id: randomBytes(16), label: 'hsm-kms session' };
}
