/**
 * Constraint violations of a request, worded as AWS words them (Java bean validation, kms-api.md 10.2), and wrong JSON types,
 * worded as its JSON reader does. Knows no shapes.
 */
import { KmsError } from '../errors.ts';

const REPORTED_MAX = 100;
const ECHOED_CHARACTERS_MAX = 4096;

/** Collects what is wrong with one request, so that the caller learns everything at once. */
export class Violations {
  readonly #texts: string[] = [];

  /** True when no more is recorded: what comes now need not be looked at. */
  get full(): boolean {
    return this.#texts.length >= REPORTED_MAX;
  }

  /** Records that `value` (already worded; undefined keeps a sensitive value out) breaks `constraint` at `path`. */
  add(value: string | undefined, path: string, constraint: string): void {
    if (this.full) return;
    const echoed = value === undefined ? '' : `'${value.slice(0, ECHOED_CHARACTERS_MAX)}' `;
    this.#texts.push(`Value ${echoed}at '${path}' failed to satisfy constraint: ${constraint}`);
  }

  /** Records that a required member is absent. */
  addMissing(path: string): void {
    if (!this.full) this.#texts.push(missingText(path));
  }

  /** Throws ValidationException when anything was recorded. */
  throwIfAny(): void {
    const count = this.#texts.length;
    if (count > 0) throw validationError(this.#texts);
  }
}

/** `1 validation error detected: ...` for a member that a rule between members makes required. */
export function missingMember(path: string): KmsError {
  return validationError([missingText(path)]);
}

/** `1 validation error detected: ...` for one value out of bounds. */
export function outOfBounds(value: number, path: string, constraint: string): KmsError {
  return validationError([`Value '${value}' at '${path}' failed to satisfy constraint: ${constraint}`]);
}

/** A ValidationException with a text of its own, for rules that bean validation does not cover. */
export function invalid(text: string): KmsError {
  return new KmsError('ValidationException', text);
}

/** A value of the wrong JSON type. The text names the type found, never the value. */
export function wrongType(value: unknown, expected: string): KmsError {
  return new KmsError('SerializationException', `${jsonTypeName(value)} can not be converted to ${expected}`);
}

function missingText(path: string): string {
  return `Value null at '${path}' failed to satisfy constraint: Member must not be null`;
}

function validationError(texts: readonly string[]): KmsError {
  const noun = texts.length === 1 ? 'error' : 'errors';
  return new KmsError('ValidationException', `${texts.length} validation ${noun} detected: ${texts.join('; ')}`);
}

function jsonTypeName(value: unknown): string {
  if (value === null) return 'NULL_VALUE';
  if (Array.isArray(value)) return 'START_ARRAY';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return { string: 'STRING_VALUE', number: 'NUMBER_VALUE', object: 'START_OBJECT' }[typeof value as 'string'] ?? 'VALUE';
}
