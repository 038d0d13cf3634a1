/**
 * The known-good operation: a session key of our own with an answer that was noted when it was made. It lives in the anchor
 * session and needs the login, so a right answer says that session, login, object and computation are sound.
 */
import { timingSafeEqual } from 'node:crypto';
import type { CallClasses } from './call-classes.ts';
import type { Cryptoki, ObjectHandle } from './cryptoki.ts';
import type { Mechanism, Template } from './mechanism.ts';
import { TokenError, tokenErrorFrom } from './token-error.ts';

/** Resolves when the answer is the one that was noted; rejects with TokenError. */
export type Canary = () => Promise<void>;

const BLOCK = new Uint8Array(16).fill(0x5a);
const USES: Template = { ENCRYPT: false, DECRYPT: false, SIGN: false, VERIFY: false, WRAP: false, UNWRAP: false, DERIVE: false };
const OWN: Template = { ...USES, CLASS: 'SECRET_KEY', VALUE_LEN: 32, TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false };

interface Kind {
  readonly generation: Mechanism;
  readonly template: Template;
  readonly answer: (cryptoki: Cryptoki, key: ObjectHandle, calls: CallClasses) => Promise<Uint8Array>;
}

const KINDS: readonly Kind[] = [
  {
    generation: { name: 'AES_KEY_GEN' },
    template: { ...OWN, KEY_TYPE: 'AES', ENCRYPT: true },
    answer: (cryptoki, key, calls) => cryptoki.encrypt({ name: 'AES_CBC', iv: new Uint8Array(16) }, key, BLOCK, calls.fast),
  },
  {
    generation: { name: 'GENERIC_SECRET_KEY_GEN' },
    template: { ...OWN, KEY_TYPE: 'GENERIC_SECRET', SIGN: true },
    answer: (cryptoki, key, calls) => cryptoki.sign({ name: 'SHA256_HMAC' }, key, BLOCK, calls.fast),
  },
];

/** Makes the canary. A token that has no session keys gets one that asks for random bytes, which shows the session only. */
export async function hatchCanary(cryptoki: Cryptoki, calls: CallClasses): Promise<Canary> {
  for (const kind of KINDS) {
    try {
      const { handle } = await cryptoki.generateKey(kind.generation, kind.template, [], calls.anchorSlow);
      const noted = await kind.answer(cryptoki, handle, calls);
      return async () => compare(await kind.answer(cryptoki, handle, calls), noted);
    } catch (error) {
      const { kind: reason } = tokenErrorFrom(error) as TokenError;
      if (reason !== 'unsupported' && reason !== 'refused') throw error;
    }
  }
  return async () => void (await cryptoki.random(16, calls.fast));
}

function compare(answer: Uint8Array, noted: Uint8Array): void {
  if (answer.length === noted.length && timingSafeEqual(answer, noted)) return;
  throw new TokenError('device', 'the token gave a wrong answer to a known operation');
}
