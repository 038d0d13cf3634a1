/** Opens CMS EnvelopedData as an enclave would, with OpenSSL, which shares no code with what sealed it. */
import { execFileSync } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The content of `cms`, DER or BER. Throws when `privateKey` does not open it. */
export function openEnvelopedData(cms: Uint8Array, privateKey: KeyObject): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-cms-'));
  try {
    const keyFile = join(folder, 'key.pem');
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const words = ['cms', '-decrypt', '-inform', 'DER', '-inkey', keyFile];
    return Uint8Array.from(execFileSync('openssl', words, { input: cms, stdio: ['pipe', 'pipe', 'pipe'] }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
