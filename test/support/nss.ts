/** A throw-away NSS softokn key database in a temporary folder: the second full token of the tests. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretBytes } from '../../src/secret-bytes.ts';
import type { ProvisionedToken } from './softhsm.ts';

export const NSS_MODULE = '/usr/lib/x86_64-linux-gnu/libsoftokn3.so';

/** True when the module and certutil are installed on this machine. */
export function hasNss(): boolean {
  return existsSync(NSS_MODULE) && existsSync('/usr/bin/certutil');
}

/** Makes a key database with a random password. NSS has one password for both roles. */
export function provisionNss(label = 'kms'): ProvisionedToken {
  const directory = mkdtempSync(join(tmpdir(), 'hsm-kms-nss-'));
  const pin = randomBytes(12).toString('hex');
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, `${pin}\n`, { mode: 0o600 });
  const run = spawnSync('certutil', ['-N', '-d', `sql:${directory}`, '-f', passwordFile], { encoding: 'utf8' });
  rmSync(passwordFile);
  if (run.status !== 0) throw new Error(`certutil could not make the key database: ${run.stderr}`);
  return {
    module: NSS_MODULE,
    environment: {},
    reserved: `configdir='sql:${directory}' tokens=<0x4=[configdir='sql:${directory}' tokenDescription='${label}']>`,
    label,
    serial: '',
    pin: SecretBytes.fromText(pin),
    soPin: SecretBytes.fromText(pin),
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
