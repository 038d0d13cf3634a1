/** What a chapter of the story is made of: see `every-operation.ts`. */
import { expect } from 'vitest';
import { AnsweredError } from '../kms-clients.ts';
import type { Members } from '../kms-clients.ts';

/** What the daemon under test was configured with. */
export interface Surroundings {
  readonly account: string;
  readonly region: string;
  readonly replicaRegion: string;
  /** CloudHSM cluster that the configuration maps to a key store. */
  readonly cluster: { readonly clusterId: string; readonly trustAnchor: string; readonly password: string };
}

/** What earlier chapters made, for later ones. */
export interface Made {
  readonly keys: Record<string, string>;
  readonly arns: Record<string, string>;
  [name: string]: unknown;
}

export type Ask = (operation: string, input?: Members) => Promise<Members>;
export type Chapter = readonly [operation: string, tell: (ask: Ask, made: Made, around: Surroundings) => Promise<void>];

export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
export const asBytes = (value: unknown): Uint8Array => value as Uint8Array;
export const EncryptionContext: Members = { tenant: 'blue' };

/** Makes a key that later chapters know by `name`. */
export async function makeKey(ask: Ask, made: Made, name: string, input: Members = {}): Promise<void> {
  const { KeyMetadata } = (await ask('CreateKey', input)) as { KeyMetadata: { KeyId: string; Arn: string; KeyState: string } };
  expect(KeyMetadata.KeyState).toBe(input['Origin'] === 'EXTERNAL' ? 'PendingImport' : 'Enabled');
  made.keys[name] = KeyMetadata.KeyId;
  made.arns[name] = KeyMetadata.Arn;
}

/** The code of the error that the service answers. */
export async function refusalOf(answer: Promise<unknown>): Promise<string> {
  const refused = await answer.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(AnsweredError);
  return (refused as AnsweredError).code;
}

export const stateOf = async (ask: Ask, KeyId: unknown): Promise<unknown> => {
  const { KeyMetadata } = await ask('DescribeKey', { KeyId });
  return (KeyMetadata as { KeyState: string }).KeyState;
};

const attemptsMax = 50;
const pauseMs = 100;

/** What becomes true in the background of the daemon: asked again until it does, a bounded number of times. */
export async function settled(attempt: () => Promise<unknown>): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (attempts === attemptsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
