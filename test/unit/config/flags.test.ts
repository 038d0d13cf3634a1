/** Command-line flags over the configuration, and the rules about listeners that hold once both are known. */
import { describe, expect, it } from 'vitest';
import type { Config, KeyStoreConfig, TokenConfig } from '../../../src/config/config.ts';
import { applyFlags, isLoopback } from '../../../src/config/flags.ts';

const config: Config = {
  dataDirectory: '/data',
  listener: { host: '127.0.0.1', port: 4_599, tls: undefined },
  auth: { mode: 'sigv4', credentialsFile: '/data/credentials.yaml' },
  tokens: [],
  keyStores: [{ kind: 'pkcs11', name: 'hsm', token: 'main', residency: 'token', suite: 'measured', custody: 'full', import: 'in-token' }],
  regions: [{ region: 'us-east-1', keyStore: 'hsm' }],
  anyRegion: true,
  hardwareOnly: false,
  clock: 'system',
  customKeyStores: [],
  log: { level: 'info' },
  limits: { bodyBytesMax: 1, headerBytesMax: 1, requestTimeoutMs: 1, connectionsMax: 1 },
};
const tls = { certificateFile: '/c', keyFile: '/k' };

describe('flags', () => {
  it('win over the file', () => {
    expect(applyFlags(config, { port: 0, auth: 'emulator', logLevel: 'debug', host: '::1' })).toMatchObject({
      listener: { host: '::1', port: 0 },
      auth: { mode: 'emulator' },
      log: { level: 'debug' },
    });
  });

  it('send new keys to the software store and keep the other stores open', () => {
    const applied = applyFlags(config, { store: 'software' });
    expect(applied.keyStores.map((store) => store.name)).toEqual(['hsm', 'software']);
    expect(applied.regions).toEqual([{ region: 'us-east-1', keyStore: 'software' }]);
  });

  it('refuse a key store that is not configured, naming those that are', () => {
    expect(() => applyFlags(config, { store: 'cloud' })).toThrow("--store: 'cloud' is not a key store; allowed: hsm");
  });

  it('serve only the Regions that are named', () => {
    expect(applyFlags(config, { region: ['eu-west-1', 'eu-west-2'] })).toMatchObject({
      anyRegion: false,
      regions: [
        { region: 'eu-west-1', keyStore: 'hsm' },
        { region: 'eu-west-2', keyStore: 'hsm' },
      ],
    });
  });
});

describe('hardwareOnly', () => {
  it('refuses every software key store, one from a flag too', () => {
    const hardware = { ...config, hardwareOnly: true };
    expect(applyFlags(hardware, {}).keyStores).toHaveLength(1);
    expect(() => applyFlags(hardware, { store: 'software' })).toThrow('the key store software is one');
  });

  it('refuses imports that pass through software', () => {
    const keyStores = config.keyStores.map((store) => ({ ...store, import: 'via-software' }) as KeyStoreConfig);
    expect(applyFlags({ ...config, keyStores }, {}).keyStores).toHaveLength(1);
    expect(() => applyFlags({ ...config, keyStores, hardwareOnly: true }, {})).toThrow('has import: via-software');
  });
});

describe('the virtual clock', () => {
  const development = { name: 'main', development: true } as TokenConfig;

  it('is for callers of this machine and tokens made for development', () => {
    const flags = { clock: 'virtual', auth: 'emulator' } as const;
    expect(applyFlags({ ...config, tokens: [development] }, flags).clock).toBe('virtual');
    expect(() => applyFlags({ ...config, tokens: [{ name: 'main' } as TokenConfig] }, flags)).toThrow('the entry of main');
    expect(() => applyFlags(config, { clock: 'virtual' })).toThrow('needs auth: emulator');
  });
});

describe('a listener beyond loopback', () => {
  it('needs TLS', () => {
    expect(() => applyFlags(config, { host: '0.0.0.0' })).toThrow(/needs TLS/);
    expect(applyFlags({ ...config, listener: { ...config.listener, tls } }, { host: '0.0.0.0' }).listener.host).toBe('0.0.0.0');
  });

  it('is refused to the emulator mode even with TLS', () => {
    expect(() => applyFlags({ ...config, listener: { host: '10.0.0.1', port: 1, tls } }, { auth: 'emulator' })).toThrow(/loopback only/);
  });

  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('is not what %s is', (host) => expect(isLoopback(host)).toBe(true));
  it.each(['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '128.0.0.1', ''])('could be what %s is', (host) =>
    expect(isLoopback(host)).toBe(false),
  );
});
