import { statSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Site, type Subjected } from '../../../src/bench/site.ts';
import type { TokenConfig } from '../../../src/config/config.ts';
import { readConfigFile } from '../../../src/config/load-config.ts';

const token: TokenConfig = {
  name: 'hsm',
  profile: 'none',
  module: '/usr/lib/module.so',
  functionList: 'C',
  initialize: { nullArguments: false, osLocking: true, reserved: undefined },
  environment: { MODULE_CONF: '/etc/module.conf' },
  label: 'kms',
  serial: undefined,
  pin: { kind: 'credential', name: 'pin' },
  isolation: 'process',
  threads: { fast: 2, anchor: 1, slow: 1 },
  deadlinesMs: { fast: 2_000, slow: 10_000, keyGeneration: 120_000, start: 30_000 },
  graceMs: 5_000,
  epochKeysMax: 64,
  deepBind: true,
  gcmIvSource: 'measure',
  omitAttributes: [],
};
const subjected: Subjected = {
  token,
  keyStore: {
    kind: 'pkcs11',
    name: 'keys',
    token: 'hsm',
    residency: 'token',
    suite: 'measured',
    custody: 'full',
    import: 'in-token',
    transport: { pins: [] },
  },
};

describe('the place of a run', () => {
  let site: Site;
  afterEach(() => site.remove());

  it('writes configurations that the daemon reads as they were meant, private to this user', () => {
    site = new Site();
    const file = site.writeConfig(
      subjected,
      { name: 'http', isolation: 'none', token: { threads: { fast: 64, anchor: 1, slow: 1 } } },
      '/credentials',
    );
    const config = readConfigFile(file);
    expect(config.tokens).toEqual([{ ...token, isolation: 'none', threads: { fast: 64, anchor: 1, slow: 1 } }]);
    expect(config.keyStores).toEqual([subjected.keyStore]);
    expect(config.listener).toMatchObject({ host: '127.0.0.1', port: 0 });
    expect(config.dataDirectory).toBe(site.dataDirectory('http'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('copies the data of one variant to another, and leaves nothing when it is removed', () => {
    site = new Site();
    site.writeConfig(subjected, { name: 'keys', isolation: 'none' }, '/credentials');
    writeFileSync(join(site.dataDirectory('keys'), 'store.db'), 'rows');
    site.copyData('keys', 'http');
    expect(existsSync(join(site.dataDirectory('http'), 'store.db'))).toBe(true);
    site.remove();
    expect(existsSync(site.directory)).toBe(false);
  });
});
