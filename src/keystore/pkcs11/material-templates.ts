/** What each kind of material and each derived key asks of its object in the token: usage, allowed mechanisms, names. */
import { randomBytes } from 'node:crypto';
import type { Template } from '../../token/mechanism.ts';
import type { ObjectNames } from '../../token/templates.ts';
import { arrivingKey, epochKey, fingerprintKey, importedKey, residentKey, travellingKey, unwrappedKey, wrappableKey } from '../../token/templates.ts';
import type { MaterialKind } from './material-kind.ts';

/** A material that stays in the token. */
export function residentTemplate({ form, mechanisms }: MaterialKind, names: ObjectNames): Template {
  return residentKey(form, names, mechanisms);
}

/** The material of a multi-Region key, which can leave for other tokens. */
export function travellingTemplate({ form, mechanisms }: MaterialKind, names: ObjectNames): Template {
  return travellingKey(form, names, mechanisms);
}

/** The same material as it arrives in another token. */
export function arrivingTemplate({ form, mechanisms }: MaterialKind, names: ObjectNames): Template {
  return arrivingKey(form, names, mechanisms);
}

/** A material that is unwrapped to stay in the token. */
export function importedTemplate({ form, mechanisms }: MaterialKind, names: ObjectNames): Template {
  return importedKey(form, names, mechanisms);
}

/** A material for the moment between its generation and its wrapping. `trustedOnly`: only a TRUSTED key may wrap it. */
export function exportableTemplate({ form, mechanisms }: MaterialKind, trustedOnly: boolean): Template {
  const { WRAP_WITH_TRUSTED: onlyTrusted, ...template } = wrappableKey(form, sessionNames(), mechanisms);
  return trustedOnly ? { ...template, WRAP_WITH_TRUSTED: onlyTrusted ?? true } : template;
}

/** A material as a session object, unwrapped for use. */
export function unwrappedTemplate({ form, mechanisms }: MaterialKind): Template {
  return unwrappedKey(form, sessionNames(), mechanisms);
}

/** The AES-256 key of an epoch. */
export const epochKeyTemplate: Template = epochKey('hsm-kms epoch');

/** The AES-256 key that makes the fingerprint of a material. */
export const fingerprintKeyTemplate: Template = fingerprintKey('hsm-kms fingerprint');

function sessionNames(): ObjectNames {
  return { id: randomBytes(16), label: 'hsm-kms session' };
}
