/** A certificate for one run, made by the openssl program: Node can read certificates but not make them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const OPENSSL_TIMEOUT_MS = 10_000;

/** Writes a P-256 key and a certificate for localhost that is good for a day. Rejects when openssl is not installed. */
export async function makeCertificate(files: { readonly certificateFile: string; readonly keyFile: string }): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', files.keyFile];
  const subject = ['-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', '-x509', ...key, ...subject, '-out', files.certificateFile], {
    timeout: OPENSSL_TIMEOUT_MS,
  });
}
