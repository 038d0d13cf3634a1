/**
 * What an operation declares: its name, the keys it touches, the rules of its own, and what it does. The pipeline
 * (`pipeline.ts`) does the rest once for all operations, in one order, so that no operation can forget a check.
 */
import type { Attestation } from '../attestation/attestation.ts';
import type { AttestationVerifier } from '../attestation/attestation-verifier.ts';
import type { AliasRecord, KeyRecord, KeyUsage } from '../keys/key-record.ts';
import type { CiphertextHeader } from '../keys/ciphertext-blob.ts';
import type { BackgroundWork } from './background-work.ts';
import type { Clock } from '../clock.ts';
import type { KeyStoreClusters } from './key-store-clusters.ts';
import type { KeyStores } from './key-stores.ts';
import type { LastUses } from './last-uses.ts';
import type { PublicKeyUses } from '../keys/public-key-uses.ts';
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
  readonly publicKeys: PublicKeyUses;
  readonly clock: Clock;
  readonly log: Log;
  /** Cryptographically strong random bytes, injected for tests. */
  readonly randomBytes: (lengthBytes: number) => Uint8Array;
  /** Id of this process as owner of intents. */
  readonly ownerId: string;
  /** Undefined where the configuration has no clusters for custom key stores. */
  readonly clusters?: KeyStoreClusters | undefined;
  /** Where work goes on after its request was answered. Absent: only the sweeps do it. */
  readonly background?: BackgroundWork | undefined;
  /** When each key was last used. */
  readonly lastUses: LastUses;
  /** Undefined where no root of attestation documents is configured: requests with a Recipient are refused. */
  readonly attestation?: AttestationVerifier | undefined;
}

/** A validated input: members by their API name; blobs as Uint8Array, timestamps as milliseconds, maps as plain objects. */
export type OperationInput = Readonly<Record<string, unknown>>;
/** Members of the reply: blobs as Uint8Array, timestamps as Date. Undefined where the model has no output: the reply's body is empty. */
export type OperationOutput = Readonly<Record<string, unknown>> | undefined;

/** One key that a request names, resolved. */
export interface ResolvedKey {
  readonly record: KeyRecord;
  /** The alias the request used, if it used one. */
  readonly alias: AliasRecord | undefined;
  /** The parsed ciphertext that names the key, if that is how the request came to it. */
  readonly ciphertext: CiphertextHeader | undefined;
}

/** Resolved keys by the name the operation declared for them. */
export type ResolvedKeys<KeyName extends string = string> = Readonly<Record<KeyName, ResolvedKey>>;

/** What `perform` gets. */
export interface OperationContext<KeyName extends string = string> {
  readonly parts: ServiceParts;
  readonly caller: Caller;
  readonly scope: Scope;
  readonly keys: ResolvedKeys<KeyName>;
  readonly signal: AbortSignal | undefined;
  /** What the request's Recipient has proved about itself; undefined for requests without one. */
  readonly attestation?: Attestation | undefined;
}

/** How one input member names a key. */
export interface KeyReference<KeyName extends string = string> {
  /** Input member, for example `KeyId`. */
  readonly member: string;
  /** Name under which `perform` finds it, for example `key`. */
  readonly as: KeyName;
  readonly aliasAllowed: boolean;
  /** Whether key policies can permit keys of other accounts here. */
  readonly crossAccount: boolean;
  /** The member may be absent (Decrypt takes the key from the ciphertext). */
  readonly optional?: boolean;
}

/**
 * An operation of the AWS KMS API. Its row of the key-state table applies to every key it resolves (`keys/key-states.ts`).
 * Each step throws KmsError to refuse the request.
 */
export interface Operation<Input = OperationInput, KeyName extends string = string> {
  /** API name, for example `ScheduleKeyDeletion`. */
  readonly name: string;
  /** IAM action without `kms:`, per key where they differ (ReEncryptFrom, ReEncryptTo). */
  readonly action: string | Readonly<Record<KeyName, string>>;
  readonly keys: readonly KeyReference<KeyName>[];
  /** KeyUsage that the keys must have, checked after the state. */
  readonly usage?: KeyUsage;
  /** Output member that a request with a Recipient gets as CiphertextForRecipient instead. Undefined where the API has no Recipient. */
  readonly forRecipient?: string;
  /** Rules between members that need no key (exactly one of KeySpec and NumberOfBytes...). */
  readonly validate?: (input: Input) => void;
  /** Adds keys that no member names: Decrypt and ReEncrypt read them from the ciphertext. Gets the keys that members named. */
  readonly keysFromInput?: (input: Input, context: OperationContext) => Partial<ResolvedKeys<KeyName>>;
  /** Rules between members and keys: spec, algorithm. Checked after state and usage. */
  readonly check?: (input: Input, context: OperationContext<KeyName>) => void;
  /** What must be tried, besides the checks, before a dry run may say that the request would have succeeded. */
  readonly dryRun?: (input: Input, context: OperationContext<KeyName>) => Promise<void> | void;
  readonly perform: (input: Input, context: OperationContext<KeyName>) => Promise<OperationOutput> | OperationOutput;
}

/**
 * Makes an operation whose input is typed by its members. The types hold because the pipeline decodes every input by the
 * API table of the same operation, and resolves every key that is not optional, before it calls anything here.
 */
export function defineOperation<Input, KeyName extends string = never>(operation: Operation<Input, KeyName>): Operation {
  return operation as unknown as Operation;
}
