/** The inputs of the pipeline's workloads, against a service that only writes down what it was asked. */
import { describe, expect, it } from 'vitest';
import { type AskedService, requestsOf } from '../../../../src/bench/worker/kms-requests.ts';

interface Asked {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

function serviceOf(keyIds: readonly string[], pages = 0): AskedService & { readonly asked: Asked[]; epochs: number } {
  const asked: Asked[] = [];
  return {
    keyIds,
    asked,
    epochs: 0,
    perform: async (operation, input) => {
      asked.push({ operation, input: input as Asked['input'] });
      const page = Number((input as Asked['input'])['Marker'] ?? 1);
      if (operation.startsWith('List')) return page < pages ? { NextMarker: String(page + 1) } : {};
      return { CiphertextBlob: Buffer.from(`${(input as Asked['input'])['KeyId'] as string} ${asked.length}`) };
    },
    async endEpoch() {
      this.epochs += 1;
    },
  };
}

const membersOf = (inputs: readonly object[], name: string): readonly unknown[] => inputs.map((input) => (input as Asked['input'])[name]);

describe('the inputs of the pipeline', () => {
  it('name the last key unless every request is to name another', async () => {
    const keyIds = ['a', 'b', 'c'];
    const hot = await requestsOf({ operation: 'Encrypt', bytes: 32 }, serviceOf(keyIds));
    expect(new Set(membersOf(hot, 'KeyId'))).toEqual(new Set(['c']));
    expect(new Set(membersOf(hot, 'Plaintext')).size).toBe(hot.length);
    const cold = await requestsOf({ operation: 'Encrypt', bytes: 32, access: 'cold' }, serviceOf(keyIds));
    expect(membersOf(cold, 'KeyId')).toEqual(keyIds);
  });

  it('open ciphertexts of one epoch each where that is asked', async () => {
    const service = serviceOf(['a']);
    const inputs = await requestsOf({ operation: 'Decrypt', bytes: 32, access: 'epochs' }, service);
    expect(service.epochs).toBe(inputs.length);
    expect(new Set(membersOf(inputs, 'CiphertextBlob')).size).toBe(inputs.length);
  });

  it('go through pages from inside a listing, never the last', async () => {
    const inputs = await requestsOf({ operation: 'ListKeys', bytes: 0 }, serviceOf(['a'], 5));
    expect(membersOf(inputs, 'Marker')).toEqual(['2', '3', '4']);
    const many = await requestsOf({ operation: 'ListAliases', bytes: 0 }, serviceOf(['a'], 1_000));
    expect(many.length).toBeLessThan(40);
    expect(new Set(membersOf(many, 'Limit')).size).toBe(1);
  });
});
