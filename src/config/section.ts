/** Building blocks of the configuration schemas: closed maps that name what is allowed, secrets by reference, bounded numbers. */
import { z } from 'zod';
import type { SecretReference } from './config.ts';

/** A map with exactly these keys; an unknown key is refused with the list of the known ones. */
export function section<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => {
      const allowed = Object.keys(shape).join(', ');
      if (issue.code === 'unrecognized_keys')
        return `unknown key ${issue.keys.map((key) => `'${key}'`).join(', ')}; allowed here: ${allowed}`;
      if (issue.code === 'invalid_type') return `expected a map with the keys ${allowed}`;
      return undefined;
    },
  });
}

/** One word of a fixed list. */
export function oneOf<const Words extends readonly [string, ...string[]]>(...words: Words): z.ZodType<Words[number]> {
  return z.enum(words, { error: (issue) => `${given(issue.input)} is not allowed; allowed: ${words.join(', ')}` });
}

/** A whole number between two bounds, both included. */
export function wholeNumber(min: number, max: number): z.ZodNumber {
  const error = (issue: { input?: unknown }): string =>
    `${given(issue.input)} is not allowed; allowed: a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** Text that is not empty and holds no control character. */
export function text(what: string, bytesMax = 1_024): z.ZodString {
  return z
    .string({ error: `expected text: ${what}` })
    .regex(/^\P{Cc}+$/u, { error: `expected ${what}, not empty, without control characters` })
    .max(bytesMax, {
      error: `expected ${what}, at most ${bytesMax} characters`,
    });
}

export const flag: z.ZodBoolean = z.boolean({ error: (issue) => `${given(issue.input)} is not allowed; allowed: true, false` });

export const secretForms = 'expected a reference to a secret: {file: PATH}, {env: VARIABLE}, {credential: NAME} (systemd), or prompt';

/** Where a secret comes from. A secret written into the file itself is refused. */
export const secretReference: z.ZodType<SecretReference> = z.union(
  [
    z.literal('prompt').transform(() => ({ kind: 'prompt' }) as const),
    z.strictObject({ file: text('a path') }).transform(({ file }) => ({ kind: 'file', path: file }) as const),
    z.strictObject({ env: text('a variable') }).transform(({ env }) => ({ kind: 'env', variable: env }) as const),
    z
      .strictObject({ credential: z.string().regex(/^[\w.-]+$/) })
      .transform(({ credential }) => ({ kind: 'credential', name: credential }) as const),
  ],
  { error: secretForms },
);

/** The refused value, shortened; a value that could be a secret is never a number or a word of ours, so text is quoted only when short. */
function given(input: unknown): string {
  if (input === undefined) return 'a missing value';
  if (typeof input === 'string') return input.length > 40 ? 'this text' : `'${input}'`;
  if (typeof input === 'number' || typeof input === 'boolean') return String(input);
  return input === null ? 'an empty value' : 'this value';
}
