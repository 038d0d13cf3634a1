/** The file of seeds: what it may say, and what is said of it when it is wrong. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSeedsFile } from '../../../src/config/seeds-file.ts';

const KeyId = '1234abcd-12ab-34cd-56ef-1234567890ab';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsm-kms-seeds-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string, mode = 0o600): string {
  const file = join(folder, 'seeds.yaml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe('a file of seeds', () => {
  it('needs a key id only', () => {
    const file = write(`keys:\n  - KeyId: ${KeyId}\n`);
    expect(readSeedsFile(file, true)).toEqual([
      {
        keyId: KeyId,
        account: '000000000000',
        region: undefined,
        createKey: { KeySpec: 'SYMMETRIC_DEFAULT', Description: '', Tags: [] },
        aliases: [],
        enabled: true,
        rotationPeriodDays: undefined,
        material: undefined,
        place: `${file}:2`,
      },
    ]);
  });

  it('takes policies as maps, tags as a map, and material in four forms', () => {
    writeFileSync(join(folder, 'key.bin'), Buffer.from('file'), { mode: 0o600 });
    const materials = ['{ hex: "6162" }', '{ base64: YWI= }', '{ pem: "-----BEGIN x" }', '{ file: key.bin }'];
    const entries = materials.map(
      (material, index) =>
        `  - { KeyId: ${KeyId.slice(0, -1)}${index}, Material: ${material}, Tags: { a: b }, Policy: { Version: "2012-10-17" } }`,
    );
    const seeds = readSeedsFile(write(`keys:\n${entries.join('\n')}\n`), true);
    expect(seeds.map(({ material }) => material?.expose((bytes) => Buffer.from(bytes).toString()))).toEqual([
      'ab',
      'ab',
      '-----BEGIN x',
      'file',
    ]);
    expect(seeds[0]?.createKey).toMatchObject({
      Origin: 'EXTERNAL',
      Tags: [{ TagKey: 'a', TagValue: 'b' }],
      Policy: '{\n  "Version": "2012-10-17"\n}',
    });
  });

  it.each([
    ['an id in another form', 'KeyId: key-1', 'expected a UUID'],
    ['an unknown member', `{ KeyId: ${KeyId}, Alias: alias/a }`, "unknown key 'Alias'"],
    ['material in another form', `{ KeyId: ${KeyId}, Material: 00112233445566778899 }`, 'in quotes'],
    ['a number for an account', `{ KeyId: ${KeyId}, Account: 111122223333 }`, 'in quotes'],
  ])('refuses %s with its line, and does not repeat material', (_what, entry, complaint) => {
    const complain = (): unknown => readSeedsFile(write(`keys:\n  - ${entry}\n`), true);
    expect(complain).toThrow(complaint);
    expect(complain).toThrow(/seeds\.yaml:2/);
    expect(complain).not.toThrow('445566');
  });

  it('refuses a key that is there twice, and a file that is not there', () => {
    expect(() => readSeedsFile(write(`keys:\n  - KeyId: ${KeyId}\n  - KeyId: ${KeyId}\n`), true)).toThrow(
      /:3: keys\.1: this key is in the file twice/,
    );
    expect(() => readSeedsFile(join(folder, 'none.yaml'), true)).toThrow('cannot be read');
  });

  it('refuses material that other users can read, where that matters', () => {
    const file = write(`keys:\n  - { KeyId: ${KeyId}, Material: { hex: "6162" } }\n`, 0o644);
    expect(() => readSeedsFile(file, true)).toThrow('chmod 600');
    expect(readSeedsFile(file, false)).toHaveLength(1);
  });
});
