/**
 * Sealing a secret to a TPM and its boot state, and opening it again. Neither the secret nor what would open it crosses the bus in
 * clear. README.md in this folder says what that protects against, and what not.
 */
import { createHash } from 'node:crypto';
import { equalConstantTime } from '../bytes.ts';
import { SecretBytes } from '../secret-bytes.ts';
import { createSealed, load, pcrRead, policyPcr, sealedBytesMax, unseal } from './commands.ts';
import type { TpmConnection } from './connection.ts';
import { changedPcrs, pcrPolicy, type PcrValues } from './pcr-values.ts';
import { flushing, type PrimaryKey, withPrimaryKey, withSession } from './primary-key.ts';
import type { SealedSecret } from './sealed-secret.ts';
import { digestBytes, nameOfPublic, type TpmEntity } from './structures.ts';
import { TpmError } from './tpm-error.ts';

/** Sealed with each secret: the digest of its purpose, so that one kind of secret is never taken for another. */
const purposeTagBytes = digestBytes;
/** The longest secret that can be sealed. */
export const secretBytesMax: number = sealedBytesMax - purposeTagBytes;

/** What the PCRs measure (TCG PC Client Platform Firmware Profile, PCR usage; the registry of the UAPI Group for 8 and up). */
const pcrMeanings: Readonly<Record<number, string>> = {
  0: 'firmware',
  1: 'firmware settings',
  2: 'option ROMs',
  4: 'boot loader',
  5: 'partition table',
  7: 'Secure Boot state',
  8: 'kernel command line',
  9: 'kernel and initrd',
  11: 'unified kernel image',
  12: 'kernel command line',
  14: 'shim keys',
};

/** Seals `secret`, which stays the caller's, to the present values of `pcrs`, and opens it once as a proof. Rejects with TpmError. */
export function sealSecret(
  connection: TpmConnection,
  secret: SecretBytes,
  { purpose, pcrs }: { readonly purpose: string; readonly pcrs: readonly number[] },
): Promise<SealedSecret> {
  if (secret.length > secretBytesMax)
    throw new TpmError('refused', `a ${purpose} of ${secret.length} bytes cannot be sealed; ${secretBytesMax} are the most`);
  return withPrimaryKey(connection, async (primary) => {
    const values = await readPcrs(connection, pcrs);
    const tagged = withTag(secret, purpose);
    try {
      const created = await withSession(connection, primary, 'hmac', (session) =>
        connection.run(createSealed(primary, tagged, pcrPolicy(values)), session.authorizing('command')),
      );
      const sealed = { purpose, primaryName: primary.name, pcrs: values, ...created };
      await proveSealed(connection, primary, sealed, tagged);
      return sealed;
    } finally {
      tagged.wipe();
    }
  });
}

/** The secret; the caller wipes it. Rejects with TpmError, which says what does not fit: the TPM, the PCRs or the purpose. */
export async function unsealSecret(connection: TpmConnection, sealed: SealedSecret, purpose: string): Promise<SecretBytes> {
  if (sealed.purpose !== purpose) throw new TpmError('malformed', `the sealed file holds a ${sealed.purpose}, not a ${purpose}`);
  const tagged = await withPrimaryKey(connection, async (primary) => {
    if (!equalConstantTime(primary.name, sealed.primaryName))
      throw new TpmError('other-tpm', 'it was sealed by another TPM, or by this one before it was cleared');
    refuseChangedPcrs(sealed.pcrs, await readPcrs(connection, [...sealed.pcrs.keys()]));
    return openSealed(connection, primary, sealed);
  });
  try {
    return withoutTag(tagged, purpose);
  } finally {
    tagged.wipe();
  }
}

/** The values of `pcrs` in the SHA-256 bank, ascending. Rejects with TpmError where the TPM does not have them all. */
export async function readPcrs(connection: TpmConnection, pcrs: readonly number[]): Promise<PcrValues> {
  const values = new Map<number, Uint8Array>();
  const wanted = new Set(pcrs);
  while (wanted.size > 0) {
    const answer = await connection.run(pcrRead([...wanted]));
    const given = new Map(answer.pcrs.slice(0, answer.values.length).map((pcr, index) => [pcr, answer.values[index]]));
    const found = [...given].filter((entry): entry is [number, Uint8Array] => wanted.has(entry[0]) && entry[1]?.length === digestBytes);
    // A policy over a bank that is not there would hold on every machine.
    if (found.length === 0) throw new TpmError('refused', noBank(wanted));
    for (const [pcr, value] of found) {
      values.set(pcr, value);
      wanted.delete(pcr);
    }
  }
  return new Map([...values].sort(([a], [b]) => a - b));
}

function noBank(pcrs: ReadonlySet<number>): string {
  return `the TPM has no SHA-256 value of PCR ${[...pcrs].join(', ')}. Enable its SHA-256 bank in the firmware settings`;
}

async function proveSealed(connection: TpmConnection, primary: PrimaryKey, sealed: SealedSecret, tagged: SecretBytes): Promise<void> {
  const opened = await openSealed(connection, primary, sealed);
  const same = opened.expose((bytes) => tagged.expose((expected) => equalConstantTime(bytes, expected)));
  opened.wipe();
  if (!same) throw new TpmError('tampered', 'the TPM does not give back what was sealed. Do not use it');
}

function openSealed(connection: TpmConnection, primary: PrimaryKey, sealed: SealedSecret): Promise<SecretBytes> {
  return withSession(connection, primary, 'hmac', async (session) => {
    const item = await connection.run(load(primary, sealed), session.authorizing('none'));
    return flushing(connection, item.handle, async () => {
      if (!equalConstantTime(item.name, nameOfPublic(sealed.publicArea)))
        throw new TpmError('tampered', 'the TPM loaded another object than was given to it');
      if (sealed.pcrs.size === 0) return connection.run(unseal(item), session.authorizing('response'));
      return unsealByPolicy(connection, primary, item, sealed.pcrs);
    });
  });
}

async function unsealByPolicy(connection: TpmConnection, primary: PrimaryKey, item: TpmEntity, pcrs: PcrValues): Promise<SecretBytes> {
  try {
    return await withSession(connection, primary, 'policy', async (session) => {
      await connection.run(policyPcr(session.handle, [...pcrs.keys()]));
      return connection.run(unseal(item), session.authorizing('response'));
    });
  } catch (error) {
    if (!(error instanceof TpmError) || !['TPM_RC_POLICY_FAIL', 'TPM_RC_PCR_CHANGED'].includes(error.responseCode ?? '')) throw error;
    refuseChangedPcrs(pcrs, await readPcrs(connection, [...pcrs.keys()]));
    throw error;
  }
}

function refuseChangedPcrs(sealed: PcrValues, now: PcrValues): void {
  const changed = changedPcrs(sealed, now);
  if (changed.length === 0) return;
  const names = changed.map((pcr) => (pcrMeanings[pcr] === undefined ? `${pcr}` : `${pcr} (${pcrMeanings[pcr]})`));
  const message = `this machine was started in another way than when it was sealed: another value in PCR ${names.join(', ')}`;
  throw new TpmError(
    'pcrs-changed',
    `${message}. Find out who changed that; start the machine as before, or seal it again from its backup`,
  );
}

function tagOf(purpose: string): Uint8Array {
  return createHash('sha256').update('hsm-kms sealed to a TPM\0').update(purpose).digest();
}

function withTag(secret: SecretBytes, purpose: string): SecretBytes {
  const tagged = new Uint8Array(new ArrayBuffer(secret.length + purposeTagBytes));
  secret.expose((bytes) => tagged.set(bytes));
  tagged.set(tagOf(purpose), secret.length);
  return new SecretBytes(tagged);
}

function withoutTag(tagged: SecretBytes, purpose: string): SecretBytes {
  return tagged.expose((bytes) => {
    const end = bytes.length - purposeTagBytes;
    if (end < 0 || !equalConstantTime(bytes.subarray(end), tagOf(purpose)))
      throw new TpmError('malformed', `what the TPM opened is not a ${purpose}: the sealed file was exchanged. Restore it from its backup`);
    return new SecretBytes(bytes.subarray(0, end));
  });
}
