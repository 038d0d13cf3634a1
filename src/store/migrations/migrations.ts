/** All migrations in order. A new one is a new file and a new line here; one that was released never changes. */
import { initial } from './001-initial.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [initial];
