/** What someone with the user PIN of a token can do to materials that can travel, and what the ceremony leaves behind. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transportsMaterial } from '../../src/keystore/pinned-peers.ts';
import { kindOf, newKey } from '../support/key-store-parts.ts';
import { hasSoftHsm } from '../support/softhsm.ts';
import type { ProvisionedToken } from '../support/softhsm.ts';
import { ceremony, openTransportTokens } from '../support/transport-tokens.ts';
import type { TransportTokens } from '../support/transport-tokens.ts';

const thief = fileURLToPath(new URL('../support/transport-thief.mjs', import.meta.url));

interface Loot {
  readonly materials: number;
  readonly isReached: boolean;
  readonly attempts: number;
  readonly gained: readonly string[];
}

function rob({ module, label, environment, pin }: ProvisionedToken): Loot {
  const input = pin.expose((bytes) => Buffer.from(bytes).toString('utf8'));
  const run = spawnSync(process.execPath, [thief, module, label], { env: { ...environment }, input, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Loot;
}

describe.runIf(hasSoftHsm())('materials that can travel', () => {
  let tokens: TransportTokens;
  beforeAll(async () => {
    tokens = await openTransportTokens(['here', 'there']);
  });
  afterAll(async () => {
    await tokens.close();
  });

  const moved = async (): Promise<string> => {
    const [source, target] = tokens.stores;
    if (source === undefined || target === undefined || !transportsMaterial(source) || !transportsMaterial(target)) throw new Error('no stores');
    const key = { ...newKey(), keyId: `mrk-${randomBytes(16).toString('hex')}` };
    const request = { key, keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT', objectId: randomBytes(16), multiRegion: true } as const;
    const material = await source.createMaterial(request);
    return kindOf(
      source
        .wrapForTransport({ key: { ...key, ...request }, material }, target.name)
        .then((wrapped) => target.receiveTransported({ ...request, objectId: randomBytes(16) }, { material, wrapped, from: source.name })),
    );
  };

  it('stay inside for a thief of the user PIN, where they were made and where they arrived', async () => {
    expect(await moved()).toBe('no error');
    for (const token of tokens.provisioned) {
      expect(rob(token)).toEqual({ materials: 1, isReached: true, attempts: 12, gained: [] });
    }
  });

  it('go nowhere after a ceremony that one of the tokens was left out of, until both have been through one again', async () => {
    await ceremony(tokens.provisioned.slice(0, 1));
    expect(await moved()).toBe('refused');
  });
});
