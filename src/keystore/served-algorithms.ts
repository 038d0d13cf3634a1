/** How a key store serves each algorithm of the API: for `doctor` and for the documents, which are made from it. */
import { keySpecs } from '../keys/algorithms.ts';
import type { KeyUsage } from '../keys/key-record.ts';

/**
 * Where the work is done. `composed`: the token does the private key operation, the padding around it is made or removed in this
 * process. `reason` says why something is refused.
 */
export interface Service {
  readonly how: 'token' | 'composed' | 'software' | 'refused';
  readonly reason?: string;
}

/** What new keys of a spec and usage do with one algorithm. */
export interface ServedAlgorithm extends Service {
  readonly keySpec: string;
  readonly keyUsage: KeyUsage;
  readonly algorithm: string;
}

/** One row for each algorithm of each usage of each key spec, in the order of the table of key specs. */
export function servedAlgorithms(
  serviceOf: (keySpec: string, keyUsage: KeyUsage, algorithm: string) => Service,
): readonly ServedAlgorithm[] {
  return [...keySpecs].flatMap(([keySpec, { algorithms }]) =>
    (Object.entries(algorithms) as [KeyUsage, readonly string[]][]).flatMap(([keyUsage, names]) =>
      names.map((algorithm) => {
        const { how, reason } = serviceOf(keySpec, keyUsage, algorithm);
        return { keySpec, keyUsage, algorithm, how, ...(reason !== undefined && { reason }) };
      }),
    ),
  );
}
