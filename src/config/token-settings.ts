/** How a token's entry in the configuration, its profile (hsm-config/*.yaml) and the defaults become one set of settings. */
import type { TokenConfig } from './config.ts';

/** TokenConfig without what identifies the one token; `module` lists candidates, of which the first that exists is taken. */
export type CompleteSettings = Omit<TokenConfig, 'name' | 'profile' | 'label' | 'serial' | 'pin' | 'module'> & {
  readonly module: readonly string[];
};

type Loose<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** Settings as a file gives them: any member may be absent. */
export type TokenSettings = Loose<Omit<CompleteSettings, 'module' | 'initialize' | 'threads' | 'deadlinesMs'>> & {
  readonly module?: string | readonly string[] | undefined;
  readonly initialize?: Loose<TokenConfig['initialize']> | undefined;
  readonly threads?: Loose<TokenConfig['threads']> | undefined;
  readonly deadlinesMs?: Loose<TokenConfig['deadlinesMs']> | undefined;
};

const defaults: CompleteSettings = {
  module: [],
  functionList: 'C',
  initialize: { nullArguments: false, osLocking: true, reserved: undefined },
  environment: {},
  isolation: 'process',
  threads: { fast: 2, anchor: 1, slow: 1 },
  deadlinesMs: { fast: 2_000, slow: 10_000, keyGeneration: 120_000, start: 30_000 },
  graceMs: 5_000,
  epochKeysMax: 1_024,
  deepBind: true,
  gcmIvSource: 'measure',
  omitAttributes: [],
};

/** The defaults, overlaid by the profile, overlaid by the token's own entry. Maps merge member by member, lists replace. */
export function mergeSettings(profile: TokenSettings, own: TokenSettings): CompleteSettings {
  const layers = [defaults, profile, own] as readonly Readonly<Record<string, unknown>>[];
  const merged: Record<string, unknown> = {};
  for (const [name, fallback] of Object.entries(defaults)) {
    const values = layers.map((layer) => layer[name]).filter((value) => value !== undefined);
    merged[name] = isMap(fallback) ? Object.assign({}, ...values) : values.at(-1);
  }
  const module = merged['module'] as string | readonly string[];
  return { ...(merged as unknown as CompleteSettings), module: typeof module === 'string' ? [module] : module };
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
