/**
 * Reads vectors of C2SP/wycheproof: the trimmed set of test/vectors/wycheproof/, or the whole one where HSM_KMS_WYCHEPROOF names its
 * folder `testvectors_v1`. Knows the form of the files, not what they test.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env['HSM_KMS_WYCHEPROOF'] ?? join(import.meta.dirname, '../vectors/wycheproof');

/** One test with the members of its group; bytes are hex. */
export interface Vector {
  readonly tcId: number;
  /** `acceptable` leaves the answer to the implementation. */
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags: readonly string[];
  readonly comment: string;
  /** A member of the test, or of its group, as text. Throws TypeError when neither has it. */
  readonly text: (member: string) => string;
  /** The same as bytes. */
  readonly bytes: (member: string) => Buffer;
  readonly has: (member: string) => boolean;
}

interface VectorFile {
  readonly testGroups: readonly { readonly tests: readonly Record<string, unknown>[]; readonly [member: string]: unknown }[];
}

/** Every test of a file, which is named without its ending `_test.json`. */
export function wycheproof(name: string): readonly Vector[] {
  const file = JSON.parse(readFileSync(join(folder, `${name}_test.json`), 'utf8')) as VectorFile;
  return file.testGroups.flatMap(({ tests, ...group }) => tests.map((test) => vectorOf({ ...group, ...test })));
}

function vectorOf(members: Record<string, unknown>): Vector {
  const text = (member: string): string => {
    const value = members[member];
    if (typeof value !== 'string' && typeof value !== 'number') throw new TypeError(`the vector has no member ${member}`);
    return String(value);
  };
  return {
    tcId: members['tcId'] as number,
    result: members['result'] as Vector['result'],
    flags: (members['flags'] as readonly string[] | undefined) ?? [],
    comment: (members['comment'] as string | undefined) ?? '',
    text,
    bytes: (member) => Buffer.from(text(member), 'hex'),
    has: (member) => member in members,
  };
}

/**
 * The vectors whose answer is wrong, each as a line that names it: an accepted invalid one, a refused valid one. `expected` may
 * overrule the file where the service is stricter on purpose.
 */
export async function wrongAnswers(
  vectors: readonly Vector[],
  accepts: (vector: Vector) => boolean | Promise<boolean>,
  expected: (vector: Vector) => Vector['result'] = ({ result }) => result,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const vector of vectors) {
    const answer = expected(vector);
    if (answer === 'acceptable') continue;
    const accepted = await accepts(vector);
    if (accepted !== (answer === 'valid')) {
      wrong.push(`${vector.tcId} ${accepted ? 'accepted' : 'refused'}: ${vector.comment} [${vector.flags.join()}]`);
    }
  }
  return wrong;
}
