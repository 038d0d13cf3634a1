/** Token profiles: one file per token family in hsm-config/, so that what vendors do differently is data. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Profile, profileSchema } from './schema.ts';
import { configError, parseYamlSource, validateSource } from './yaml-source.ts';

const profilesDirectory = fileURLToPath(new URL('../../hsm-config/', import.meta.url));

/** Names of the profiles that come with the package. */
export function profileNames(): readonly string[] {
  return readdirSync(profilesDirectory)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'));
}

/**
 * Reads a profile: a name of `hsm-config/`, or a path ending in `.yaml`, taken from `baseDirectory`. Throws Error when there is
 * none of that name, and ConfigError when the file says what it may not.
 */
export function readProfile(nameOrPath: string, baseDirectory: string): Profile {
  const file = nameOrPath.endsWith('.yaml') ? resolve(baseDirectory, nameOrPath) : resolve(profilesDirectory, `${nameOrPath}.yaml`);
  if (!existsSync(file)) throw configError(file, `no such profile; allowed: ${profileNames().join(', ')}, or the path of a .yaml file`);
  return validateSource(parseYamlSource(file, readFileSync(file, 'utf8')), profileSchema);
}
