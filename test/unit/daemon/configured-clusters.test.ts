/** Clusters of the configuration: whose they are, what proves them, and where their password comes from. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configuredClusters } from '../../../src/daemon/configured-clusters.ts';
import { passwordVerifier } from '../../../src/keys/password-verifier.ts';
import { selfSignedCertificate } from '../../support/cluster.ts';
import { FakeKeyStore } from '../../support/fake-key-store.ts';
import type { CustomKeyStoreConfig } from '../../../src/config/config.ts';
import type { KeyStoreCluster } from '../../../src/operations/key-store-clusters.ts';

const scope = { partition: 'aws', account: '111122223333', region: 'eu-central-1' };
const clusterId = 'cluster-2a34b5cdefg';
const secrets = { environment: {}, prompt: async () => Promise.reject(new Error('no terminal')) };

describe('configured clusters', () => {
  let folder: string;
  let entry: CustomKeyStoreConfig;
  let certificate: string;
  let another: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hsm-kms-clusters-'));
    [certificate, another] = [selfSignedCertificate(), selfSignedCertificate()];
    const trustAnchorFile = join(folder, 'ca.crt');
    writeFileSync(trustAnchorFile, certificate);
    const { account, region } = scope;
    entry = { clusterId, account, region, keyStore: 'cloud', trustAnchorFile, password: { kind: 'file', path: join(folder, 'kmsuser') } };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function cluster(): KeyStoreCluster {
    const found = configuredClusters([entry], [new FakeKeyStore('cloud')], secrets).cluster(scope, clusterId);
    if (found === undefined) throw new Error('there is no cluster');
    return found;
  }

  it('belong to one account and Region', () => {
    const clusters = configuredClusters([entry], [new FakeKeyStore('cloud')], secrets);
    expect(clusters.cluster(scope, clusterId)?.keyStore.name).toBe('cloud');
    expect(clusters.cluster({ ...scope, account: '999988887777' }, clusterId)).toBeUndefined();
    expect(clusters.cluster({ ...scope, region: 'us-east-1' }, clusterId)).toBeUndefined();
    expect(clusters.cluster(scope, 'cluster-zzzzzzzzzzz')).toBeUndefined();
  });

  it('compare their trust anchor as a certificate, not as text', () => {
    const configured = cluster();
    expect(configured.isTrustAnchor(`\n${certificate.replaceAll('\n', '\r\n')}\n`)).toBe(true);
    expect(configured.isTrustAnchor(another)).toBe(false);
    expect(configured.isTrustAnchor('no certificate')).toBe(false);
  });

  it('read their password at every check, so that a changed one counts', async () => {
    const configured = cluster();
    const path = join(folder, 'kmsuser');
    const [former, present] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
    const verifier = await passwordVerifier(Buffer.from(present), randomBytes);
    writeFileSync(path, `${former}\n`, { mode: 0o600 });
    expect(await configured.isPassword(verifier)).toBe(false);
    writeFileSync(path, `${present}\n`, { mode: 0o600 });
    expect(await configured.isPassword(verifier)).toBe(true);
    rmSync(path);
    await expect(configured.isPassword(verifier)).rejects.toThrow('kmsuser');
  });

  it('say at start what is wrong with their key store or trust anchor', () => {
    expect(() => configuredClusters([entry], [new FakeKeyStore('main')], secrets)).toThrow('needs the key store cloud');
    const bad = { ...entry, trustAnchorFile: join(folder, 'bad.crt') };
    writeFileSync(bad.trustAnchorFile, 'no certificate');
    const missing = { ...entry, trustAnchorFile: join(folder, 'missing.crt') };
    for (const one of [bad, missing]) {
      expect(() => configuredClusters([one], [new FakeKeyStore('cloud')], secrets)).toThrow('set trustAnchorFile to a PEM file');
    }
  });
});
