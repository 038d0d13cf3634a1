/** Which keys have automatic rotation that can be set, for the two operations that set it. */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { isReplica } from '../keys/multi-region.ts';
import { canRotateAutomatically } from '../keys/rotation.ts';
import type { KeyRecord } from '../keys/key-record.ts';

/** Throws KmsError UnsupportedOperationException for keys that never rotate by themselves, and for replicas, whose primary is to be set. */
export function assertRotationSettable(key: KeyRecord): void {
  if (key.keySpec !== 'SYMMETRIC_DEFAULT') throw new KmsError('UnsupportedOperationException');
  if (!canRotateAutomatically(key)) {
    throw new KmsError('UnsupportedOperationException', `${keyArn(key)} origin is ${key.origin} which is not valid for this operation.`);
  }
  assertPrimary(key);
}

/** Throws KmsError UnsupportedOperationException for a replica of a multi-Region key: what its primary has rotated or set is shared. */
export function assertPrimary(key: KeyRecord): void {
  if (isReplica(key)) throw notPrimary(key);
}

/** Throws KmsError UnsupportedOperationException for keys that have no replicas to be made or chosen: replicas, and single-Region keys. */
export function assertMultiRegionPrimary(key: KeyRecord): void {
  if (!key.multiRegion || isReplica(key)) throw notPrimary(key);
}

function notPrimary(key: KeyRecord): KmsError {
  return new KmsError('UnsupportedOperationException', `${keyArn(key)} is not a multi-region primary key.`);
}
