/**
 * What is kept of a sealed secret, and its file form. None of it is secret; only the TPM that sealed it opens it.
 * Layout: magic (16), version u8 = 1, then TPM structures: TPM2B purpose (ASCII), TPM2B Name of the primary key, TPML_PCR_SELECTION,
 * the value of each chosen PCR at sealing (32 each, ascending), TPM2B public area, TPM2B private area.
 */
import { equalConstantTime } from '../bytes.ts';
import { type CreatedObject, privateBytesMax, publicBytesMax } from './commands.ts';
import { TpmReader, TpmWriter } from './marshalling.ts';
import { pcrPolicy, type PcrValues, readPcrSelection, writePcrSelection } from './pcr-values.ts';
import { digestBytes, nameBytes, writeSealedPublicHead } from './structures.ts';
import { TpmError } from './tpm-error.ts';

/** More than any sealed secret takes. */
export const sealedFileBytesMax = 2_048;

const magic = Buffer.from('hsm-kms sealed\r\n', 'latin1');
const version = 1;
const purposeBytesMax = 64;

/** A secret that one TPM can open. */
export interface SealedSecret extends CreatedObject {
  /** What the secret is, such as `root key`. */
  readonly purpose: string;
  /** Name of the primary key of the TPM. */
  readonly primaryName: Uint8Array;
  /** What the PCRs of its policy held at sealing. Empty: opens whatever was booted. */
  readonly pcrs: PcrValues;
}

/** The file form, at most `sealedFileBytesMax` bytes. */
export function encodeSealedSecret(sealed: SealedSecret): Uint8Array {
  const writer = new TpmWriter();
  writer.bytes(magic).u8(version).sized(Buffer.from(sealed.purpose, 'latin1')).sized(sealed.primaryName);
  writePcrSelection(writer, [...sealed.pcrs.keys()]);
  for (const value of sealed.pcrs.values()) writer.bytes(value);
  return writer.sized(sealed.publicArea).sized(sealed.privateArea).written();
}

/** Reads the file form. Throws TpmError `malformed`. */
export function decodeSealedSecret(bytes: Uint8Array): SealedSecret {
  const reader = new TpmReader(bytes, 'the sealed file');
  if (bytes.length < magic.length || !equalConstantTime(reader.bytes(magic.length), magic))
    throw new TpmError('malformed', 'the file holds nothing that hsm-kms sealed to a TPM');
  const found = reader.u8();
  if (found !== version) throw new TpmError('malformed', `the sealed file has the version ${found}; this program knows ${version}`);
  const sealed = {
    purpose: Buffer.from(reader.sized(purposeBytesMax)).toString('latin1'),
    primaryName: reader.sized(nameBytes).slice(),
    pcrs: new Map(readPcrSelection(reader).map((pcr) => [pcr, reader.bytes(digestBytes).slice()])),
    publicArea: reader.sized(publicBytesMax).slice(),
    privateArea: reader.sized(privateBytesMax).slice(),
  };
  reader.end();
  checkPolicy(sealed);
  return sealed;
}

/** The recorded PCR values are those of the policy in the public area, which the TPM holds to. */
function checkPolicy({ publicArea, pcrs }: SealedSecret): void {
  const head = new TpmWriter();
  writeSealedPublicHead(head, pcrPolicy(pcrs));
  const expected = head.written();
  if (publicArea.length < expected.length || !equalConstantTime(publicArea.subarray(0, expected.length), expected))
    throw new TpmError(
      'malformed',
      'the sealed file was altered: its recorded PCRs are not those of its policy. Restore it from its backup',
    );
}
