/**
 * One story that performs every operation of the API, told to any client: each chapter is one operation, with what its answer must say.
 * A client of an earlier year leaves out the chapters of operations that it does not know.
 */
import { customKeyStores } from './story/custom-key-stores.ts';
import { grants } from './story/grants.ts';
import { keys } from './story/keys.ts';
import { ends, materials } from './story/materials.ts';
import { uses } from './story/uses.ts';
import type { Ask, Chapter, Made, Surroundings } from './story/chapter.ts';
import type { KmsClient } from './kms-clients.ts';

const story: readonly Chapter[] = [...keys, ...uses, ...materials, ...grants, ...customKeyStores, ...ends];

/** Every operation of the story, in its order. */
export const storyOperations: readonly string[] = story.map(([operation]) => operation);

/** Tells the story. Resolves to the operations that were performed; rejects at the first chapter that does not hold, named in the error. */
export async function tellStory(client: KmsClient, around: Surroundings): Promise<readonly string[]> {
  const made: Made = { keys: {}, arns: {} };
  const told: string[] = [];
  const ask: Ask = (operation, input = {}) => client.call(operation, input);
  for (const [operation, tell] of story) {
    if (!client.operations.includes(operation)) continue;
    try {
      await tell(ask, made, around);
    } catch (error) {
      throw new Error(`the chapter of ${operation} does not hold: ${(error as Error).message}`, { cause: error });
    }
    told.push(operation);
  }
  return told;
}
