import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { examine, type Finding } from '../../../src/cli/examination.ts';
import { readConfigFile } from '../../../src/config/load-config.ts';
import { nitroPki } from '../../support/attestation-documents.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-examination-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function findingsOn(subject: string, text: string): Promise<readonly Finding[]> {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, `${text}keyStores: [{ kind: software, name: software }]\nregions: [{ region: us-east-1, keyStore: software }]\n`);
  const findings: Finding[] = [];
  for await (const finding of examine(readConfigFile(file))) if (finding.subject === subject) findings.push(finding);
  return findings;
}

test('the root of attestation documents is looked at when one is configured', async () => {
  const text = 'attestation: { rootCertificateFile: root.pem }\n';
  expect(await findingsOn('attestation', '')).toEqual([]);
  expect(await findingsOn('attestation', text)).toMatchObject([{ verdict: 'wrong', words: expect.stringContaining('ENOENT') }]);
  writeFileSync(join(folder, 'root.pem'), nitroPki(Date.now()).rootPem);
  expect(await findingsOn('attestation', text)).toMatchObject([{ verdict: 'right', words: expect.stringContaining('root.pem') }]);
});
