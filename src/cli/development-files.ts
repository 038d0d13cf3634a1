/**
 * The files of a data directory for one machine: configuration, access key, and a SoftHSM token with its PIN. What is complete is
 * kept: each piece is made under another name and renamed, so that a set-up that was interrupted can simply be run again.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfigFile } from '../config/load-config.ts';
import { SecretBytes } from '../secret-bytes.ts';
import { FilePinLatch } from '../token/pin-latch.ts';
import { inspect, type InspectedToken, targetOf } from './inspection/inspection.ts';
import { randomAccessKeyId, randomPin, randomSecretAccessKey } from './random-secret.ts';
import { makeTransportKeys } from './make-transport-keys.ts';
import { makeWrappingKey } from './wrapping-key.ts';

const tokenLabel = 'hsm-kms';
const tokenDirectory = 'softhsm';
const privateFile = { mode: 0o600 } as const;

export interface DevelopmentChoice {
  readonly dataDirectory: string;
  readonly store: 'softhsm' | 'software';
  readonly residency: 'token' | 'wrapped';
  readonly suite: 'measured' | 'derived' | 'direct';
  readonly account: string;
}

/** Makes what is missing of the data directory; the configuration file comes last. */
export async function makeDevelopmentFiles(choice: DevelopmentChoice): Promise<void> {
  mkdirSync(choice.dataDirectory, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(choice.dataDirectory, name);
  if (choice.store === 'softhsm' && !existsSync(at(tokenDirectory))) await makeToken(choice);
  if (!existsSync(at('credentials.yaml'))) place(at('credentials.yaml'), credentialsText(choice.account));
  place(at('config.yaml'), choice.store === 'softhsm' ? tokenConfigText(tokenDirectory, choice) : softwareConfigText);
}

/** A SoftHSM token with a wrapping key, and with transport keys for the Regions that it serves. The SO PIN lives in this process only: nothing can re-initialise the token afterwards. */
async function makeToken(choice: DevelopmentChoice): Promise<void> {
  const staging = join(choice.dataDirectory, `${tokenDirectory}.new`);
  // Never used by a daemon: the rename below is what makes it the token.
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(join(staging, 'tokens'), { recursive: true, mode: 0o700 });
  const [pin, soPin] = [randomPin(), randomPin()];
  writeFileSync(join(staging, 'pin'), `${pin}\n`, privateFile);
  writeFileSync(join(staging, 'softhsm2.conf'), softhsmText(staging), privateFile);
  const configFile = join(choice.dataDirectory, 'config.new.yaml');
  writeFileSync(configFile, tokenConfigText(`${tokenDirectory}.new`, choice), privateFile);
  const [token] = readConfigFile(configFile).tokens;
  if (token === undefined) throw new Error('the configuration that was just written names no token');
  await inspect<InspectedToken>({ ...targetOf(token), task: 'initialize', label: tokenLabel, pin, soPin }, token.environment);
  const pins = { pin: SecretBytes.fromText(pin), soPin: SecretBytes.fromText(soPin) };
  const pinLatch = new FilePinLatch(join(staging, 'pin-latch'));
  await makeWrappingKey(token, pins, pinLatch);
  await makeTransportKeys([{ token, ...pins }], pinLatch);
  rmSync(configFile);
  writeFileSync(join(staging, 'softhsm2.conf'), softhsmText(join(choice.dataDirectory, tokenDirectory)), privateFile);
  renameSync(staging, join(choice.dataDirectory, tokenDirectory));
}

function place(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, privateFile);
  renameSync(`${file}.new`, file);
}

function softhsmText(directory: string): string {
  return `directories.tokendir = ${directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`;
}

function credentialsText(account: string): string {
  return `# Access keys that the daemon accepts. Private: the daemon refuses it when other users can read it.
credentials:
  - accessKeyId: ${randomAccessKeyId()}
    secretAccessKey: ${randomSecretAccessKey()}
    principalArn: arn:aws:iam::${account}:root
`;
}

const commonText = `# Any Region that a client names is served, by the first entry below. In production, list Regions and leave this out.
anyRegion: true
`;

const softwareConfigText = `# hsm-kms for one machine, without a token: keys are sealed under root.key in this directory.
${commonText}keyStores:
  - name: software
    kind: software
    rootKey: { file: root.key }
regions:
  - region: us-east-1
    keyStore: software
`;

function tokenConfigText(directory: string, choice: DevelopmentChoice): string {
  return `# hsm-kms for one machine: keys live in a SoftHSM token in this directory.
${commonText}tokens:
  - name: softhsm
    profile: softhsm
    label: ${tokenLabel}
    pin: { file: ${directory}/pin }
    development: true # allows --clock virtual; take it out when the keys matter
    environment:
      SOFTHSM2_CONF: ${JSON.stringify(join(choice.dataDirectory, directory, 'softhsm2.conf'))}
keyStores:
  - name: softhsm
    kind: pkcs11
    token: softhsm
    residency: ${choice.residency}
    suite: ${choice.suite}
    import: via-software # SoftHSM has no OAEP with SHA-256: such key material is in memory for the moment of its import
regions:
  - region: us-east-1
    keyStore: softhsm
`;
}
