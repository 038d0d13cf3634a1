/** `hsm-kms keys export-public`: the public half of a key pair, for programs that know nothing of KMS. Reads the store, needs no token. */
import { writeFileSync, writeSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { KeyRecord } from '../../keys/key-record.ts';
import { withConfigOptions } from '../options.ts';
import { keysNamed, withStore } from '../stored-keys.ts';
import { CommandError, say } from '../terminal.ts';

interface ExportOptions {
  readonly format: 'pem' | 'der';
  readonly out?: string;
}

const explanation = `
Writes SubjectPublicKeyInfo (RFC 5280), the same that GetPublicKey returns: the public half is kept with the key, so this works
without the token, beside a running daemon, and for keys that are disabled or waiting for deletion. No key policy is asked.`;

export function exportPublicCommand(): Command {
  return withConfigOptions(new Command('export-public'))
    .description('write the public half of a key pair')
    .argument('<key>', 'key id, key ARN or alias')
    .addOption(new Option('--format <format>', 'encoding').choices(['pem', 'der']).default('pem'))
    .option('--out <file>', 'write to this file, which must not exist yet, and not to standard output')
    .addHelpText('after', explanation)
    .action(async (name: string, { format, out }: ExportOptions, command: Command) => {
      const publicKey = await withStore(command, (store) => publicKeyOf(name, keysNamed(store, name)));
      const encoded = format === 'der' ? publicKey : pemOf(publicKey);
      if (out === undefined) return void writeSync(1, encoded);
      writeNewFile(out, encoded);
      return say(`wrote the public key to ${out}`);
    });
}

/** Replicas have one public key. Keys that differ need to be told apart. */
function publicKeyOf(name: string, keys: readonly KeyRecord[]): Uint8Array {
  const current = keys.map((key) => key.materials.find((material) => material.materialId === key.currentMaterialId));
  const publicKeys = new Map(current.map((material) => [material?.materialId, material?.publicKey]));
  if (publicKeys.size > 1) {
    throw new CommandError(`several keys are named '${name}'`, { hints: ['name one by its ARN: hsm-kms keys show gives it'] });
  }
  const [publicKey] = publicKeys.values();
  if (publicKey !== undefined) return publicKey;
  const [{ keySpec }] = keys as [KeyRecord];
  throw new CommandError(`the key '${name}' of spec ${keySpec} has no public key`, {
    hints: ['only key pairs have one, and pairs that wait for an import have none yet'],
  });
}

function pemOf(publicKey: Uint8Array): Uint8Array {
  const base64 = Buffer.from(publicKey)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n');
  return Buffer.from(`-----BEGIN PUBLIC KEY-----\n${base64}-----END PUBLIC KEY-----\n`);
}

function writeNewFile(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx' });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new CommandError(exists ? `${path} exists; it is not overwritten` : `${path} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
