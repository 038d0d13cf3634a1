/**
 * What an operation declares: its name, the keys it touches, the states it allows, and what it does. The pipeline
 * (`pipeline.ts`) does the rest once for all operations, in one order, so that no operation can forget a check.
 */
import type { AliasRecord, KeyRecord, KeyUsage } from '../keys/key-record.ts';
import type { Clock } from '../clock.ts';
import type { KeyStores } from './key-stores.ts';
import type { Log } from '../log.ts';
import type { Scope, Store } from '../store/store.ts';

/** Who calls, as authentication established it. */
export interface Caller {
  /** ARN of the principal, for example `arn:aws:iam::111122223333:user/alice`. */
  readonly principalArn: string;
  readonly accessKeyId: string;
  readonly partition: string;
  readonly account: string;
  /** The Region that the request was signed for, and so the Region that serves it. */
  readonly region: string;
  readonly sourceAddress: string | undefined;
  readonly userAgent: string | undefined;
  readonly secureTransport: boolean;
  /** UUID; x-amzn-RequestId of the reply. */
  readonly requestId: string;
}

/** What every operation may use. Parts arrive here from the composition root; nothing is global. */
export interface ServiceParts {
  readonly store: Store;
  readonly keyStores: KeyStores;
  readonly clock: Clock;
  readonly log: Log;
  /** Cryptographically strong random bytes, injected for tests. */
  readonly randomBytes: (lengthBytes: number) => Uint8Array;
  /** Id of this process as owner of intents. */
  readonly ownerId: string;
}

/** A validated input: members by their API name; blobs as Uint8Array, timestamps as milliseconds, maps as plain objects. */
export type OperationInput = Readonly<Record<string, unknown>>;
export type OperationOutput = Readonly<Record<string, unknown>>;

/** One key that a request names, resolved. */
export interface ResolvedKey {
  readonly record: KeyRecord;
  /** The alias the request used, if it used one. */
  readonly alias: AliasRecord | undefined;
}

/** What `perform` gets. */
export interface OperationContext {
  readonly parts: ServiceParts;
  readonly caller: Caller;
  readonly scope: Scope;
  /** Resolved keys by the name the operation declared for them. */
  readonly keys: Readonly<Record<string, ResolvedKey>>;
  readonly signal: AbortSignal | undefined;
}

/** How one input member names a key. */
export interface KeyReference {
  /** Input member, for example `KeyId`. */
  readonly member: string;
  /** Name under which `perform` finds it, for example `key`. */
  readonly as: string;
  readonly aliasAllowed: boolean;
  readonly crossAccount: boolean;
  /** The member may be absent (Decrypt takes the key from the ciphertext). */
  readonly optional?: boolean;
}

/** Row of the key-state table (kms-api.md section 4) that applies to a resolved key. */
export type StateRule =
  | 'any'
  | 'cryptographic'
  | 'cancel-deletion'
  | 'create-alias'
  | 'enable-disable'
  | 'schedule-deletion'
  | 'edit-metadata';

/** An operation of the AWS KMS API. */
export interface Operation {
  /** API name, for example `ScheduleKeyDeletion`. */
  readonly name: string;
  /** IAM action without `kms:`, per key reference where they differ (ReEncryptFrom, ReEncryptTo). */
  readonly action: string | Readonly<Record<string, string>>;
  readonly keys: readonly KeyReference[];
  /** Adds keys that no member names: Decrypt and ReEncrypt read them from the ciphertext header. */
  readonly keysFromInput?: (input: OperationInput, context: Omit<OperationContext, 'keys'>, named: Readonly<Record<string, ResolvedKey>>) => Readonly<Record<string, ResolvedKey>>;
  readonly states: StateRule | Readonly<Record<string, StateRule>>;
  /** KeyUsage that the key must have, checked after the state. */
  readonly usage?: KeyUsage;
  /** Rules between members that need no key (exactly one of KeySpec and NumberOfBytes...). Throws KmsError. */
  readonly validate?: (input: OperationInput) => void;
  readonly perform: (input: OperationInput, context: OperationContext) => Promise<OperationOutput> | OperationOutput;
}
