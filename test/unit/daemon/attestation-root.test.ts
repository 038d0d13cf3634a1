import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readConfigFile } from '../../../src/config/load-config.ts';
import type { Config } from '../../../src/config/config.ts';
import { configuredAttestation } from '../../../src/daemon/attestation-root.ts';
import { attestationDocument, nitroPki, pemOf, recipientKey } from '../../support/attestation-documents.ts';
import { MovedClock } from '../../support/kms-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-attestation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const clock = new MovedClock();
const pki = nitroPki(clock.nowMs());

function configured(attestation: string, pem?: string): Config {
  const file = join(folder, 'config.yaml');
  if (pem !== undefined) writeFileSync(join(folder, 'root.pem'), pem);
  const rest = 'keyStores: [{ kind: software, name: software }]\nregions: [{ region: us-east-1, keyStore: software }]\n';
  writeFileSync(file, attestation + rest);
  return readConfigFile(file);
}

test('without a root there is no verifier', () => {
  expect(configuredAttestation(configured(''), clock)).toBeUndefined();
});

test('a root named relative to the configuration is what documents are verified with', async () => {
  const config = configured('attestation: { rootCertificateFile: root.pem }\n', pki.rootPem);
  expect(config.attestation).toEqual({ rootCertificateFile: join(folder, 'root.pem') });
  const document = attestationDocument(pki, clock.nowMs(), recipientKey().publicKey);
  await expect(configuredAttestation(config, clock)?.verify(document)).resolves.toMatchObject({ platform: 'nitro-enclave' });
});

test.each([
  ['is not there', undefined, 'ENOENT'],
  ['is no certificate', 'root', 'cannot be used'],
  ['is no authority', pemOf(pki.signer.der), 'not the certificate of a P-384 certificate authority'],
])('a root that %s stops the start, and the file is named', (_, pem, reason) => {
  rmSync(join(folder, 'root.pem'), { force: true });
  const config = configured('attestation: { rootCertificateFile: root.pem }\n', pem);
  expect(() => configuredAttestation(config, clock)).toThrow(reason);
  expect(() => configuredAttestation(config, clock)).toThrow(join(folder, 'root.pem'));
});
