/** What `doctor` looks at in a root key that is sealed to a TPM: whether the TPM answers, and whether it opens the file. */
import { existsSync } from 'node:fs';
import type { TpmReference } from '../config/config.ts';
import { openRootKey } from '../keystore/software/tpm-root-key.ts';
import { describeTpm } from '../tpm/tpm-description.ts';
import { addressText } from '../tpm/transport.ts';
import type { Finding } from './examination.ts';

const deadlineMs = 10_000;

/** Opens the root key as the daemon does at its start, and forgets it. */
export async function examineSealedRootKey(place: TpmReference, storeName: string): Promise<Finding> {
  const subject = `root key of ${storeName}`;
  const pcrs = place.pcrs.join(', ') || 'none';
  try {
    const tpm = `the TPM ${addressText(place.address)} (${await describeTpm(place.address, deadlineMs)})`;
    if (!existsSync(place.file))
      return { verdict: 'note', subject, words: `${place.file} does not exist; the daemon makes it with ${tpm}, PCR ${pcrs}` };
    (await openRootKey(place, { deadlineMs })).wipe();
    return {
      verdict: 'right',
      subject,
      words: `${tpm} opens ${place.file} as long as PCR ${pcrs} does not change; keep a backup: hsm-kms root-key backup`,
    };
  } catch (error) {
    return { verdict: 'wrong', subject, words: (error as Error).message };
  }
}
