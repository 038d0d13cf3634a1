/**
 * The root key of the software store, sealed to a TPM: its file holds nothing that another machine, or this one started in another
 * way, can open.
 */
import type { SecretBytes } from '../../secret-bytes.ts';
import { type TpmConnection, withTpm } from '../../tpm/connection.ts';
import { decodeSealedSecret, encodeSealedSecret, sealedFileBytesMax, type SealedSecret } from '../../tpm/sealed-secret.ts';
import { sealSecret, unsealSecret } from '../../tpm/sealing.ts';
import { TpmError } from '../../tpm/tpm-error.ts';
import type { TpmAddress } from '../../tpm/transport.ts';
import { KeyStoreError } from '../keystore.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private-file.ts';
import { newRootKey } from './root-key-file.ts';
import { rootKeyBytes } from './sealed-material.ts';

const what = 'sealed root key';
const purpose = 'root key';

/** Everything that is asked of the TPM at one start, its slowest answers included. */
const deadlineMsDefault = 30_000;

/** Where a sealed root key is, and what it is sealed to. */
export interface TpmRootKeyPlace {
  /** Path of the file. */
  readonly file: string;
  readonly address: TpmAddress;
  /** Ascending, from 0 to 23. */
  readonly pcrs: readonly number[];
}

/**
 * 32 bytes. `whenMissing: 'create'` makes and seals a root key where there is no file; otherwise its absence is an error, since a new
 * one opens no existing key. Rejects with KeyStoreError or PrivateFileError, which say what to do.
 */
export async function tpmRootKey(
  place: TpmRootKeyPlace,
  whenMissing: 'create' | 'refuse',
  deadlineMs: number = deadlineMsDefault,
): Promise<SecretBytes> {
  if ((await readSealed(place)) === undefined) {
    if (whenMissing === 'refuse') throw missing(place);
    const fresh = newRootKey();
    try {
      await createPrivateFile(place.file, await sealedForm(place, fresh, deadlineMs));
    } finally {
      fresh.wipe();
    }
  }
  return openRootKey(place, { deadlineMs });
}

/**
 * The root key in the file. Unless `pcrsMustMatch` is false, a file that is sealed to other PCRs than `place` says is refused. Rejects with
 * KeyStoreError or PrivateFileError.
 */
export async function openRootKey(
  place: TpmRootKeyPlace,
  { deadlineMs = deadlineMsDefault, pcrsMustMatch = true }: { readonly deadlineMs?: number; readonly pcrsMustMatch?: boolean } = {},
): Promise<SecretBytes> {
  const sealed = await readSealed(place);
  if (sealed === undefined) throw missing(place);
  if (pcrsMustMatch) refuseOtherPcrs(place, sealed);
  const rootKey = await usingTpm(place, deadlineMs, (connection) => unsealSecret(connection, sealed, purpose));
  if (rootKey.length === rootKeyBytes) return rootKey;
  rootKey.wipe();
  throw new KeyStoreError('refused', `the ${what} ${place.file} holds ${rootKey.length} bytes instead of ${rootKeyBytes}`);
}

/** Seals `rootKey`, which stays the caller's, to the TPM as it is now, in place of what the file held. Rejects with KeyStoreError. */
export async function resealRootKey(place: TpmRootKeyPlace, rootKey: SecretBytes, deadlineMs: number = deadlineMsDefault): Promise<void> {
  await replacePrivateFile(place.file, await sealedForm(place, rootKey, deadlineMs));
}

async function sealedForm(place: TpmRootKeyPlace, rootKey: SecretBytes, deadlineMs: number): Promise<Uint8Array> {
  const { pcrs } = place;
  return encodeSealedSecret(await usingTpm(place, deadlineMs, (connection) => sealSecret(connection, rootKey, { purpose, pcrs })));
}

async function readSealed({ file }: TpmRootKeyPlace): Promise<SealedSecret | undefined> {
  const bytes = await readPrivateFile(file, what, sealedFileBytesMax);
  if (bytes === undefined) return undefined;
  try {
    return decodeSealedSecret(bytes);
  } catch (error) {
    throw asKeyStoreError(file, error);
  }
}

async function usingTpm<Result>(
  { address, file }: TpmRootKeyPlace,
  deadlineMs: number,
  use: (connection: TpmConnection) => Promise<Result>,
): Promise<Result> {
  try {
    return await withTpm(address, deadlineMs, use);
  } catch (error) {
    throw asKeyStoreError(file, error);
  }
}

function refuseOtherPcrs({ file, pcrs }: TpmRootKeyPlace, sealed: SealedSecret): void {
  const [wanted, found] = [pcrs, [...sealed.pcrs.keys()]].map((list) => list.join(', ') || 'none');
  if (wanted === found) return;
  const message = `the ${what} ${file} is sealed to PCR ${found}, and the configuration says ${wanted}. Seal it again: hsm-kms root-key reseal`;
  throw new KeyStoreError('refused', message);
}

function missing({ file }: TpmRootKeyPlace): KeyStoreError {
  const remedy = `Restore it, or seal the root key's backup again: hsm-kms root-key reseal --from BACKUP; a new root key opens no existing key`;
  return new KeyStoreError('refused', `the ${what} ${file} does not exist. ${remedy}`);
}

function asKeyStoreError(file: string, error: unknown): unknown {
  if (!(error instanceof TpmError)) return error;
  const kind = error.kind === 'unreachable' ? 'unavailable' : error.kind === 'overdue' ? 'timeout' : 'refused';
  const sealAgain =
    error.kind === 'pcrs-changed' || error.kind === 'other-tpm' ? '. To seal the backup: hsm-kms root-key reseal --from BACKUP' : '';
  return new KeyStoreError(kind, `the ${what} ${file}: ${error.message}${sealAgain}`, { cause: error });
}
