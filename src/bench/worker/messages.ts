/** What the benchmark and its worker processes say to each other over the channel between them. */
import type { Target } from '../load/http-connection.ts';
import type { Observation, Workload } from '../observation.ts';
import type { KeyLife } from './door-subject.ts';
import type { UsedAt } from './key-use-subject.ts';

/** What a worker is to open. The first token of the configuration file is the one that is measured. */
export type SubjectDescription =
  | { readonly kind: 'door'; readonly configFile: string; readonly keyLife: KeyLife }
  /** Without a key id, the keys that are there are used, and those that `create-keys` makes. */
  | { readonly kind: 'kms'; readonly configFile: string; readonly keyId?: string }
  | { readonly kind: 'key-use'; readonly configFile: string; readonly usedAt: UsedAt }
  | { readonly kind: 'node-crypto' }
  | {
      readonly kind: 'http';
      readonly target: Target;
      readonly keyId: string;
      readonly region: string;
      readonly accessKeyId: string;
      /** Holds the secret access key: it does not travel. */
      readonly credentialsFile: string;
      /** The processes that serve: their CPU and memory belong to the observation. */
      readonly servicePid: number;
    };

export type WorkerRequest =
  | { readonly kind: 'open'; readonly subject: SubjectDescription }
  /** Makes inputs and warms up. */
  | { readonly kind: 'prepare'; readonly workload: Workload; readonly outstanding: number }
  | { readonly kind: 'measure'; readonly durationMs: number }
  | { readonly kind: 'create-keys'; readonly count: number }
  /** Adds records that cannot be used until there are that many keys. */
  | { readonly kind: 'fill-keys'; readonly count: number }
  /** Destroys the materials of all keys, without the waiting period. */
  | { readonly kind: 'destroy-keys' }
  | { readonly kind: 'close' };

export interface WorkerReply {
  readonly observation?: Observation;
  /** The last of the keys that were made. */
  readonly keyId?: string;
  /** KeySpecs that the opened key store serves. */
  readonly keySpecs?: readonly string[];
  readonly error?: string;
}
