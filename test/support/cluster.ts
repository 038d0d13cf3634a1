/** A CloudHSM cluster of the configuration: certificate, password of kmsuser, and the entry that maps it to a key store. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigText } from './daemon.ts';

/** What a request of CreateCustomKeyStore names. */
export interface Cluster {
  readonly clusterId: string;
  /** PEM. */
  readonly trustAnchor: string;
  readonly password: string;
}

/** A certificate of an authority that nobody knows. */
export function selfSignedCertificate(): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  return execFileSync('openssl', ['req', '-x509', '-subj', '/CN=cluster', ...key], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

export function newCluster(): Cluster {
  return { clusterId: 'cluster-2a34b5cdefg', trustAnchor: selfSignedCertificate(), password: randomBytes(12).toString('hex') };
}

/** Gives the account of the daemon's access key the cluster, which is the key store of the first Region. `folder` is the data directory. */
export function configureCluster(config: ConfigText, folder: string, { clusterId, trustAnchor, password }: Cluster, region: string): void {
  const account = /arn:aws:iam::(\d{12}):/.exec(readFileSync(join(folder, 'credentials.yaml'), 'utf8'))?.[1];
  writeFileSync(join(folder, 'cluster.crt'), trustAnchor);
  writeFileSync(join(folder, 'kmsuser'), password, { mode: 0o600 });
  const [{ keyStore }] = config.regions as [{ keyStore: string }];
  config['customKeyStores'] = [{ clusterId, account, region, keyStore, trustAnchorFile: 'cluster.crt', password: { file: 'kmsuser' } }];
}
