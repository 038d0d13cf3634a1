/** What the benchmark and its worker processes say to each other over the channel between them. */
import type { Target } from '../load/http-connection.ts';
import type { Observation, Workload } from '../observation.ts';
import type { KeyLife } from './door-subject.ts';

/** What a worker is to open. The first token of the configuration file is the one that is measured. */
export type SubjectDescription =
  | { readonly kind: 'door'; readonly configFile: string; readonly keyLife: KeyLife }
  /** Without a key id, keys are made with `create-keys`. */
  | { readonly kind: 'kms'; readonly configFile: string; readonly keyId?: string }
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
  /** Destroys the materials of all keys, without the waiting period. */
  | { readonly kind: 'destroy-keys' }
  | { readonly kind: 'close' };

export interface WorkerReply {
  readonly observation?: Observation;
  /** The last of the keys that were made. */
  readonly keyId?: string;
  readonly error?: string;
}
