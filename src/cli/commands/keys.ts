/** `hsm-kms keys list|show`: what the data directory knows of its keys. The other `keys` commands have files of their own. */
import { Command } from 'commander';
import { toHex } from '../../bytes.ts';
import { keyArn } from '../../keys/arn.ts';
import type { KeyRecord, MaterialRecord } from '../../keys/key-record.ts';
import type { Store } from '../../store/store.ts';
import { withConfigOptions } from '../options.ts';
import { keysNamed, withStore } from '../stored-keys.ts';
import { columns, printData, printJson, say } from '../terminal.ts';
import { adoptCommand } from './keys-adopt.ts';
import { exportPublicCommand } from './keys-export-public.ts';
import { transportCommand } from './keys-transport.ts';

const aliasesShownMax = 1_000;

export function keysCommand(): Command {
  return new Command('keys')
    .description('look at the keys of the data directory, or adopt one that is in a token')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(exportPublicCommand())
    .addCommand(adoptCommand())
    .addCommand(transportCommand());
}

function listCommand(): Command {
  return withConfigOptions(new Command('list'))
    .description('list all keys: where each lives, its state, its aliases')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      await withStore(command, (store) => {
        const keys = [...store.allKeys()].map((key) => describeKey(store, key));
        if (options.json === true) return printJson(keys);
        const rows = keys.map((key) => [key.keyId, key.account, key.region, key.state, key.protection, key.aliases.join(' ')]);
        printData(columns([['KEY', 'ACCOUNT', 'REGION', 'STATE', 'PROTECTION', 'ALIASES'], ...rows]));
        return say(`${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`);
      });
    });
}

function showCommand(): Command {
  return withConfigOptions(new Command('show'))
    .description('show one key with its materials')
    .argument('<key>', 'key id, key ARN or alias')
    .option('--json', 'print JSON')
    .action(async (key: string, options: { json?: boolean }, command: Command) => {
      await withStore(command, (store) => {
        const found = keysNamed(store, key).map((record) => describeKey(store, record));
        if (options.json === true) return printJson(found);
        return printData(found.map(keyText).join('\n\n'));
      });
    });
}

interface DescribedKey {
  readonly keyId: string;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly state: string;
  readonly keySpec: string;
  readonly keyUsage: string;
  readonly origin: string;
  readonly keyManager: string;
  readonly protection: string;
  readonly description: string;
  readonly createdAt: string;
  readonly deletionAt: string | undefined;
  readonly aliases: readonly string[];
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly automaticRotation: string | undefined;
  readonly currentMaterialId: string | undefined;
  readonly materials: readonly DescribedMaterial[];
}
type DescribedMaterial = Omit<MaterialRecord, 'reference' | 'publicKey' | 'fingerprint' | 'createdAtMs'> & {
  readonly fingerprint: string;
  readonly createdAt: string;
};

function describeKey(store: Store, key: KeyRecord): DescribedKey {
  return {
    keyId: key.keyId,
    arn: keyArn(key),
    account: key.account,
    region: key.region,
    state: key.state,
    keySpec: key.keySpec,
    keyUsage: key.keyUsage,
    origin: key.origin,
    keyManager: key.keyManager,
    protection: [...new Set(key.materials.map((material) => material.protection))].join(' and ') || 'none yet',
    description: key.description,
    createdAt: new Date(key.createdAtMs).toISOString(),
    deletionAt: key.deletionAtMs === undefined ? undefined : new Date(key.deletionAtMs).toISOString(),
    aliases: store.listAliases(key, key.keyId, undefined, aliasesShownMax).items.map((alias) => alias.aliasName),
    tags: key.tags,
    automaticRotation: scheduleText(key),
    currentMaterialId: key.currentMaterialId,
    materials: key.materials.map(describeMaterial),
  };
}

/** The reference stays out: for an exported key token it is the wrapped key. */
function describeMaterial(material: MaterialRecord): DescribedMaterial {
  const { reference: _reference, publicKey: _publicKey, fingerprint, createdAtMs, ...shown } = material;
  return { ...shown, fingerprint: toHex(fingerprint), createdAt: new Date(createdAtMs).toISOString() };
}

function scheduleText({ rotationSchedule }: KeyRecord): string | undefined {
  if (rotationSchedule === undefined) return undefined;
  return `every ${rotationSchedule.periodDays} days, next ${new Date(rotationSchedule.nextAtMs).toISOString()}`;
}

function materialText(material: DescribedMaterial, currentMaterialId: string | undefined): string {
  const { materialId, keyStore, protection, residency, suite = '-', custody, adopted } = material;
  const standing = material.pending ?? (materialId === currentMaterialId ? 'current' : 'former');
  return `${materialId} ${keyStore} ${protection} ${residency} ${suite} custody ${custody}${adopted === true ? ' adopted' : ''}${importText(material)} ${standing}${rotationText(material)}`;
}

function rotationText({ rotation }: DescribedMaterial): string {
  if (rotation === undefined) return '';
  const how = rotation.type === 'ON_DEMAND' ? 'on demand' : 'automatically';
  return `, rotated to ${how} ${new Date(rotation.atMs).toISOString()}`;
}

function importText({ import: imported }: DescribedMaterial): string {
  if (imported === undefined) return '';
  const end = imported.validToMs === undefined ? '' : ` until ${new Date(imported.validToMs).toISOString()}`;
  return ` ${imported.state === 'IMPORTED' ? 'imported' : 'pending import'}${imported.throughSoftware ? ' through software' : ''}${end}`;
}

function keyText(key: DescribedKey): string {
  const { materials, aliases, tags, ...plain } = key;
  const rows = Object.entries(plain).map(([name, value]) => [name, value ?? '-']);
  const tagWords = tags.map((tag) => `${tag.key}=${tag.value}`).join(' ');
  const materialRows = materials.map((material) => ['material', materialText(material, key.currentMaterialId)]);
  return columns([...rows, ['aliases', aliases.join(' ') || '-'], ['tags', tagWords || '-'], ...materialRows]);
}
