/**
 * The storage primary key of a TPM: made anew for each use, the same each time. Secrets are sealed under it, sessions are salted to
 * it, and its Name tells one TPM from another.
 */
import { randomBytes } from 'node:crypto';
import { equalConstantTime } from '../bytes.ts';
import { emptyPassword } from './authorization.ts';
import { createPrimary, flushContext, startAuthSession } from './commands.ts';
import type { TpmConnection } from './connection.ts';
import { TpmReader, TpmWriter } from './marshalling.ts';
import { makeSalt, nonceBytes, Session } from './session.ts';
import { type EccPoint, nameOfPublic, readEccPoint, type TpmEntity, writePrimaryPublicHead } from './structures.ts';
import type { TpmError } from './tpm-error.ts';

/** A loaded primary key. */
export interface PrimaryKey extends TpmEntity {
  readonly point: EccPoint;
}

/** Lends the primary key to `use`. */
export async function withPrimaryKey<Result>(connection: TpmConnection, use: (key: PrimaryKey) => Promise<Result>): Promise<Result> {
  const { handle, publicArea, name } = await connection.run(createPrimary, emptyPassword);
  return flushing(connection, handle, async () => use({ handle, name, point: checkedPoint(publicArea, name) }));
}

/** Lends a session that is salted to `key` to `use`. */
export async function withSession<Result>(
  connection: TpmConnection,
  key: PrimaryKey,
  type: 'hmac' | 'policy',
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { salt, encryptedSalt } = makeSalt(key.point);
  const nonce = randomBytes(nonceBytes);
  const started = await connection.run(startAuthSession(key, { type, nonce, encryptedSalt })).catch((error: TpmError) => {
    salt.wipe();
    throw error;
  });
  const session = new Session(started.handle, salt, { caller: nonce, tpm: started.nonce }, randomBytes);
  try {
    return await flushing(connection, started.handle, () => use(session));
  } finally {
    session.wipe();
  }
}

/** Runs `use`, then has the TPM forget `handle`. */
export async function flushing<Result>(connection: TpmConnection, handle: number, use: () => Promise<Result>): Promise<Result> {
  try {
    return await use();
  } finally {
    // What fails here costs a place in the TPM until its restart, and must not hide what `use` gave or why it failed.
    await connection.run(flushContext(handle)).catch((error: TpmError) => error);
  }
}

/** The public area has exactly the form that was asked for, and the Name is its own. Throws TpmError `malformed`. */
function checkedPoint(publicArea: Uint8Array, name: Uint8Array): EccPoint {
  const reader = new TpmReader(publicArea, 'the primary key of the TPM');
  const head = new TpmWriter();
  writePrimaryPublicHead(head);
  if (!equalConstantTime(reader.bytes(head.written().length), head.written()) || !equalConstantTime(name, nameOfPublic(publicArea)))
    throw reader.malformed('it is not of the kind that was asked for');
  const point = readEccPoint(reader);
  reader.end();
  return point;
}
