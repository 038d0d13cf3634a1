/** The commands that sealing needs, one function each. Source: TPM 2.0 Library, Part 3, the section named at each. */
import { SecretBytes } from '../secret-bytes.ts';
import type { TpmCommand } from './connection.ts';
import type { TpmReader } from './marshalling.ts';
import { pcrCount, readPcrSelection, writePcrSelection } from './pcr-values.ts';
import {
  algorithms,
  digestBytes,
  entityOfHandle,
  nameBytes,
  permanentHandles,
  type TpmEntity,
  writePrimaryPublicHead,
  writeSealedPublicHead,
  writeSessionCipher,
} from './structures.ts';

/** MAX_SYM_DATA: what one sealed object holds. */
export const sealedBytesMax = 128;

export const publicBytesMax = 256;
export const privateBytesMax = 512;
const creationDataBytesMax = 256;
const digestBytesMax = 64;
const capabilityTpmProperties = 0x0000_0006;

/** A sealed object as the TPM gives it out and takes it back. */
export interface CreatedObject {
  readonly publicArea: Uint8Array;
  /** Encrypted and authenticated by the TPM. */
  readonly privateArea: Uint8Array;
}

/** Section 24.1: the storage primary key of the owner hierarchy. The same template gives the same key until the owner is cleared. */
export const createPrimary: TpmCommand<{ readonly handle: number; readonly publicArea: Uint8Array; readonly name: Uint8Array }> = {
  name: 'CreatePrimary',
  code: 0x0000_0131,
  handles: [entityOfHandle(permanentHandles.owner)],
  givesHandle: true,
  write: (writer) => {
    writer
      .sizedBy((sensitive) => sensitive.sized(new Uint8Array()).sized(new Uint8Array()))
      .sizedBy((area) => {
        writePrimaryPublicHead(area);
        area.sized(new Uint8Array()).sized(new Uint8Array());
      })
      .sized(new Uint8Array())
      .u32(0);
  },
  read: (reader, handle) => {
    const publicArea = reader.sized(publicBytesMax).slice();
    skipCreation(reader);
    return { handle, publicArea, name: reader.sized(nameBytes).slice() };
  },
};

/** creationData, creationHash and creationTicket, which prove nothing that is needed here. */
function skipCreation(reader: TpmReader): void {
  reader.sized(creationDataBytesMax);
  reader.sized(digestBytesMax);
  reader.u16();
  reader.u32();
  reader.sized(digestBytesMax);
}

/** Section 11.1: a session salted to `key`, for HMAC or for a policy, that encrypts with AES-128-CFB. */
export function startAuthSession(
  key: TpmEntity,
  session: { readonly type: 'hmac' | 'policy'; readonly nonce: Uint8Array; readonly encryptedSalt: Uint8Array },
): TpmCommand<{ readonly handle: number; readonly nonce: Uint8Array }> {
  return {
    name: 'StartAuthSession',
    code: 0x0000_0176,
    handles: [key, entityOfHandle(permanentHandles.null)],
    givesHandle: true,
    write: (writer) => {
      writer.sized(session.nonce).sized(session.encryptedSalt);
      writer.u8(session.type === 'policy' ? 1 : 0);
      writeSessionCipher(writer);
      writer.u16(algorithms.sha256);
    },
    read: (reader, handle) => ({ handle, nonce: reader.sized(digestBytes).slice() }),
  };
}

/** Section 12.1: seals `secret` under `parent`. The authorisation encrypts the first parameter, which holds the secret. */
export function createSealed(parent: TpmEntity, secret: SecretBytes, policy: Uint8Array | undefined): TpmCommand<CreatedObject> {
  return {
    name: 'Create',
    code: 0x0000_0153,
    handles: [parent],
    givesHandle: false,
    write: (writer) => {
      writer
        .sizedBy((sensitive) => secret.expose((bytes) => sensitive.sized(new Uint8Array()).sized(bytes)))
        .sizedBy((area) => {
          writeSealedPublicHead(area, policy);
          area.sized(new Uint8Array());
        })
        .sized(new Uint8Array())
        .u32(0);
    },
    read: (reader) => {
      const privateArea = reader.sized(privateBytesMax).slice();
      const publicArea = reader.sized(publicBytesMax).slice();
      skipCreation(reader);
      return { publicArea, privateArea };
    },
  };
}

/** Section 12.2. */
export function load(parent: TpmEntity, { publicArea, privateArea }: CreatedObject): TpmCommand<TpmEntity> {
  return {
    name: 'Load',
    code: 0x0000_0157,
    handles: [parent],
    givesHandle: true,
    write: (writer) => writer.sized(privateArea).sized(publicArea),
    read: (reader, handle) => ({ handle, name: reader.sized(nameBytes).slice() }),
  };
}

/** Section 12.7. The authorisation decrypts the response. */
export function unseal(item: TpmEntity): TpmCommand<SecretBytes> {
  return {
    name: 'Unseal',
    code: 0x0000_015e,
    handles: [item],
    givesHandle: false,
    write: () => {},
    read: (reader) => new SecretBytes(reader.sized(sealedBytesMax)),
  };
}

/** Section 23.7: the session has the policy that these PCRs have their present values. */
export function policyPcr(session: number, pcrs: readonly number[]): TpmCommand<void> {
  return {
    name: 'PolicyPCR',
    code: 0x0000_017f,
    handles: [entityOfHandle(session)],
    givesHandle: false,
    write: (writer) => writePcrSelection(writer.sized(new Uint8Array()), pcrs),
    read: () => {},
  };
}

/** Section 22.4. A TPM gives at most 8 values at a time: those of the first PCRs of the answer's selection. */
export function pcrRead(
  pcrs: readonly number[],
): TpmCommand<{ readonly updateCounter: number; readonly pcrs: readonly number[]; readonly values: readonly Uint8Array[] }> {
  return {
    name: 'PCR_Read',
    code: 0x0000_017e,
    handles: [],
    givesHandle: false,
    write: (writer) => writePcrSelection(writer, pcrs),
    read: (reader) => {
      const updateCounter = reader.u32();
      const given = readPcrSelection(reader);
      const values = Array.from({ length: reader.count(pcrCount) }, () => reader.sized(digestBytes).slice());
      return { updateCounter, pcrs: given, values };
    },
  };
}

/** Section 28.4: what a handle stands for is forgotten by the TPM. */
export function flushContext(handle: number): TpmCommand<void> {
  return {
    name: 'FlushContext',
    code: 0x0000_0165,
    handles: [],
    givesHandle: false,
    write: (writer) => writer.u32(handle),
    read: () => {},
  };
}

/** Section 30.2: one TPM_PT, such as the manufacturer (0x105). Undefined where the TPM does not have it. */
export function getProperty(property: number): TpmCommand<number | undefined> {
  return {
    name: 'GetCapability',
    code: 0x0000_017a,
    handles: [],
    givesHandle: false,
    write: (writer) => writer.u32(capabilityTpmProperties).u32(property).u32(1),
    read: (reader) => {
      reader.u8();
      if (reader.u32() !== capabilityTpmProperties) throw reader.malformed('another capability than was asked for');
      if (reader.count(1) === 0) return undefined;
      const given = reader.u32();
      const value = reader.u32();
      return given === property ? value : undefined;
    },
  };
}
