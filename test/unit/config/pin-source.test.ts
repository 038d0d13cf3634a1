/** The PIN at every login: read again from a file, asked of a person only once, and never the same bytes twice. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinSource } from '../../../src/config/pin-source.ts';
import { SecretBytes } from '../../../src/secret-bytes.ts';

const text = (secret: SecretBytes): string => secret.expose((bytes) => Buffer.from(bytes).toString());

describe('the PIN of a token', () => {
  it('is read anew from its file at every login', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-pin-'));
    const path = join(folder, 'pin');
    const fetch = pinSource(
      { name: 'main', pin: { kind: 'file', path } },
      { environment: {}, prompt: () => Promise.reject(new Error('nobody')) },
    );
    for (const pin of ['first', 'second']) {
      writeFileSync(path, pin, { mode: 0o600 });
      expect(text(await fetch())).toBe(pin);
    }
    rmSync(folder, { recursive: true });
  });

  it('is asked of a person once, and each login gets a copy that it may wipe', async () => {
    const questions: string[] = [];
    const prompt = (question: string): Promise<SecretBytes> => {
      questions.push(question);
      return Promise.resolve(SecretBytes.fromText('typed'));
    };
    const fetch = pinSource({ name: 'main', pin: { kind: 'prompt' } }, { environment: {}, prompt });
    (await fetch()).wipe();
    expect(text(await fetch())).toBe('typed');
    expect(questions).toEqual(['PIN of token main']);
  });
});
