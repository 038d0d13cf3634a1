/** Secrets for a process that has no terminal and nobody to ask. */
import type { SecretSources } from '../../config/secret-source.ts';

export const unattendedSecrets: SecretSources = {
  environment: process.env,
  prompt: (what) =>
    Promise.reject(new Error(`the benchmark cannot ask for the ${what}: refer to a file, a variable or a credential instead`)),
};
