/** Columns of text, and random secrets in the forms that others accept. */
import { describe, expect, it } from 'vitest';
import { randomAccessKeyId, randomPin, randomSecretAccessKey } from '../../../src/cli/random-secret.ts';
import { columns } from '../../../src/cli/terminal.ts';

describe('columns', () => {
  it('are as wide as their widest cell, with nothing trailing', () => {
    expect(
      columns([
        ['KEY', 'STATE'],
        ['a-long-id', 'Enabled'],
        ['b', ''],
      ]),
    ).toBe('KEY        STATE\na-long-id  Enabled\nb');
  });
});

describe('random secrets', () => {
  it('have the forms that tokens and AWS clients take, and do not repeat', () => {
    for (const [make, form] of [
      [randomPin, /^[0-9a-f]{32}$/],
      [randomAccessKeyId, /^AKIA[A-Z2-7]{16}$/],
      [randomSecretAccessKey, /^[\w-]{40}$/],
    ] as const) {
      const made = new Set(Array.from({ length: 100 }, make));
      expect(made.size).toBe(100);
      for (const secret of made) expect(secret).toMatch(form);
    }
  });
});
