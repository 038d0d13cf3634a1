/** The root key of software keys, kept by a token: the same at every start, another for every store and token, never in a file. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { tokenRootKey } from '../../../../src/keystore/pkcs11/token-root-key.ts';
import type { SecretBytes } from '../../../../src/secret-bytes.ts';
import { macForm, residentKey } from '../../../../src/token/templates.ts';
import type { Token } from '../../../../src/token/token.ts';
import { FakeToken } from '../../../support/fake-token.ts';
import { hasNss, provisionNss } from '../../../support/nss.ts';
import { openRealToken } from '../../../support/real-tokens.ts';
import { hasSoftHsm, provisionSoftHsm } from '../../../support/softhsm.ts';

const label = 'hsm-kms software root key';
const hex = (secret: SecretBytes): string => secret.expose((bytes) => Buffer.from(bytes).toString('hex'));

interface Subject {
  readonly name: string;
  readonly available: () => boolean;
  readonly open: () => Promise<{ token: Token; close: () => Promise<void> }>;
}

const subjects: readonly Subject[] = [
  { name: 'a strict fake', available: () => true, open: async () => ({ token: new FakeToken(), close: async () => {} }) },
  { name: 'SoftHSM', available: hasSoftHsm, open: async () => openRealToken(provisionSoftHsm(), true) },
  { name: 'NSS softokn', available: hasNss, open: async () => openRealToken(provisionNss(), false) },
];

for (const subject of subjects) {
  describe.skipIf(!subject.available())(`a root key from ${subject.name}`, () => {
    let token: Token;
    let close: () => Promise<void>;

    beforeAll(async () => {
      ({ token, close } = await subject.open());
    });
    afterAll(async () => close());

    it('is refused where software keys exist and the token has lost it', async () => {
      await expect(tokenRootKey(token, 'soft', 'refuse')).rejects.toMatchObject({ kind: 'refused' });
    });

    it('is made once, and is the same from then on', async () => {
      const first = await tokenRootKey(token, 'soft', 'create');
      expect(first.length).toBe(32);
      expect(hex(await tokenRootKey(token, 'soft', 'refuse'))).toBe(hex(first));
      expect(await token.findObjects({ LABEL: label }, ['ID'])).toHaveLength(1);
    });

    it('is another one for another key store', async () => {
      expect(hex(await tokenRootKey(token, 'other', 'create'))).not.toBe(hex(await tokenRootKey(token, 'soft', 'create')));
    });

    it('is refused while the token holds two keys that could be it', async () => {
      await token.generateKey(
        { name: 'GENERIC_SECRET_KEY_GEN' },
        {
          CLASS: 'SECRET_KEY',
          KEY_TYPE: 'GENERIC_SECRET',
          VALUE_LEN: 32,
          TOKEN: true,
          PRIVATE: true,
          SENSITIVE: true,
          EXTRACTABLE: false,
          SIGN: true,
          ID: Uint8Array.of(1),
          LABEL: label,
        },
      );
      await expect(tokenRootKey(token, 'soft', 'create')).rejects.toThrow('holds 2 keys');
    });
  });
}

test('a root key that somebody brought into the token is not used', async () => {
  const token = new FakeToken();
  token.install({
    ...residentKey(macForm(32), { id: Uint8Array.of(1), label }, []),
    NEVER_EXTRACTABLE: false,
    VALUE: new Uint8Array(32),
  });
  await expect(tokenRootKey(token, 'soft', 'create')).rejects.toMatchObject({ kind: 'refused' });
});
