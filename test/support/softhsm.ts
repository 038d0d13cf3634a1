/** A throw-away SoftHSM token in a temporary folder, with PINs of its own. PINs never stand in an argument or an environment variable. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SecretBytes } from '../../src/secret-bytes.ts';

export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';

/** A token that a test may use and must remove. */
export interface ProvisionedToken {
  /** Path of the PKCS#11 module. */
  readonly module: string;
  readonly environment: Readonly<Record<string, string>>;
  /** pReserved of C_Initialize, where the module needs one. */
  readonly reserved: string | undefined;
  readonly label: string;
  /** Empty where the test does not know it: find the slot by the label. */
  readonly serial: string;
  readonly pin: SecretBytes;
  readonly soPin: SecretBytes;
  readonly directory: string;
  remove(): void;
}

/** True when the module is installed on this machine. */
export function hasSoftHsm(): boolean {
  return existsSync(SOFTHSM_MODULE);
}

/** Makes an initialised token with a random SO PIN and user PIN. Takes about 0.2 s. */
export function provisionSoftHsm(label = 'kms'): ProvisionedToken {
  const directory = mkdtempSync(join(tmpdir(), 'hsm-kms-softhsm-'));
  mkdirSync(join(directory, 'tokens'));
  const configuration = join(directory, 'softhsm2.conf');
  writeFileSync(
    configuration,
    `directories.tokendir = ${directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`,
  );
  const environment = { SOFTHSM2_CONF: configuration };
  const pin = randomBytes(8).toString('hex');
  const soPin = randomBytes(8).toString('hex');
  const serial = initialiseToken(environment, { module: SOFTHSM_MODULE, label, pin, soPin });
  return {
    module: SOFTHSM_MODULE,
    environment,
    reserved: undefined,
    label,
    serial,
    pin: SecretBytes.fromText(pin),
    soPin: SecretBytes.fromText(soPin),
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** C_InitToken and C_InitPIN in a process of its own, which gets the PINs on its standard input. Returns the serial number. */
function initialiseToken(
  environment: Readonly<Record<string, string>>,
  token: { module: string; label: string; pin: string; soPin: string },
): string {
  const script = fileURLToPath(new URL('initialise-token.mjs', import.meta.url));
  const run = spawnSync(process.execPath, [script], { env: { ...environment }, input: JSON.stringify(token), encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`the token could not be initialised: ${run.stderr}`);
  return run.stdout.trim();
}
