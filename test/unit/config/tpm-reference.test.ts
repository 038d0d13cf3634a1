import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { KeyStoreConfig } from '../../../src/config/config.ts';
import { readConfigFile } from '../../../src/config/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-tpm-reference-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function storeWith(rootKey: string): KeyStoreConfig | undefined {
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    `keyStores: [{ kind: software, name: software, rootKey: ${rootKey} }]\nregions: [{ region: us-east-1, keyStore: software }]\n`,
  );
  return readConfigFile(file).keyStores[0];
}

describe('a root key in a TPM', () => {
  test('is sealed to PCR 7 of the TPM of the machine unless something else is said, and its file is beside the configuration', () => {
    expect(storeWith('{ tpm: { file: root-key.tpm } }')).toMatchObject({
      rootKey: { kind: 'tpm', file: join(folder, 'root-key.tpm'), address: { kind: 'device', path: '/dev/tpmrm0' }, pcrs: [7] },
    });
  });

  test('may be in another device or an emulator, over any PCRs, which are put in order', () => {
    expect(storeWith('{ tpm: { file: /k, device: /dev/tpmrm1, pcrs: [7, 0, 7, 23] } }')).toMatchObject({
      rootKey: { file: '/k', address: { kind: 'device', path: '/dev/tpmrm1' }, pcrs: [0, 7, 23] },
    });
    expect(storeWith('{ tpm: { file: k, tcp: "127.0.0.1:2321", pcrs: [] } }')).toMatchObject({
      rootKey: { address: { kind: 'tcp', host: '127.0.0.1', port: 2321 }, pcrs: [] },
    });
  });

  test.each([
    ['{ tpm: { file: k, pcrs: [24] } }', /tpm\.pcrs\.0: 24 is not allowed; allowed: a whole number from 0 to 23/],
    ['{ tpm: { file: k, pcrs: 7 } }', /tpm\.pcrs: expected a list of PCRs, for example \[7\]/],
    ['{ tpm: { file: k, tcp: "127.0.0.1" } }', /tpm\.tcp: expected HOST:PORT of an emulator/],
    ['{ tpm: { file: k, tcp: "127.0.0.1:0" } }', /tpm\.tcp: expected HOST:PORT of an emulator/],
    ['{ tpm: { file: k, tcp: "127.0.0.1:1", device: /dev/tpm0 } }', /device and tcp name two TPMs; one is meant/],
    ['{ tpm: { device: /dev/tpm0 } }', /tpm\.file: expected text: a path/],
    ['{ tpm: { file: k, pcr: [7] } }', /tpm: unknown key 'pcr'; allowed here: file, device, tcp, pcrs/],
    ['{ tmp: { file: k } }', /or a TPM: \{tpm: \{file: PATH, device: \/dev\/tpmrm0, pcrs: \[7\]\}\}/],
  ])('%s is refused with what is wrong in it', (rootKey, words) => {
    expect(() => storeWith(rootKey)).toThrow(words);
  });
});
